"""Which runs are listed, in which order and in which columns; and the bars of their accuracy."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len

from engine.changes import RateChange
from engine.config import TrainConfig
from engine.events import EpochFinished
from engine.labels import Labels
from engine.runs import Progress, Run, Store
from tui.cells import fitted
from tui.run_columns import GAP, Wanted, cell, differing
from tui.run_list import Listing, View
from tui.snapshot import RunSnapshot
from tui.sparkline import sparkline


def listed(store: Store, name: str, *accuracies: float, note: str = "", **settings: Any) -> RunSnapshot:
    """Return a run that is called `name`, reached these accuracies and differs from the default in `settings`."""
    epochs = tuple(
        EpochFinished(
            epoch=number, train_loss=0.1, train_accuracy=0.9, test_loss=0.1, test_accuracy=accuracy,
            learning_rate=0.01, seconds=3.0, images_per_second=20_000.0,
        )
        for number, accuracy in enumerate(accuracies, start=1)
    )  # fmt: skip
    config = TrainConfig(name="an older name", **settings)
    labels = Labels(name=name, note=note)
    run = Run(store.path / f"20260101-000000-torch-{name}")
    run.path.mkdir(parents=True, exist_ok=True)
    return RunSnapshot(run, "completed", Progress(epochs=epochs), config, labels=labels)


def test_runs_without_a_figure_come_last_whichever_way_round(store: Store) -> None:
    runs = [listed(store, "a"), listed(store, "b", 0.5), listed(store, "c", 0.9, 0.8)]
    falling, rising = View(column="test acc"), View(column="test acc", is_falling=False)
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


def columns(width: int, *runs: RunSnapshot) -> list[str]:
    return [column.name for column in Wanted.by(runs).fitting(width)]


def test_settings_that_differ_have_columns_and_those_that_are_the_same_have_none(store: Store) -> None:
    one = listed(store, "a", 0.9, learning_rate=0.01, model="cnn", seed=3)
    other = listed(store, "b", 0.9, learning_rate=0.003, model="cnn-bn", seed=3)
    assert [column.name for column in differing((one, other))] == ["model", "learning_rate"]
    assert [column.text(other, False) for column in differing((one, other))] == ["cnn-bn", "0.003"]
    assert differing((one, one)) == ()
    found = columns(200, one, other)
    assert {"model", "learning_rate"} <= set(found)
    assert not {"seed", "batch_size", "backend"} & set(found)


def test_the_columns_follow_the_filter(store: Store) -> None:
    runs = [listed(store, name, seed=seed) for name, seed in (("one a", 1), ("one b", 1), ("two", 2))]
    everything, few = (Listing.of(runs, View(words)) for words in ("", "one"))
    assert [column.name for column in everything.wanted.settings] == ["seed"]
    assert few.wanted.settings == ()
    assert len(few.runs) == 2


def test_runs_are_sorted_by_a_setting_and_those_without_it_come_last(store: Store) -> None:
    runs = [listed(store, name, learning_rate=rate) for name, rate in (("a", 0.01), ("b", 0.003), ("c", 1.0))]
    broken = RunSnapshot(Run(store.path / "broken"), "crashed", Progress(), problem="No settings.")
    view = View().sorted_by("learning_rate")
    assert [run.name for run in view.arrange([broken, *runs])] == ["b", "a", "c", ""]
    assert view.order == "rate, lowest first"
    assert [run.name for run in View().sorted_by("model").arrange(runs)] == ["a", "b", "c"]


def test_on_a_narrow_screen_name_status_and_accuracy_come_before_what_differs(store: Store) -> None:
    runs = [listed(store, f"run {seed}", 0.9, seed=seed, batch_size=32 * seed, note="slow") for seed in (1, 2)]
    assert columns(36, *runs)[:2] == ["status", "run"]
    assert columns(110, *runs)[:5] == ["status", "run", "name", "batch_size", "seed"]
    assert columns(110, *runs)[-4:] == ["epochs", "accuracy", "test acc", "time"]
    assert columns(230, *runs)[-3:] == ["created", "note", "id"]


def test_every_line_fits_and_its_figures_are_apart(store: Store) -> None:
    draw = random.Random(33)
    for _ in range(60):
        runs = [
            listed(
                store, draw.choice(["", "a", "漢字", "a very long name " * 4]),
                *[draw.random()] * draw.randint(0, 1200),
                learning_rate=draw.choice([0.1, 1e-9, 1e12]), batch_size=draw.choice([1, 60_000]),
                seed=draw.randrange(2**31), model=draw.choice(["cnn", "cnn-bn"]), note=draw.choice(["", "note " * 20]),
            )
            for _ in range(5)
        ]  # fmt: skip
        width = draw.randint(60, 240)
        fitting = Wanted.by(runs).fitting(width)
        assert sum(column.width + GAP for column in fitting) - GAP <= max(width, 60)
        for run in runs:
            for column in fitting:
                text = cell(column, run, False)
                assert cell_len(text) == column.width
                if column.is_figure:
                    assert "…" not in text, "no figure is cut"


def test_all_curves_have_one_scale_that_stands_above_them(store: Store) -> None:
    good, better = listed(store, "good", 0.9, 0.95), listed(store, "better", 0.97, 0.99)
    failed = listed(store, "failed", 0.1, 0.1)
    (curve,) = (column for column in Wanted.by((good, better, failed)).fitting(120) if column.name == "accuracy")
    assert curve.title == "10-99.0 %"
    texts = [curve.text(run, False) for run in (failed, good, better)]
    assert texts[0] == "▁▁"
    assert texts[2][-1] == "█"
    assert texts[0] < texts[1] < texts[2]
    assert texts[1] != listed_alone(good)


def listed_alone(run: RunSnapshot) -> str:
    """Return the curve of a run that is listed alone."""
    (curve,) = (column for column in Wanted.by((run,)).fitting(120) if column.name == "accuracy")
    return curve.text(run, False)


def test_a_changed_learning_rate_is_a_difference(store: Store) -> None:
    same = listed(store, "same", 0.9)
    changed = replace(
        listed(store, "changed", 0.9),
        progress=Progress(changes=(RateChange(epoch=3, step=1, before=0.01, after=0.003),)),
    )
    (rate,) = differing((same, changed))
    assert [rate.text(run, False) for run in (same, changed)] == ["0.01", "0.01 → 0.003"]


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
