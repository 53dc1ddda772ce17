"""Which runs are listed, in which order and in which columns; and the bars of their accuracy."""

from __future__ import annotations

import pytest

from engine.config import TrainConfig
from engine.events import EpochFinished
from engine.labels import Labels
from engine.runs import Progress, Run, Store
from tui.cells import fitted
from tui.run_list import View, columns_in
from tui.snapshot import RunSnapshot
from tui.sparkline import sparkline


def listed(store: Store, name: str, *accuracies: float, note: str = "") -> RunSnapshot:
    """Return a run that is called `name` and reached these accuracies."""
    epochs = tuple(
        EpochFinished(
            epoch=number, train_loss=0.1, train_accuracy=0.9, test_loss=0.1, test_accuracy=accuracy,
            learning_rate=0.01, seconds=3.0, images_per_second=20_000.0,
        )
        for number, accuracy in enumerate(accuracies, start=1)
    )  # fmt: skip
    config = TrainConfig(name="an older name")
    labels = Labels(name=name, note=note)
    run = Run(store.path / f"20260101-000000-torch-{name}")
    return RunSnapshot(run, "completed", Progress(epochs=epochs), config, labels=labels)


def test_runs_without_a_figure_come_last_whichever_way_round(store: Store) -> None:
    runs = [listed(store, "a"), listed(store, "b", 0.5), listed(store, "c", 0.9, 0.8)]
    falling, rising = View(column="best acc"), View(column="best acc", is_falling=False)
    assert [run.name for run in falling.arrange(runs)] == ["c", "b", "a"]
    assert [run.name for run in rising.arrange(runs)] == ["b", "c", "a"]
    assert [run.name for run in View(is_falling=False).arrange(runs)] == ["c", "b", "a"]


def test_names_are_sorted_as_people_count(store: Store) -> None:
    runs = [listed(store, name) for name in ("seed 10", "Seed 9", "7", "²³", "another")]
    sorted_runs = View(column="run", is_falling=False).arrange(runs)
    assert [run.name for run in sorted_runs] == ["7", "another", "Seed 9", "seed 10", "²³"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", "ab"),
        ("ÄPFEL", "a"),
        ("pytorch completed", "ab"),
        ("torch-b", "b"),
        ("slow", "b"),
        ("older", ""),
        (" ", "ab"),
    ],
)
def test_all_words_must_be_found_somewhere(store: Store, words: str, found: str) -> None:
    runs = [listed(store, "a", note="äpfel"), listed(store, "b", note="too SLOW")]
    assert "".join(run.name for run in View(words).arrange(runs)) == found


def test_the_columns_fill_the_width_and_the_names_come_first() -> None:
    for width, longest in ((60, 31), (77, 31), (97, 5), (117, 80), (197, 31), (197, 80)):
        columns = columns_in(width, longest)
        assert sum(taken + 1 for _, taken in columns) - 1 == width
    narrow, wide = ([column.name for column, _ in columns_in(width, 31)] for width in (77, 97))
    assert narrow == ["status", "run", "epochs", "best acc", "time"]
    assert "accuracy" in wide
    assert {column.name: taken for column, taken in columns_in(97, 31)}["run"] >= 31


def test_without_its_column_the_framework_stands_behind_the_name(store: Store) -> None:
    run = listed(store, "mine")
    (narrow,) = (column for column, _ in columns_in(60, 31) if column.name == "run")
    (wide,) = (column for column, _ in columns_in(197, 31) if column.name == "run")
    assert (narrow.text(run, False), wide.text(run, False)) == ("mine, PyTorch", "mine")


def test_a_text_is_cut_to_its_cells() -> None:
    assert fitted("漢字かな", 6) == "漢字 …"
    assert fitted("漢字かな", 6, ascii=True) == "漢字 ~"
    assert fitted("12", 4, at_right=True) == "  12"


def test_bars_go_from_the_lowest_to_the_highest_and_end_with_the_last() -> None:
    assert sparkline([0.1, 0.2, float("nan"), 0.8], 10) == "▁▂ █"
    assert sparkline([0.5, 0.5], 10) == "▅▅"
    assert sparkline(list(range(100)), 4, ascii=True)[-1] == "#"
    assert len(sparkline(list(range(100)), 4)) == 4
    assert sparkline([], 4) == ""
