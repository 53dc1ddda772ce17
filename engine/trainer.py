"""train(config) → events: the loop over epochs and steps, which knows neither framework nor interface."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec
import psutil

from engine import checkpoint, commands, events
from engine.augmentation import draw_transforms
from engine.backends import load_backend
from engine.checkpoint import Metadata
from engine.config import TrainConfig
from engine.control import SECONDS_BETWEEN_LOOKS, Control, StopRequested
from engine.data import load_steps
from engine.epoch import Epoch
from engine.errors import EngineError
from engine.evaluation import predictions_path, save_predictions, score
from engine.events import AnyEvent
from engine.failures import diverged, failed, storage_error
from engine.memory import peak_memory_bytes
from engine.models import ARCHITECTURES
from engine.plan import Plan
from engine.postmortem import explained
from engine.split import Split, image_order
from engine.superseded import set_aside

if TYPE_CHECKING:
    import numpy as np

    from engine.backends.base import Backend, Learner
    from engine.runs import Run

SECONDS_BETWEEN_STEP_EVENTS = 0.1

# Guessing among ten classes costs ln 10 = 2.3. Batch norm can keep the loss of a ruined network finite for ever.
DIVERGED_LOSS = 1e6


def train(
    config: TrainConfig, run: Run | None = None, control: Control | None = None, backend: Backend | None = None
) -> Iterator[AnyEvent]:
    """Train as `config` says and yield what happens; the last event is always one RunFinished.

    With a `run`, checkpoints and predictions are kept in its directory, and training goes on from its checkpoint
    if it has one. `control` brings the user's commands. `backend` stands in for the one that `config` names.
    No error is raised: a run that cannot go on finishes as failed, with the reason.
    """
    completed = 0
    try:
        for event in _events(config, run, control or Control(), backend):
            yield event
            if isinstance(event, events.RunStarted):
                completed = event.resumed_from or 0
            elif isinstance(event, events.EpochFinished):
                completed = event.epoch
    except EngineError as error:
        yield failed(completed, error)
    except OSError as error:
        yield failed(completed, storage_error(error, run))
    except Exception as error:
        traceback.print_exc()
        yield failed(completed, explained(error))


def _events(config: TrainConfig, run: Run | None, control: Control, backend: Backend | None) -> Iterator[AnyEvent]:
    yield events.Preparing(stage="images")
    dataset = yield from load_steps(config.data)
    split = Split.of(dataset, config)
    if backend is None:
        yield events.Preparing(stage="framework")
        backend = load_backend(config.backend)
    yield events.Preparing(stage="network")
    learner = backend.learner(config, split.train_images, split.train_labels)
    architecture = ARCHITECTURES[config.model]
    plan = Plan.of(config, run.progress().changes if run else ())
    resumed = checkpoint.latest(run.path, architecture, config.optimizer) if run else None
    metadata = resumed[1] if resumed else None
    yield events.RunStarted(
        run=run.id if run else "",
        backend=backend.name,
        framework_version=backend.version,
        device=learner.device.id,
        device_name=learner.device.name,
        model=config.model,
        parameters=architecture.parameters,
        dataset=msgspec.structs.replace(dataset.info, train_examples=len(split.train_labels)),
        kernels=learner.kernels,
        epochs=plan.epochs,
        resumed_from=metadata.epoch if metadata else None,
        resumed_step=metadata.step if metadata else None,
        learning_rate=(metadata and metadata.learning_rate) or config.learning_rate,
    )
    training = _Training(config, plan, split, learner, run, control, backend)
    if resumed:
        state, metadata, warning = resumed
        learner.load_state(state)
        training.resume(metadata)
        training.last_is_whole = not warning
        if warning:
            yield events.Warned(message=warning)
    if run:
        yield from _tidied(run, metadata)
    yield from training.train()


def _tidied(run: Run, metadata: Metadata | None) -> Iterator[AnyEvent]:
    """Make the files of `run` those of the checkpoint that it goes on from: none is later, and the best is the best."""
    epoch, step = (metadata.epoch, metadata.step) if metadata else (0, 0)
    if moved := set_aside(run, epoch, step):
        yield events.Warned(message=moved)
    checkpoint.repair_best(run.path, metadata.best_epoch if metadata else None)


@dataclass
class _Training:
    """One run from its first step, or from a checkpoint, to its RunFinished."""

    config: TrainConfig
    plan: Plan
    split: Split
    learner: Learner
    run: Run | None
    control: Control
    backend: Backend
    epoch: Epoch = field(default_factory=lambda: Epoch(1))
    best_epoch: int | None = None
    best_accuracy: float = -1.0
    test_accuracy: float | None = None
    learning_rate: float | None = None
    last_is_whole: bool = False  # one that is damaged must not take the place of the one before it
    chunk: int = 1

    @property
    def steps(self) -> int:
        """Steps in an epoch, the last of which may be a smaller batch."""
        return -(-len(self.split.train_labels) // self.config.batch_size)

    def resume(self, metadata: Metadata) -> None:
        """Take up where the checkpoint that `metadata` describes left off."""
        images = min(metadata.step * self.config.batch_size, len(self.split.train_labels))
        self.epoch = Epoch(
            metadata.epoch + 1, metadata.step, metadata.loss_sum, metadata.correct, images, metadata.seconds,
            images_before=images, seconds_before=metadata.seconds,
        )  # fmt: skip
        self.best_epoch, self.best_accuracy = metadata.best_epoch, metadata.best_accuracy
        self.test_accuracy = metadata.test_accuracy
        self.learning_rate = metadata.learning_rate

    def train(self) -> Iterator[AnyEvent]:
        """Train what is left to train."""
        try:
            if self.epoch.number <= self.plan.epochs:
                yield events.Preparing(stage="first_step")
            while self.epoch.number <= self.plan.epochs:
                yield from self._train_epoch()
                yield from self._finish_epoch()
                self.epoch = Epoch(self.epoch.number + 1)
        except StopRequested as stop:
            yield self._applied("stop")
            if not stop.now:
                yield from self._save_stopped()
            yield self._finished("stopped")
        else:
            yield self._finished("completed")

    def _train_epoch(self) -> Iterator[AnyEvent]:
        import numpy as np

        epoch, batch_size = self.epoch, self.config.batch_size
        order = image_order(self.config, epoch.number, len(self.split.train_labels))
        transforms = draw_transforms(self.config, epoch.number, len(order))
        last_event = time.monotonic()
        while epoch.step < self.steps:
            yield from self._obey()
            start = epoch.step * batch_size
            rows = min(self.chunk, (len(order) - start) // batch_size)
            size = batch_size if rows else len(order) - start
            positions = slice(start, start + max(rows, 1) * size)
            batches = order[positions].reshape(-1, size)
            warps = None if transforms is None else transforms[positions].reshape(*batches.shape, 2, 3)
            rates = self._learning_rates(len(batches))
            began = time.perf_counter()
            results = self.learner.train_steps(batches, rates, warps)
            elapsed = time.perf_counter() - began
            if not (results.loss < DIVERGED_LOSS).all():
                bad = int(np.flatnonzero(~(results.loss < DIVERGED_LOSS))[0])
                raise diverged(
                    results.loss[bad], f"at epoch {epoch.number}, step {epoch.step + bad + 1}", self.config.optimizer
                )
            epoch.seconds += elapsed
            epoch.add(results, size)
            if results.warning:
                yield events.Warned(message=results.warning)
            self._adapt_chunk(len(batches), elapsed)
            if time.monotonic() - last_event >= SECONDS_BETWEEN_STEP_EVENTS:
                last_event = time.monotonic()
                yield self._step_event(float(rates[-1]))

    def _adapt_chunk(self, steps: int, elapsed: float) -> None:
        """Choose how many steps to take at once: as many as fit between two step events."""
        wanted = int(steps * SECONDS_BETWEEN_STEP_EVENTS / max(elapsed, 1e-6))
        self.chunk = max(1, min(wanted, steps * 4, self.steps))

    def _step_event(self, learning_rate: float) -> events.Step:
        epoch = self.epoch
        return events.Step(
            epoch=epoch.number,
            step=epoch.step,
            steps=self.steps,
            loss=epoch.loss_sum / epoch.images,
            accuracy=epoch.correct / epoch.images,
            learning_rate=learning_rate,
            images_per_second=epoch.images_per_second,
        )

    def _finish_epoch(self) -> Iterator[AnyEvent]:
        epoch, split = self.epoch, self.split
        test_logits = self.learner.predict(split.test_images)
        test_loss, test_accuracy = score(test_logits, split.test_labels)
        if not test_loss < DIVERGED_LOSS:
            raise diverged(test_loss, f"on the test set after epoch {epoch.number}", self.config.optimizer)
        validation_loss = validation_accuracy = None
        if len(split.validation_labels):
            logits = self.learner.predict(split.validation_images)
            validation_loss, validation_accuracy = score(logits, split.validation_labels)
        self.test_accuracy = test_accuracy
        deciding = test_accuracy if validation_accuracy is None else validation_accuracy
        is_best = deciding > self.best_accuracy
        if is_best:
            self.best_epoch, self.best_accuracy = epoch.number, deciding
        yield events.EpochFinished(
            epoch=epoch.number,
            train_loss=epoch.loss_sum / epoch.images,
            train_accuracy=epoch.correct / epoch.images,
            test_loss=test_loss,
            test_accuracy=test_accuracy,
            validation_loss=validation_loss,
            validation_accuracy=validation_accuracy,
            learning_rate=float(self._learning_rates(1, epoch.step - 1)[0]),
            seconds=epoch.seconds,
            images_per_second=epoch.images_per_second,
            peak_memory_bytes=peak_memory_bytes(),
        )
        if self.run:
            yield self._save_predictions(test_logits)
            yield from self._save_checkpoint(Epoch(epoch.number + 1), is_best)

    def _save_predictions(self, test_logits: np.ndarray) -> events.PredictionsSaved:
        assert self.run
        path = predictions_path(self.run.predictions_path, self.epoch.number)
        save_predictions(path, test_logits)
        mistakes = int((test_logits.argmax(axis=1) != self.split.test_labels).sum())
        relative = str(path.relative_to(self.run.path))
        return events.PredictionsSaved(epoch=self.epoch.number, path=relative, mistakes=mistakes)

    def _save_checkpoint(self, upcoming: Epoch, is_best: bool) -> Iterator[AnyEvent]:
        assert self.run
        state = self.learner.state()
        metadata = Metadata(
            model=self.config.model,
            optimizer=self.config.optimizer,
            seed=self.config.seed,
            epoch=upcoming.number - 1,
            step=upcoming.step,
            loss_sum=upcoming.loss_sum,
            correct=upcoming.correct,
            seconds=upcoming.seconds,
            best_epoch=self.best_epoch,
            best_accuracy=self.best_accuracy,
            test_accuracy=self.test_accuracy,
            learning_rate=self.learning_rate,
            backend=self.backend.name,
            framework_version=self.backend.version,
        )
        if self.last_is_whole:
            checkpoint.keep_previous(self.run.path)
        for name in (checkpoint.LAST, checkpoint.BEST) if is_best else (checkpoint.LAST,):
            checkpoint.save(self.run.path / name, state, metadata)
        self.last_is_whole = True
        yield events.CheckpointSaved(epoch=upcoming.number - 1, path=checkpoint.LAST, best=is_best)

    def _save_stopped(self) -> Iterator[AnyEvent]:
        """Evaluate and keep what an epoch that was stopped in its middle has learnt."""
        if self.epoch.step == 0:
            return
        _, self.test_accuracy = score(self.learner.predict(self.split.test_images), self.split.test_labels)
        if self.run:
            yield from self._save_checkpoint(replace(self.epoch), is_best=False)

    def _finished(self, outcome: events.Outcome) -> events.RunFinished:
        return events.RunFinished(
            outcome=outcome,
            epochs=self.epoch.number - 1,
            best_epoch=self.best_epoch,
            test_accuracy=self.test_accuracy,
            tested=None if self.test_accuracy is None else len(self.split.test_labels),
        )

    def _learning_rates(self, count: int, step: int | None = None) -> np.ndarray:
        """Return the learning rates of `count` steps of this epoch, from `step` on (default: the next one)."""
        step = self.epoch.step if step is None else step
        return self.plan.rates(self._base_rate, self.epoch.number, step, count, self.steps)

    @property
    def _base_rate(self) -> float:
        """The learning rate that the schedule is scaled to: the setting, or what the user changed it to."""
        return self.learning_rate or self.config.learning_rate

    def _obey(self) -> Iterator[AnyEvent]:
        """Carry out what the user asked since the last look, and wait while paused; raises StopRequested."""
        paused = False
        while True:
            for command in self.control.pending():
                match command:
                    case commands.SetLearningRate(learning_rate=rate):
                        yield from self._set_learning_rate(rate)
                    case commands.Stop(now=now):
                        raise StopRequested(now)
                    case commands.Pause() if not paused:
                        paused = True
                        yield self._applied("pause", memory_bytes=psutil.Process().memory_info().rss)
                    case commands.Resume() if paused:
                        paused = False
                        yield self._applied("resume")
                    case _:
                        pass
            if not paused:
                return
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _set_learning_rate(self, rate: float) -> Iterator[AnyEvent]:
        """Train on with another learning rate, and save that: the old one must not come back with a crash."""
        before, self.learning_rate = self._base_rate, rate
        yield self._applied("set_learning_rate", learning_rate=rate, learning_rate_before=before)
        if self.run:
            yield from self._save_checkpoint(replace(self.epoch), is_best=False)

    def _applied(self, command: str, **figures: Any) -> events.CommandApplied:
        """Return that a command was carried out before the next step; `figures` are further fields of the event."""
        epoch = self.epoch
        return events.CommandApplied(command=command, epoch=epoch.number, step=epoch.step + 1, **figures)
