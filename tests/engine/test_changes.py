"""What was changed in a run on its way, from its events alone; also from logs of earlier versions."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from engine import events
from engine.changes import BackendChange, Extension, RateChange
from engine.events import AnyEvent, CheckpointSaved, CommandApplied, PredictionsSaved, RunExtended, RunStarted
from engine.runs import Progress
from tests.engine.test_runs import STARTED, epoch

BEGUN = replace(STARTED, learning_rate=0.01)


def resumed(from_epoch: int, step: int = 0, **fields: Any) -> RunStarted:
    return replace(BEGUN, **{"resumed_from": from_epoch, "resumed_step": step} | fields)


def rate(value: float, at_epoch: int, step: int = 1, before: float | None = 0.01) -> CommandApplied:
    return CommandApplied(
        command="set_learning_rate", epoch=at_epoch, step=step, learning_rate=value, learning_rate_before=before
    )


def changes_of(*log: AnyEvent) -> tuple[Any, ...]:
    return Progress.of(log).changes


class TestTheLearningRate:
    def test_a_change_says_from_when_on_and_what_it_was_before(self) -> None:
        assert changes_of(BEGUN, epoch(1), epoch(2), rate(0.003, 3, 5)) == (
            RateChange(epoch=3, step=5, before=0.01, after=0.003),
        )

    def test_two_at_the_same_step_are_one_and_none_where_nothing_changes(self) -> None:
        assert changes_of(BEGUN, rate(0.1, 1, 4), rate(0.2, 1, 4, before=0.1)) == (
            RateChange(epoch=1, step=4, before=0.01, after=0.2),
        )
        assert changes_of(BEGUN, rate(0.1, 1, 4), rate(0.01, 1, 4, before=0.1)) == ()
        assert changes_of(BEGUN, rate(0.01, 2)) == ()

    def test_a_resume_after_it_keeps_it(self) -> None:
        log = [BEGUN, epoch(1), rate(0.003, 2, 5), resumed(1, 4, learning_rate=0.003)]
        assert changes_of(*log) == (RateChange(epoch=2, step=5, before=0.01, after=0.003),)

    def test_a_resume_from_an_older_checkpoint_undoes_it(self) -> None:
        log = [BEGUN, epoch(1), epoch(2), rate(0.003, 3, 5), epoch(3)]
        assert changes_of(*log, resumed(2, 0, learning_rate=0.01)) == ()
        assert changes_of(*log, resumed(1, 0, learning_rate=0.01)) == ()
        assert changes_of(*log, BEGUN) == ()

    def test_of_two_checkpoints_at_the_step_of_the_change_the_rate_tells_which_it_was(self) -> None:
        """The end of epoch 2 has a checkpoint, and the change before the first step of epoch 3 another one."""
        log = [BEGUN, epoch(1), epoch(2), rate(0.003, 3, 1)]
        assert changes_of(*log, resumed(2, 0, learning_rate=0.01)) == ()
        assert len(changes_of(*log, resumed(2, 0, learning_rate=0.003))) == 1

    def test_logs_of_earlier_versions_say_what_they_can(self) -> None:
        """They know neither the rate before the first change nor the step that a resume begins at."""
        log = [STARTED, epoch(1), rate(0.003, 2, 5, before=None), epoch(2), rate(0.001, 3, 1, before=None)]
        first = RateChange(epoch=2, step=5, before=None, after=0.003)
        assert changes_of(*log) == (first, RateChange(epoch=3, step=1, before=0.003, after=0.001))
        assert changes_of(*log, replace(STARTED, resumed_from=1)) == (first,)


class TestTheBackend:
    def test_another_one_on_resume_is_a_change(self) -> None:
        log = [BEGUN, epoch(1), resumed(1, backend="tensorflow"), epoch(2)]
        change = BackendChange(epoch=2, step=1, before="torch", after="tensorflow")
        assert changes_of(*log) == (change,)
        assert changes_of(*log, resumed(2, backend="tensorflow")) == (change,)
        back = BackendChange(epoch=3, step=1, before="tensorflow", after="torch")
        assert changes_of(*log, resumed(2)) == (change, back)

    def test_what_it_trained_is_undone_by_a_resume_from_before_it(self) -> None:
        log = [BEGUN, epoch(1), resumed(1, 3, backend="tensorflow"), epoch(2)]
        assert changes_of(*log, resumed(1, 3)) == ()

    def test_before_anything_was_trained_it_is_none(self) -> None:
        assert changes_of(BEGUN, replace(BEGUN, backend="tensorflow")) == ()


class TestTheEpochs:
    def test_an_extension_says_what_the_learning_rate_does_then(self) -> None:
        log = [BEGUN, epoch(1), epoch(2), epoch(3), RunExtended(epochs_before=3, epochs=6, schedule="restart")]
        assert changes_of(*log) == (Extension(epoch=3, before=3, after=6, schedule="restart"),)
        assert Progress.of(log).planned_epochs == 6
        assert Progress.of(log).is_extended
        assert Progress.of([*log, resumed(3, epochs=6)]).changes == Progress.of(log).changes

    def test_it_stays_after_a_resume_from_before_it(self) -> None:
        log = [BEGUN, epoch(1), RunExtended(epochs_before=3, epochs=6, schedule="hold"), resumed(0, epochs=6)]
        assert changes_of(*log) == (Extension(epoch=1, before=3, after=6, schedule="hold"),)

    def test_fewer_epochs_are_a_change_but_no_extension(self) -> None:
        log = [BEGUN, epoch(1), RunExtended(epochs_before=3, epochs=2, schedule="hold")]
        assert len(changes_of(*log)) == 1
        assert not Progress.of(log).is_extended

    def test_logs_of_earlier_versions_show_it_in_the_next_start(self) -> None:
        log = [STARTED, epoch(1), replace(STARTED, resumed_from=1, epochs=6)]
        assert changes_of(*log) == (Extension(epoch=1, before=3, after=6, schedule=None),)


@pytest.mark.parametrize("resumed_from", [1, 2])
def test_mistakes_and_checkpoint_of_later_epochs_do_not_count_after_a_resume(resumed_from: int) -> None:
    saved = [
        event
        for n in (1, 2, 3)
        for event in (
            epoch(n),
            PredictionsSaved(epoch=n, path="", mistakes=100 - n),
            CheckpointSaved(epoch=n, path="", best=True),
        )
    ]
    assert [number for number, _ in Progress.of([BEGUN, *saved]).mistakes] == [1, 2, 3]
    progress = Progress.of([BEGUN, *saved, resumed(resumed_from)])
    assert [number for number, _ in progress.mistakes] == list(range(1, resumed_from + 1))
    assert progress.checkpoint is not None
    assert progress.checkpoint.epoch == resumed_from
    again: events.AnyEvent = epoch(resumed_from + 1)
    assert len(Progress.of([BEGUN, *saved, resumed(resumed_from), again]).mistakes) == resumed_from
