"""The steps of a run: a few hundred of them however long the log is, and the losses between them."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest

from engine import events
from engine.events import EpochFinished, Step
from engine.step_history import MOST_STEPS, READ_WHOLE, Interval, StepHistory, intervals, position, smoothed

STEPS = 900


def step(epoch: int, number: int, loss: float = 0.5, accuracy: float = 0.9, steps: int = STEPS) -> Step:
    return Step(
        epoch=epoch, step=number, steps=steps, loss=loss, accuracy=accuracy, learning_rate=0.01,
        images_per_second=1e4,
    )  # fmt: skip


def finished(epoch: int, loss: float, accuracy: float = 0.9) -> EpochFinished:
    return EpochFinished(
        epoch=epoch, train_loss=loss, train_accuracy=accuracy, test_loss=loss, test_accuracy=accuracy,
        learning_rate=0.01, seconds=1.0, images_per_second=1e4,
    )  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def write(log: Path, *told: events.AnyEvent) -> None:
    with log.open("ab") as file:
        file.write(b"".join(map(events.encode, told)))


def test_a_run_without_a_log_has_no_steps(log: Path) -> None:
    history = StepHistory(log)
    assert not history.update()
    assert history.steps == ()


def test_of_a_short_run_every_step_is_kept_also_those_that_come_later(log: Path) -> None:
    write(log, step(1, 300), step(1, 600), finished(1, 0.5), step(2, 300))
    history = StepHistory(log)
    assert history.update()
    assert [position(one) for one in history.steps] == pytest.approx([1 / 3, 2 / 3, 4 / 3])
    assert not history.update()
    write(log, step(2, 600))
    assert history.update()
    assert history.steps[-1].step == 600


def test_of_a_long_run_some_hundred_steps_are_kept_evenly_spread_and_with_the_last(log: Path) -> None:
    history = StepHistory(log)
    for epoch in range(1, 41):
        write(log, *(step(epoch, number) for number in range(1, STEPS + 1, 9)))
        history.update()
    places = [position(one) for one in history.steps]
    gaps = [after - before for before, after in pairwise(places[:-1])]
    assert MOST_STEPS / 3 < len(places) <= MOST_STEPS
    assert max(gaps) < 2.1 * min(gaps)
    assert (history.steps[-1].epoch, history.steps[-1].step) == (40, 892)


def test_of_a_log_of_a_hundred_megabytes_two_are_read(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = events.encode(step(1, 1)).replace(b'"epoch":1,"step":1,', b'"epoch":%4d,"step":%4d,')
    with log.open("wb") as file:
        for epoch in range(1, 601):
            file.write(b"".join(line % (epoch, number) for number in range(1, STEPS + 1)))
    read = 0
    decode = events.decode

    def counted(text: bytes) -> events.AnyEvent | None:
        nonlocal read
        read += len(text)
        return decode(text)

    monkeypatch.setattr(events, "decode", counted)
    history = StepHistory(log)
    history.update()
    assert log.stat().st_size > 80e6
    assert read < READ_WHOLE
    assert MOST_STEPS / 3 < len(history.steps) <= MOST_STEPS
    assert (history.steps[-1].epoch, history.steps[-1].step) == (600, STEPS)
    assert history.steps[0].epoch <= 2
    write(log, step(601, 9))
    history.update()
    assert history.steps[-1].epoch == 601


def test_steps_that_are_trained_again_after_a_resume_replace_those_before(log: Path) -> None:
    write(log, step(1, 450), step(2, 450), step(3, 450, loss=9.0))
    history = StepHistory(log)
    history.update()
    write(log, step(2, 600), step(3, 450, loss=0.1))
    history.update()
    assert [(one.epoch, one.step, one.loss) for one in history.steps] == [
        (1, 450, 0.5), (2, 450, 0.5), (2, 600, 0.5), (3, 450, 0.1),
    ]  # fmt: skip


def test_the_loss_between_two_steps_is_told_apart_from_the_running_means() -> None:
    """The loss is 2 over the first third of each epoch and 1 over the rest, of which the log has running means."""
    log = [step(1, 300, 2.0), step(1, 600, 1.5), step(2, 300, 2.0), step(2, 600, 1.5)]
    found = intervals(log, [finished(1, 4 / 3)])
    assert [one.loss for one in found] == pytest.approx([2, 1, 1, 2, 1])
    assert [one.end for one in found] == pytest.approx([1 / 3, 2 / 3, 1, 4 / 3, 5 / 3])
    assert [one.start for one in found][1:] == pytest.approx([one.end for one in found][:-1])


def test_an_epoch_without_steps_is_one_interval() -> None:
    assert intervals([], [finished(1, 0.4, 0.8), finished(2, 0.2, 0.9)]) == [
        Interval(0, 1, 0.4, 0.8), Interval(1, 2, 0.2, 0.9),
    ]  # fmt: skip


def test_the_average_of_a_constant_is_that_constant_from_its_first_value_on() -> None:
    assert smoothed([0.3] * 5, [0.1, 0.2, 0.1, 0.4, 0.1], span=0.3) == pytest.approx([0.3] * 5)


def test_the_average_does_not_depend_on_how_a_stretch_is_divided() -> None:
    whole = smoothed([1.0, 0.0], [0.4, 0.2], span=0.2)[-1]
    parts = smoothed([1.0, 1.0, 1.0, 0.0, 0.0], [0.1, 0.2, 0.1, 0.1, 0.1], span=0.2)[-1]
    assert whole == pytest.approx(parts)


def test_a_loss_that_is_not_finite_leaves_a_gap_and_spoils_nothing_behind_it() -> None:
    averages = smoothed([1.0, math.nan, 3.0], [0.1] * 3, span=0.2)
    assert averages[0] == 1
    assert math.isnan(averages[1])
    assert averages[2] == 3
