"""The training loop: what it tells, what it keeps, and how it stops, fails and goes on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import checkpoint, commands, events, trainer
from engine.backends.base import StepResults
from engine.checkpoint import BEST, LAST, PREVIOUS, Metadata
from engine.config import TrainConfig
from engine.control import Control
from engine.data import Dataset
from engine.evaluation import load_predictions, score
from engine.events import AnyEvent, EpochFinished, Preparing, RunFinished, RunStarted, Step
from engine.models import ARCHITECTURES
from engine.runs import Run, Store
from engine.split import image_order
from engine.trainer import train
from tests.reference import ReferenceBackend, ReferenceLearner

# In float32, as the frameworks are: a checkpoint then keeps every bit.
BACKEND = ReferenceBackend(dtype=np.float32)
STEPS = 8  # 120 training images in batches of 16, the last one of 8

State = dict[str, np.ndarray]


@pytest.fixture
def config(sketches_folder: Path) -> TrainConfig:
    """Four epochs that learn to tell the sketches apart: the third and the fourth get all of them right."""
    return TrainConfig.create(
        model="cnn",
        optimizer="momentum",
        learning_rate=0.05,
        batch_size=16,
        epochs=4,
        conventions="keras",
        data=str(sketches_folder),
    )


@pytest.fixture
def run(store: Store, config: TrainConfig) -> Run:
    """A new run, not trained yet."""
    return new_run(store, config)


@pytest.fixture
def every_step_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event after each single step, instead of at most ten a second."""
    monkeypatch.setattr(trainer, "SECONDS_BETWEEN_STEP_EVENTS", 0.0)


def new_run(store: Store, config: TrainConfig) -> Run:
    run, lock = store.create(config)
    lock.release()
    return run


def trained(config: TrainConfig, run: Run | None = None, backend: ReferenceBackend = BACKEND) -> list[AnyEvent]:
    return list(train(config, run, backend=backend))


def interrupted(
    config: TrainConfig, run: Run | None, *asked: commands.AnyCommand, epoch: int, step: int
) -> list[AnyEvent]:
    """Train, asking for something right after this step; needs `every_step_told`."""
    control = Control()
    told = []
    for event in train(config, run, control, BACKEND):
        told.append(event)
        if isinstance(event, Step) and (event.epoch, event.step) == (epoch, step):
            for command in asked:
                control.put(command)
    return told


def killed_after(config: TrainConfig, run: Run, epoch: int) -> None:
    """Train until this epoch is saved, and no further."""
    for event in train(config, run, backend=BACKEND):
        if isinstance(event, events.CheckpointSaved) and event.epoch == epoch:
            return


def only(kind: type, told: list[AnyEvent]) -> list[Any]:
    return [event for event in told if isinstance(event, kind)]


def kinds(told: list[AnyEvent]) -> list[str]:
    """The names of the events from the beginning of training on, without steps: their number depends on the machine."""
    return [type(event).__name__ for event in told if not isinstance(event, Step | Preparing)]


def stages(told: list[AnyEvent]) -> list[str]:
    """What was told before the first step, in order."""
    return [one.stage if isinstance(one, Preparing) else type(one).__name__ for one in told][:4]


def figures(told: list[AnyEvent]) -> list[tuple[Any, ...]]:
    """What epochs achieved, without what depends on the machine's speed."""
    return [
        (epoch.epoch, epoch.train_loss, epoch.train_accuracy, epoch.test_loss, epoch.test_accuracy)
        for epoch in only(EpochFinished, told)
    ]


def saved(run: Run, config: TrainConfig, name: str = LAST) -> tuple[State, Metadata]:
    return checkpoint.load(run.path / name, ARCHITECTURES[config.model], config.optimizer)


def assert_same_weights(run: Run, other: Run, config: TrainConfig) -> None:
    state, expected = (saved(one, config)[0] for one in (run, other))
    for name, values in expected.items():
        assert state[name].tobytes() == values.tobytes(), name


def learner_of(config: TrainConfig, dataset: Dataset) -> ReferenceLearner:
    return BACKEND.learner(config, dataset.train_images, dataset.train_labels)


def epoch_by_hand(
    learner: ReferenceLearner, config: TrainConfig, epoch: int, count: int = 120
) -> tuple[list[float], int]:
    """Train an epoch step by step; return the loss of every image's batch, and how many images were right."""
    order = image_order(config, epoch, count)
    losses, correct = [], 0
    for start in range(0, count, config.batch_size):
        batch = order[start : start + config.batch_size]
        results = learner.train_steps(batch[np.newaxis], np.array([config.learning_rate]))
        losses += [float(results.loss[0])] * len(batch)
        correct += int(results.correct[0])
    return losses, correct


class TestWhatItTells:
    def test_a_run_starts_tells_its_epochs_and_finishes(self, config: TrainConfig) -> None:
        assert kinds(trained(config)) == ["RunStarted", *["EpochFinished"] * 4, "RunFinished"]

    def test_what_is_prepared_is_told_before_it_is_done(self, config: TrainConfig) -> None:
        assert stages(trained(config)) == ["images", "network", "RunStarted", "first_step"]

    def test_a_run_on_disk_tells_what_it_saves_after_every_epoch(self, config: TrainConfig, run: Run) -> None:
        saves = ["EpochFinished", "PredictionsSaved", "CheckpointSaved"]
        assert kinds(trained(config, run)) == ["RunStarted", *saves * 4, "RunFinished"]

    def test_the_start_describes_the_run(self, config: TrainConfig, run: Run) -> None:
        (started,) = only(RunStarted, trained(config, run))
        assert (started.run, started.backend, started.device, started.device_name) == (run.id, "torch", "cpu", "NumPy")
        assert (started.model, started.parameters, started.epochs) == ("cnn", 1198, 4)
        assert (started.dataset.train_examples, started.dataset.test_examples) == (120, 50)
        assert started.resumed_from is None

    def test_the_end_sums_the_run_up(self, config: TrainConfig) -> None:
        told = trained(config)
        accuracies = [epoch.test_accuracy for epoch in only(EpochFinished, told)]
        finished = told[-1]
        assert isinstance(finished, RunFinished)
        assert (finished.outcome, finished.epochs, finished.error) == ("completed", 4, None)
        assert finished.test_accuracy == accuracies[-1]
        assert finished.best_epoch == accuracies.index(max(accuracies)) + 1
        assert finished.tested == 50

    def test_steps_tell_running_means(self, config: TrainConfig, sketches: Dataset, every_step_told: None) -> None:
        told = only(Step, trained(config.replace(epochs=1)))
        losses, correct = epoch_by_hand(learner_of(config, sketches), config, 1)
        assert [(step.epoch, step.step, step.steps) for step in told] == [(1, n, STEPS) for n in range(1, STEPS + 1)]
        assert told[2].loss == pytest.approx(np.mean(losses[:48]))
        assert told[-1].loss == pytest.approx(np.mean(losses))
        assert told[-1].accuracy == correct / 120
        assert all(step.learning_rate == 0.05 and step.images_per_second > 0 for step in told)

    def test_steps_are_told_at_most_ten_times_a_second(self, config: TrainConfig) -> None:
        told = trained(config)
        assert len(only(Step, told)) <= 10 * (told[-1].time - told[0].time)

    def test_the_learning_rate_told_is_that_of_the_schedule(self, config: TrainConfig, every_step_told: None) -> None:
        told = trained(config.replace(schedule="cosine", epochs=2))
        rates = [step.learning_rate for step in only(Step, told)]
        assert rates == pytest.approx([0.025 * (1 + np.cos(np.pi * step / 16)) for step in range(16)])
        assert [epoch.learning_rate for epoch in only(EpochFinished, told)] == [rates[7], rates[15]]


class TestFigures:
    def test_epochs_have_the_figures_of_a_training_by_hand(self, config: TrainConfig, sketches: Dataset) -> None:
        learner = learner_of(config, sketches)
        for epoch in only(EpochFinished, trained(config)):
            losses, correct = epoch_by_hand(learner, config, epoch.epoch)
            assert epoch.train_loss == pytest.approx(np.mean(losses))
            assert epoch.train_accuracy == correct / 120
            test_loss, test_accuracy = score(learner.predict(sketches.test_images), sketches.test_labels)
            assert (epoch.test_loss, epoch.test_accuracy) == (test_loss, test_accuracy)
            assert epoch.learning_rate == 0.05
            assert epoch.images_per_second == pytest.approx(120 / epoch.seconds)

    def test_it_learns(self, config: TrainConfig) -> None:
        assert figures(trained(config))[-1][-1] == 1.0

    def test_the_same_settings_give_the_same_figures_and_another_seed_others(self, config: TrainConfig) -> None:
        first, second, other = (figures(trained(one)) for one in (config, config, config.replace(seed=1)))
        assert first == second != other

    def test_a_limit_trains_on_the_first_images_alone(self, config: TrainConfig, sketches: Dataset) -> None:
        told = trained(config.replace(limit=50, epochs=1))
        (started,), (epoch,) = only(RunStarted, told), only(EpochFinished, told)
        losses, correct = epoch_by_hand(learner_of(config, sketches), config, 1, count=50)
        assert started.dataset.train_examples == 50
        assert (epoch.train_loss, epoch.train_accuracy) == (pytest.approx(np.mean(losses)), correct / 50)

    def test_validation_images_are_the_last_ones_and_not_trained_on(
        self, config: TrainConfig, sketches: Dataset
    ) -> None:
        told = trained(config.replace(validation=40, epochs=1))
        (started,), (epoch,) = only(RunStarted, told), only(EpochFinished, told)
        learner = learner_of(config, sketches)
        losses, _ = epoch_by_hand(learner, config, 1, count=80)
        validation = score(learner.predict(sketches.train_images[80:]), sketches.train_labels[80:])
        assert started.dataset.train_examples == 80
        assert epoch.train_loss == pytest.approx(np.mean(losses))
        assert (epoch.validation_loss, epoch.validation_accuracy) == validation

    def test_the_limit_counts_what_validation_leaves(self, config: TrainConfig) -> None:
        (started,) = only(RunStarted, trained(config.replace(validation=40, limit=100, epochs=1)))
        assert started.dataset.train_examples == 80

    def test_without_validation_there_are_no_validation_figures(self, config: TrainConfig) -> None:
        epoch = only(EpochFinished, trained(config.replace(epochs=1)))[0]
        assert (epoch.validation_loss, epoch.validation_accuracy) == (None, None)

    def test_validation_decides_which_epoch_is_best(self, config: TrainConfig, run: Run) -> None:
        told = trained(config.replace(validation=40, epochs=6), run)
        validated = [epoch.validation_accuracy for epoch in only(EpochFinished, told)]
        assert only(RunFinished, told)[0].best_epoch == validated.index(max(validated)) + 1

    def test_augmented_images_are_drawn_anew_every_epoch(self, config: TrainConfig) -> None:
        """Without learning, only the images make a difference."""
        told = trained(config.replace(augmentation="shift", optimizer="sgd", learning_rate=1e-12))
        losses = [epoch.train_loss for epoch in only(EpochFinished, told)]
        assert len(set(losses)) == 4


class TestOrder:
    def test_it_is_a_permutation_that_seed_and_epoch_decide(self, config: TrainConfig) -> None:
        order = image_order(config, 1, 1000)
        assert sorted(order) == list(range(1000))
        assert order.dtype == np.int64
        for same in (config.replace(model="cnn-bn", batch_size=7, backend="tensorflow", epochs=9),):
            assert (image_order(same, 1, 1000) == order).all()
        for other, epoch in ((config, 2), (config.replace(seed=1), 1)):
            assert (image_order(other, epoch, 1000) != order).any()

    def test_it_is_the_same_on_every_machine(self, config: TrainConfig) -> None:
        """A run resumes with the order that it began with, whatever version wrote it."""
        assert image_order(config, 1, 10).tolist() == [2, 7, 0, 4, 1, 6, 8, 9, 3, 5]

    def test_without_shuffling_the_images_come_as_they_lie(self, config: TrainConfig) -> None:
        assert image_order(config.replace(shuffle=False), 5, 10).tolist() == list(range(10))


class TestWhatItKeeps:
    def test_a_run_has_its_files(self, config: TrainConfig, run: Run) -> None:
        trained(config, run)
        files = {str(path.relative_to(run.path)) for path in run.path.rglob("*") if path.is_file()}
        checkpoints = {
            f"{kind}.{suffix}" for kind in ("last", "previous", "best") for suffix in ("safetensors", "json")
        }
        predictions = {f"predictions/epoch-000{epoch}.npz" for epoch in range(1, 5)}
        assert files == {"config.json", "run.lock"} | checkpoints | predictions

    def test_predictions_are_the_test_set_s_and_their_mistakes_are_counted(
        self, config: TrainConfig, run: Run, sketches: Dataset
    ) -> None:
        told = trained(config, run)
        for epoch, predicted in zip(only(EpochFinished, told), only(events.PredictionsSaved, told), strict=True):
            probabilities = load_predictions(run.path / predicted.path)
            assert probabilities.shape == (50, 10)
            assert probabilities.sum(axis=1) == pytest.approx(np.ones(50), abs=1e-2)
            assert predicted.epoch == epoch.epoch
            assert predicted.mistakes == (probabilities.argmax(axis=1) != sketches.test_labels).sum()
            assert predicted.mistakes == round(50 * (1 - epoch.test_accuracy))

    def test_the_best_checkpoint_is_of_the_first_of_the_best_epochs(self, config: TrainConfig, run: Run) -> None:
        told = trained(config, run)
        accuracies = [epoch.test_accuracy for epoch in only(EpochFinished, told)]
        assert len(set(accuracies)) < len(accuracies), "equals are what this is about"
        records = [accuracies[n] > max([-1.0, *accuracies[:n]]) for n in range(4)]
        assert [save.best for save in only(events.CheckpointSaved, told)] == records
        best, last = saved(run, config, BEST)[1], saved(run, config)[1]
        assert best.epoch == accuracies.index(max(accuracies)) + 1
        assert (last.epoch, last.step, last.test_accuracy) == (4, 0, accuracies[-1])

    def test_the_last_checkpoint_holds_what_was_learnt(self, config: TrainConfig, run: Run, sketches: Dataset) -> None:
        told = trained(config, run)
        learner = learner_of(config, sketches)
        learner.load_state(saved(run, config)[0])
        test_loss, _ = score(learner.predict(sketches.test_images), sketches.test_labels)
        assert test_loss == only(EpochFinished, told)[-1].test_loss


@pytest.mark.usefixtures("every_step_told")
class TestCommands:
    def test_stopped_in_the_middle_of_an_epoch_it_evaluates_saves_and_ends(
        self, config: TrainConfig, run: Run, sketches: Dataset
    ) -> None:
        told = interrupted(config, run, commands.Stop(), epoch=2, step=3)
        assert kinds(told)[-3:] == ["CommandApplied", "CheckpointSaved", "RunFinished"]
        state, metadata = saved(run, config)
        learner = learner_of(config, sketches)
        learner.load_state(state)
        finished = told[-1]
        assert isinstance(finished, RunFinished)
        assert (finished.outcome, finished.epochs, finished.error) == ("stopped", 1, None)
        assert finished.test_accuracy == score(learner.predict(sketches.test_images), sketches.test_labels)[1]
        assert (metadata.epoch, metadata.step, int(state["optimizer.step"])) == (1, 3, STEPS + 3)

    def test_stopped_at_once_it_keeps_the_last_whole_epoch(self, config: TrainConfig, run: Run) -> None:
        told = interrupted(config, run, commands.Stop(now=True), epoch=2, step=3)
        assert kinds(told)[-3:] == ["CheckpointSaved", "CommandApplied", "RunFinished"]
        assert only(RunFinished, told)[0].outcome == "stopped"
        assert (saved(run, config)[1].epoch, saved(run, config)[1].step) == (1, 0)

    def test_stopped_before_the_first_step_it_has_no_accuracy(self, config: TrainConfig) -> None:
        control = Control()
        control.put(commands.Stop())
        *_, finished = train(config, control=control, backend=BACKEND)
        assert isinstance(finished, RunFinished)
        assert (finished.outcome, finished.test_accuracy, finished.tested) == ("stopped", None, None)

    def test_another_learning_rate_holds_from_the_next_step_on(self, config: TrainConfig) -> None:
        told = interrupted(config, None, commands.SetLearningRate(learning_rate=0.5), epoch=1, step=3)
        rates = [step.learning_rate for step in only(Step, told)]
        assert rates[:4] == [0.05, 0.05, 0.05, 0.5]
        assert set(rates[4:]) == {0.5}
        (applied,) = only(events.CommandApplied, told)
        assert (applied.command, applied.learning_rate) == ("set_learning_rate", 0.5)
        assert (applied.epoch, applied.step) == (1, 4)

    def test_a_schedule_keeps_its_shape_under_another_learning_rate(self, config: TrainConfig) -> None:
        config = config.replace(schedule="cosine")
        usual = [step.learning_rate for step in only(Step, trained(config))]
        double = commands.SetLearningRate(learning_rate=2 * config.learning_rate)
        told = interrupted(config, None, double, epoch=2, step=3)
        rates = [step.learning_rate for step in only(Step, told)]
        changed = [(step.epoch, step.step) for step in only(Step, told)].index((2, 4))
        assert rates[:changed] == usual[:changed]
        assert rates[changed:] == pytest.approx([2 * rate for rate in usual[changed:]])

    def test_a_pause_changes_nothing_of_what_is_learnt(self, config: TrainConfig) -> None:
        told = interrupted(config, None, commands.Pause(), commands.Resume(), epoch=2, step=3)
        assert [applied.command for applied in only(events.CommandApplied, told)] == ["pause", "resume"]
        assert figures(told) == figures(trained(config))

    def test_while_paused_the_learning_rate_can_be_changed(self, config: TrainConfig) -> None:
        asked = (commands.Pause(), commands.SetLearningRate(learning_rate=0.5), commands.Resume())
        told = interrupted(config, None, *asked, epoch=1, step=3)
        applied = [applied.command for applied in only(events.CommandApplied, told)]
        assert applied == ["pause", "set_learning_rate", "resume"]
        assert only(Step, told)[3].learning_rate == 0.5

    def test_a_paused_run_waits_until_it_is_told_to_go_on(self, config: TrainConfig) -> None:
        control = Control()
        control.put(commands.Pause())
        told = []
        for event in train(config.replace(epochs=1), control=control, backend=BACKEND):
            told.append(event)
            if isinstance(event, events.CommandApplied) and event.command == "pause":
                control.put(commands.Pause())
                control.put(commands.Resume())
        assert kinds(told) == ["RunStarted", "CommandApplied", "CommandApplied", "EpochFinished", "RunFinished"]

    def test_a_paused_run_can_be_stopped(self, config: TrainConfig, run: Run) -> None:
        told = interrupted(config, run, commands.Pause(), commands.Stop(), epoch=2, step=3)
        assert [applied.command for applied in only(events.CommandApplied, told)] == ["pause", "stop"]
        assert only(RunFinished, told)[0].outcome == "stopped"
        assert saved(run, config)[1].step == 3


class TestResuming:
    """Whatever interrupts it, a run ends with the bits of one that nothing interrupted."""

    @pytest.fixture(params=[("cnn-bn", "adam"), ("cnn", "momentum")], ids=" ".join)
    def config(self, request: pytest.FixtureRequest, config: TrainConfig) -> TrainConfig:
        model, optimizer = request.param
        return config.replace(model=model, optimizer=optimizer, schedule="onecycle", augmentation="shift")

    @pytest.fixture
    def uninterrupted(self, store: Store, config: TrainConfig) -> Run:
        run = new_run(store, config)
        trained(config, run)
        return run

    def test_from_the_middle_of_an_epoch(
        self, config: TrainConfig, run: Run, uninterrupted: Run, every_step_told: None
    ) -> None:
        before = interrupted(config, run, commands.Stop(), epoch=3, step=5)
        seconds = saved(run, config)[1].seconds
        after = trained(config, run)
        assert only(EpochFinished, after)[0].seconds > seconds > 0, "both workers' parts of the epoch"
        assert [started.resumed_from for started in only(RunStarted, after)] == [2]
        assert figures(before) + figures(after) == figures(trained(config))
        assert_same_weights(run, uninterrupted, config)

    def test_from_the_middle_of_the_first_epoch(
        self, config: TrainConfig, run: Run, uninterrupted: Run, every_step_told: None
    ) -> None:
        interrupted(config, run, commands.Stop(), epoch=1, step=1)
        assert [started.resumed_from for started in only(RunStarted, trained(config, run))] == [0]
        assert_same_weights(run, uninterrupted, config)

    def test_after_having_been_killed(self, config: TrainConfig, run: Run, uninterrupted: Run) -> None:
        killed_after(config, run, epoch=2)
        after = trained(config, run)
        assert [epoch.epoch for epoch in only(EpochFinished, after)] == [3, 4]
        assert_same_weights(run, uninterrupted, config)

    def test_again_and_again(self, config: TrainConfig, run: Run, uninterrupted: Run, every_step_told: None) -> None:
        for epoch, step in ((1, 3), (1, 4), (2, 8), (4, 7)):
            interrupted(config, run, commands.Stop(), epoch=epoch, step=step)
        trained(config, run)
        assert_same_weights(run, uninterrupted, config)

    def test_half_the_epochs_and_then_the_other_half(self, config: TrainConfig, store: Store) -> None:
        config = config.replace(schedule="constant")
        at_once, in_halves = new_run(store, config), new_run(store, config)
        trained(config, at_once)
        trained(config.replace(epochs=2), in_halves)
        trained(config, in_halves)
        assert_same_weights(in_halves, at_once, config)

    def test_with_the_learning_rate_that_was_changed_to(
        self, config: TrainConfig, run: Run, store: Store, every_step_told: None
    ) -> None:
        changed = commands.SetLearningRate(learning_rate=0.001)
        uninterrupted = new_run(store, config)
        interrupted(config, uninterrupted, changed, epoch=2, step=3)
        interrupted(config, run, changed, commands.Stop(), epoch=2, step=3)
        trained(config, run)
        assert_same_weights(run, uninterrupted, config)

    def test_with_that_learning_rate_also_after_a_kill_before_the_epoch_s_end(
        self, config: TrainConfig, run: Run, every_step_told: None
    ) -> None:
        config = config.replace(schedule="constant")
        control = Control()
        for event in train(config, run, control, BACKEND):
            if isinstance(event, Step) and (event.epoch, event.step) == (2, 3):
                control.put(commands.SetLearningRate(learning_rate=0.001))
            if isinstance(event, Step) and (event.epoch, event.step) == (2, 5):
                break
        told = trained(config, run)
        assert (only(Step, told)[0].epoch, only(Step, told)[0].step) == (2, 4)
        assert {step.learning_rate for step in only(Step, told)} == {0.001}

    def test_remembering_the_best_epoch(self, config: TrainConfig, run: Run) -> None:
        whole = only(RunFinished, trained(config))[0]
        killed_after(config, run, epoch=3)
        rest = only(RunFinished, trained(config, run))[0]
        assert (rest.epochs, rest.best_epoch, rest.test_accuracy) == (4, whole.best_epoch, whole.test_accuracy)

    def test_a_completed_run_has_nothing_left_to_do(self, config: TrainConfig, run: Run) -> None:
        first = trained(config, run)[-1]
        again = trained(config, run)
        assert kinds(again) == ["RunStarted", "RunFinished"]
        assert isinstance(first, RunFinished)
        assert isinstance(again[-1], RunFinished)
        assert (again[-1].outcome, again[-1].epochs) == ("completed", 4)
        assert (again[-1].best_epoch, again[-1].test_accuracy) == (first.best_epoch, first.test_accuracy)

    def test_a_damaged_last_checkpoint_is_replaced_by_the_one_before_with_a_warning(
        self, config: TrainConfig, run: Run, store: Store
    ) -> None:
        uninterrupted = new_run(store, config)
        trained(config, uninterrupted)
        killed_after(config, run, epoch=3)
        assert saved(run, config, PREVIOUS)[1].epoch == 2
        (run.path / BEST).unlink()
        (run.path / LAST).write_bytes((run.path / LAST).read_bytes()[:-1])
        told = trained(config, run)
        assert [started.resumed_from for started in only(RunStarted, told)] == [2]
        warning, moved = only(events.Warned, told)
        assert moved.message.startswith("What was saved of epochs after 2 is out of date")
        assert f"{LAST} cannot be read" in warning.message
        assert f"Going on from {PREVIOUS} instead." in warning.message
        assert only(RunFinished, told)[0].outcome == "completed"
        assert_same_weights(run, uninterrupted, config)

    def test_a_damaged_last_checkpoint_does_not_take_the_place_of_the_one_before(
        self, config: TrainConfig, run: Run
    ) -> None:
        killed_after(config, run, epoch=2)
        for name in (LAST, BEST):
            (run.path / name).write_bytes(b"damaged")
        killed_after(config, run, epoch=2)
        assert (saved(run, config)[1].epoch, saved(run, config, PREVIOUS)[1].epoch) == (2, 1)

    def test_without_a_whole_checkpoint_the_run_fails_and_keeps_what_there_is(
        self, config: TrainConfig, run: Run
    ) -> None:
        killed_after(config, run, epoch=3)
        for name in (LAST, PREVIOUS, BEST):
            (run.path / name).write_bytes(b"damaged")
        *_, finished = trained(config, run)
        assert isinstance(finished, RunFinished)
        assert finished.error is not None
        assert (finished.outcome, finished.error.title) == ("failed", "No checkpoint loads")
        assert (run.path / LAST).read_bytes() == b"damaged"


class Broken(ReferenceBackend):
    """A backend whose network breaks with `error` as soon as it is to learn."""

    error: Exception

    def learner(self, config: TrainConfig, images: np.ndarray, labels: np.ndarray) -> ReferenceLearner:
        error = self.error

        class BrokenLearner(ReferenceLearner):
            def train_steps(self, *_: Any) -> StepResults:
                raise error

        return BrokenLearner(config, images, labels)


def broken_by(error: Exception) -> Broken:
    backend = Broken()
    backend.error = error
    return backend


class Unsure(ReferenceBackend):
    """A backend whose losses are no numbers."""

    def learner(self, config: TrainConfig, images: np.ndarray, labels: np.ndarray) -> ReferenceLearner:
        class UnsureLearner(ReferenceLearner):
            def train_steps(self, batches: np.ndarray, *_: Any) -> StepResults:
                return StepResults(np.full(len(batches), np.nan, np.float32), np.zeros(len(batches), np.int64))

        return UnsureLearner(config, images, labels)


class Warning(ReferenceBackend):
    """A backend that has something to say of its first steps."""

    def learner(self, config: TrainConfig, images: np.ndarray, labels: np.ndarray) -> ReferenceLearner:
        class WarningLearner(ReferenceLearner):
            warning = "one kernel at a time"

            def train_steps(self, *arguments: Any) -> StepResults:
                results, self.warning = super().train_steps(*arguments)._replace(warning=self.warning), ""
                return results

        return WarningLearner(config, images, labels)


def failure(told: list[AnyEvent]) -> events.ErrorInfo:
    """Return why the run failed; it did, once, at the very end, and without an accuracy."""
    assert len(only(RunFinished, told)) == 1
    finished = told[-1]
    assert isinstance(finished, RunFinished)
    assert finished.outcome == "failed"
    assert finished.test_accuracy is None
    assert finished.error is not None
    assert finished.error.title
    assert finished.error.hint
    return finished.error


class TestFailing:
    @pytest.mark.parametrize("learning_rate", [1e9, 1e12])
    @pytest.mark.parametrize("model", ARCHITECTURES)
    def test_a_loss_out_of_bounds_ends_the_run_at_the_step_where_it_happens(
        self, config: TrainConfig, sketches: Dataset, model: str, learning_rate: float
    ) -> None:
        config = config.replace(model=model, optimizer="sgd", learning_rate=learning_rate)
        told = trained(config)
        error = failure(told)
        losses, _ = epoch_by_hand(learner_of(config, sketches), config, 1)
        by_step = losses[:: config.batch_size]
        diverged = 1 + next(step for step, loss in enumerate(by_step) if not loss < 1e6)
        assert error.title == "Training diverged"
        assert error.message.endswith(f"at epoch 1, step {diverged}.")
        assert "not finite" in error.message
        assert "smaller learning rate" in error.hint
        assert only(EpochFinished, told) == []

    def test_a_loss_that_is_no_number_is_noticed(self, config: TrainConfig) -> None:
        assert failure(trained(config, backend=Unsure())).message == "The loss is not finite at epoch 1, step 1."

    def test_what_a_backend_has_to_say_of_its_steps_is_told_once(self, config: TrainConfig) -> None:
        told = trained(config, backend=Warning())
        assert [event.message for event in only(events.Warned, told)] == ["one kernel at a time"]

    def test_a_ruined_network_never_reports_an_accuracy(self, config: TrainConfig, run: Run) -> None:
        """The training losses look fine, but the last step ruins what is evaluated."""
        config = config.replace(batch_size=120, optimizer="sgd", learning_rate=1e12)
        told = trained(config, run)
        assert "on the test set after epoch 1" in failure(told).message
        assert only(EpochFinished, told) == []
        assert not (run.path / LAST).exists()

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"batch_size": 121}, "at most the 120 training images"),
            ({"batch_size": 81, "validation": 40}, "at most the 80 training images"),
            ({"validation": 120}, "must leave some of the 120"),
            ({"model": "cnn-strided", "batch_size": 17}, "a last one of a single image"),
        ],
    )
    def test_settings_that_the_data_do_not_allow_are_named(
        self, config: TrainConfig, changes: dict[str, int], words: str
    ) -> None:
        told = trained(config.replace(**changes))
        assert words in only(RunFinished, told)[0].error.message
        assert kinds(told) == ["RunFinished"]

    def test_data_that_are_not_there_are_named(self, config: TrainConfig, tmp_path: Path) -> None:
        assert str(tmp_path / "nowhere") in failure(trained(config.replace(data=str(tmp_path / "nowhere")))).message

    def test_a_device_that_is_not_there_is_named(self, config: TrainConfig) -> None:
        assert (
            failure(trained(config.replace(device="cuda:7"))).message
            == "NumPy sees no device cuda:7 here; it sees: cpu."
        )

    def test_too_little_memory_is_said_in_words(self, config: TrainConfig) -> None:
        error = failure(trained(config, backend=broken_by(MemoryError())))
        assert error.title == "Out of memory"
        assert "smaller batch" in error.hint

    def test_what_nobody_foresaw_is_told_and_leaves_its_trace(
        self, config: TrainConfig, capfd: pytest.CaptureFixture[str]
    ) -> None:
        error = failure(trained(config, backend=broken_by(RuntimeError("cuDNN is cross"))))
        assert error.message == "RuntimeError: cuDNN is cross"
        assert "Traceback" in capfd.readouterr().err

    def test_a_failed_run_tells_the_epochs_that_it_had_completed(self, config: TrainConfig, run: Run) -> None:
        killed_after(config, run, epoch=2)
        told = trained(config, run, broken_by(RuntimeError("broken")))
        failure(told)
        assert only(RunFinished, told)[0].epochs == 2

    def test_a_full_disk_ends_the_run_and_spares_the_earlier_checkpoint(
        self, config: TrainConfig, run: Run, file_size_limit: Callable[[int], AbstractContextManager[None]]
    ) -> None:
        killed_after(config, run, epoch=2)
        before = {name: (run.path / name).read_bytes() for name in (LAST, BEST)}
        with file_size_limit(4096):
            told = trained(config, run)
        error = failure(told)
        assert error.title == "Run not saved"
        assert f"{run.path}/" in error.message
        assert "(4.1 kB, ulimit -f)" in error.message
        assert "ulimit -f unlimited" in error.hint
        assert {name: (run.path / name).read_bytes() for name in before} == before
        assert not list(run.path.rglob("*.tmp"))
        assert only(RunFinished, trained(config, run))[0].outcome == "completed"


@pytest.fixture
def endings(config: TrainConfig, every_step_told: None) -> list[list[AnyEvent]]:
    """The events of runs that end in each of the ways there are."""
    return [
        trained(config),
        interrupted(config, None, commands.Stop(), epoch=1, step=3),
        trained(config.replace(optimizer="sgd", learning_rate=1e12)),
        trained(config.replace(batch_size=1000)),
        trained(config, backend=broken_by(RuntimeError("broken"))),
    ]


def test_every_run_ends_in_exactly_one_run_finished(endings: list[list[AnyEvent]]) -> None:
    for told in endings:
        assert kinds(told).count("RunFinished") == 1
        assert kinds(told)[-1] == "RunFinished"
    assert [told[-1].outcome for told in endings] == [  # type: ignore[union-attr]
        "completed", "stopped", "failed", "failed", "failed",
    ]  # fmt: skip
