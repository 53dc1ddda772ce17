"""How texts for people are put."""

from __future__ import annotations

import pytest

from tui.formats import from_home


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
