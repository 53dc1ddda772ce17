"""Going on with a run: from an older checkpoint, after a kill between two files, and to more epochs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import commands, events, trainer
from engine.checkpoint import BEST, LAST, PREVIOUS
from engine.config import Schedule, TrainConfig
from engine.control import Control
from engine.errors import ConfigError, RunError
from engine.eventlog import EventWriter
from engine.events import AnyEvent, CheckpointSaved, EpochFinished, ExtensionSchedule, RunExtended, Step
from engine.launcher import extended, relaunch
from engine.locks import FileLock
from engine.runs import Run, Store
from engine.trainer import train
from tests.engine.test_trainer import BACKEND, assert_same_weights, new_run, only, saved


@pytest.fixture
def config(sketches_folder: Path) -> TrainConfig:
    """Four epochs of eight steps, each better than the one before."""
    return TrainConfig.create(
        model="cnn",
        optimizer="momentum",
        learning_rate=0.01,
        batch_size=16,
        epochs=4,
        conventions="keras",
        data=str(sketches_folder),
    )


@pytest.fixture
def every_step_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "SECONDS_BETWEEN_STEP_EVENTS", 0.0)


def logged(run: Run, events_of: Iterator[AnyEvent]) -> list[AnyEvent]:
    """Write the events to the run's log, as its worker does, and return them."""
    log, told = EventWriter(run.events_path), []
    for event in events_of:
        log.append(event)
        told.append(event)
    log.close()
    return told


def trained(run: Run, until: int | None = None, control: Control | None = None) -> list[AnyEvent]:
    """Train a run to its end, or until the checkpoint of an epoch was told and no further."""

    def training() -> Iterator[AnyEvent]:
        for event in train(run.config, run, control, BACKEND):
            yield event
            if isinstance(event, CheckpointSaved) and event.epoch == until:
                return

    return logged(run, training())


def extend(run: Run, epochs: int, schedule: ExtensionSchedule = "hold") -> None:
    """Give the run more epochs, as a relaunch does."""
    event = extended(run, epochs, schedule)
    assert event
    logged(run, iter([event]))


class TestAnOlderCheckpoint:
    @pytest.fixture
    def run(self, config: TrainConfig, store: Store, tmp_path: Path) -> Run:
        """Four epochs are done, and the last checkpoint is that of the second again, as from a backup."""
        run = new_run(store, config)
        trained(run, until=2)
        shutil.copy(run.path / LAST, tmp_path / LAST)
        trained(run)
        shutil.copy(tmp_path / LAST, run.path / LAST)
        return run

    def test_what_was_saved_later_is_no_longer_shown(self, run: Run) -> None:
        assert run.predicted_epochs() == [1, 2, 3, 4]
        trained(run, until=3)
        assert run.predicted_epochs() == [1, 2, 3]

    def test_a_file_that_the_log_does_not_vouch_for_is_not_shown_either(self, run: Run) -> None:
        shutil.copy(run.predictions_path / "epoch-0004.npz", run.predictions_path / "epoch-0005.npz")
        assert run.predicted_epochs() == [1, 2, 3, 4]

    def test_it_is_moved_aside_and_the_run_says_where(self, run: Run) -> None:
        before = {path.name: path.read_bytes() for path in run.predictions_path.iterdir()}
        told = trained(run, until=3)
        aside = run.path / "superseded" / "1"
        for name in ("epoch-0003.npz", "epoch-0004.npz"):
            assert (aside / "predictions" / name).read_bytes() == before[name]
        assert not (run.predictions_path / "epoch-0004.npz").exists()
        (warning,) = only(events.Warned, told)
        assert str(aside) in warning.message

    def test_checkpoints_that_are_later_are_moved_too_and_earlier_ones_stay(
        self, run: Run, config: TrainConfig
    ) -> None:
        assert saved(run, config, PREVIOUS)[1].epoch == 3
        best = saved(run, config, BEST)[1].epoch
        assert best > 2
        trained(run, until=3)
        aside = run.path / "superseded" / "1"
        assert (aside / PREVIOUS).exists()
        assert (aside / BEST).exists()
        assert (aside / "best.json").exists()
        assert saved(run, config, PREVIOUS)[1].epoch == 2, "kept before the new last one was written"

    def test_the_best_is_then_the_best_of_the_epochs_that_count(self, run: Run, config: TrainConfig) -> None:
        (started,) = only(events.RunStarted, trained(run, until=3))
        assert started.resumed_from == 2
        progress = run.progress()
        assert progress.best is not None
        assert saved(run, config, BEST)[1].epoch == progress.best.epoch

    def test_what_a_crash_left_is_moved_by_the_next_resume(self, run: Run) -> None:
        aside = run.path / "superseded" / "1" / "predictions"
        aside.mkdir(parents=True)
        (run.predictions_path / "epoch-0003.npz").rename(aside / "epoch-0003.npz")
        trained(run)
        assert (run.path / "superseded" / "2" / "predictions" / "epoch-0004.npz").exists()
        assert (aside / "epoch-0003.npz").exists()
        assert run.predicted_epochs() == [1, 2, 3, 4]

    def test_a_resume_from_the_last_checkpoint_moves_nothing(self, config: TrainConfig, store: Store) -> None:
        run = new_run(store, config)
        trained(run, until=2)
        told = trained(run)
        assert not only(events.Warned, told)
        assert not (run.path / "superseded").exists()

    def test_without_any_checkpoint_all_of_it_is_moved(self, run: Run) -> None:
        for path in run.path.glob("*.safetensors"):
            path.unlink()
        trained(run, until=1)
        assert run.predicted_epochs() == [1]
        assert len(list((run.path / "superseded").rglob("*.npz"))) == 4


class TestTheBestCheckpoint:
    def test_a_kill_between_writing_the_last_and_the_best_is_repaired(self, config: TrainConfig, store: Store) -> None:
        """The files are those of a worker that was killed at that point: `last` is the best epoch's, `best` is not."""
        run, uninterrupted = new_run(store, config), new_run(store, config)
        trained(uninterrupted)
        trained(run, until=1)
        before = (run.path / BEST).read_bytes()
        trained(run, until=2)
        assert saved(run, config)[1].best_epoch == 2
        (run.path / BEST).unlink()
        (run.path / BEST).write_bytes(before)
        trained(run)
        best = uninterrupted.progress().best
        assert best is not None
        assert saved(run, config, BEST)[1].epoch == saved(uninterrupted, config, BEST)[1].epoch == best.epoch

    def test_also_where_no_later_epoch_is_better(self, config: TrainConfig, store: Store) -> None:
        run = new_run(store, config.replace(epochs=1))
        trained(run)
        (run.path / BEST).unlink()
        trained(run)
        assert (run.path / BEST).read_bytes() == (run.path / LAST).read_bytes()
        assert (run.path / "best.json").read_bytes() == (run.path / "last.json").read_bytes()

    def test_a_best_one_that_is_right_is_left_alone(self, config: TrainConfig, store: Store) -> None:
        run = new_run(store, config)
        trained(run)
        before = (run.path / BEST).stat().st_ino
        trained(run)
        assert (run.path / BEST).stat().st_ino == before


class TestExtending:
    @pytest.fixture
    def run(self, config: TrainConfig, store: Store) -> Run:
        run = new_run(store, config)
        trained(run)
        return run

    @pytest.mark.parametrize("epochs", [1, 3, 4])
    def test_epochs_that_are_done_are_refused_before_anything_is_written(self, run: Run, epochs: int) -> None:
        before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
        with pytest.raises(RunError, match=f"has trained 4 epochs, so {epochs} in all leaves nothing") as caught:
            relaunch(run, epochs=epochs)
        assert "more than 4 epochs" in caught.value.hint
        after = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
        after.pop(run.commands_path, None)
        assert after == before
        assert not FileLock(run.lock_path).path.exists() or FileLock(run.lock_path).acquire()

    def test_a_number_that_no_run_can_have_is_refused(self, run: Run) -> None:
        with pytest.raises(ConfigError, match="Epochs must be"):
            relaunch(run, epochs=0)

    def test_the_settings_stay_and_the_log_says_how_many_epochs_there_are(self, run: Run, config: TrainConfig) -> None:
        extend(run, 6)
        told = trained(run)
        assert run.config == config
        assert only(events.RunStarted, told)[0].epochs == 6
        progress = run.progress()
        assert [epoch.epoch for epoch in progress.epochs] == [1, 2, 3, 4, 5, 6]
        assert progress.planned_epochs == 6
        assert progress.is_extended

    def test_with_a_constant_rate_it_is_as_if_it_had_had_so_many_from_the_beginning(
        self, run: Run, config: TrainConfig, store: Store
    ) -> None:
        at_once = new_run(store, config.replace(epochs=6))
        trained(at_once)
        extend(run, 6)
        trained(run)
        assert_same_weights(run, at_once, config)

    def test_fewer_than_planned_end_it_earlier(self, config: TrainConfig, store: Store) -> None:
        run = new_run(store, config)
        trained(run, until=2)
        extend(run, 3)
        trained(run)
        progress = run.progress()
        assert [epoch.epoch for epoch in progress.epochs] == [1, 2, 3]
        assert progress.finished
        assert progress.finished.outcome == "completed"


@pytest.mark.parametrize("schedule", ["cosine", "onecycle"])
@pytest.mark.parametrize("choice", ["hold", "restart"])
class TestExtendingASchedule:
    def test_the_rates_are_those_of_the_choice(
        self, config: TrainConfig, store: Store, schedule: Schedule, choice: ExtensionSchedule, every_step_told: None
    ) -> None:
        run = new_run(store, config.replace(schedule=schedule))
        first = [step.learning_rate for step in only(Step, trained(run))]
        extend(run, 8, choice)
        second = [step.learning_rate for step in only(Step, trained(run))]
        assert second == (first if choice == "restart" else first[-1:] * len(first))

    def test_it_comes_to_the_same_bit_for_bit_after_a_kill_and_after_a_stop(
        self, config: TrainConfig, store: Store, schedule: Schedule, choice: ExtensionSchedule, every_step_told: None
    ) -> None:
        config = config.replace(schedule=schedule)
        whole, killed = new_run(store, config), new_run(store, config)
        for run in (whole, killed):
            trained(run)
            extend(run, 6, choice)
        trained(whole)
        trained(killed, until=5)
        control = Control()
        for event in train(killed.config, killed, control, BACKEND):
            if isinstance(event, Step) and (event.epoch, event.step) == (6, 3):
                control.put(commands.Stop())
        trained(killed)
        assert_same_weights(killed, whole, config)

    def test_an_extension_in_the_middle_goes_on_with_the_schedule_to_its_planned_end(
        self, config: TrainConfig, store: Store, schedule: Schedule, choice: ExtensionSchedule
    ) -> None:
        """A run that was stopped after two of four epochs: the third and fourth are trained as they would have been."""
        config = config.replace(schedule=schedule)
        whole, stopped = new_run(store, config), new_run(store, config)
        trained(whole)
        trained(stopped, until=2)
        extend(stopped, 6, choice)
        trained(stopped, until=4)
        assert_same_weights(stopped, whole, config)
        assert [epoch.test_loss for epoch in only(EpochFinished, list(stopped.events()))] == [
            epoch.test_loss for epoch in whole.progress().epochs
        ]


def test_an_event_says_all_that_was_chosen(store: Store, config: TrainConfig) -> None:
    run = new_run(store, config)
    trained(run)
    event = extended(run, 9, "restart")
    assert event == RunExtended(epochs_before=4, epochs=9, schedule="restart", time=event.time if event else 0)
    assert extended(new_run(store, config), 4) is None
