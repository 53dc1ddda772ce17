"""How texts for people are put."""

from __future__ import annotations

import pytest

from tui.formats import figure, from_home


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IDX files in /home/ada/mnist", "IDX files in ~/mnist"),
        ("/home/ada/mnist", "~/mnist"),
        ("IDX files in /home/adalbert/mnist", "IDX files in /home/adalbert/mnist"),
        ("IDX files in /mnt/home/ada/mnist", "IDX files in /mnt/home/ada/mnist"),
        ("the sample", "the sample"),
    ],
)
def test_only_paths_in_the_home_folder_are_told_from_there_on(
    text: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert from_home(text) == expected


@pytest.mark.parametrize(
    ("value", "width", "text"),
    [
        (0.17085, 9, "0.1709"),
        (2345.6789, 9, "2345.6789"),
        (23456.789, 9, "23456.79"),
        (2345.6789, 6, "2346"),
        (123.4567, 6, "123.46"),
        (1234567.0, 6, "1e+06"),
        (1e300, 6, "1e+300"),
        (float("nan"), 6, "nan"),
        (None, 6, "–"),
    ],
)
def test_a_figure_keeps_within_its_column(value: float | None, width: int, text: str) -> None:
    assert figure(value, width) == text
