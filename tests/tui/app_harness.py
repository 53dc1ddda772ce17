"""What the tests of the app share: runs written event by event, and an app driven by its keys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from engine import checkpoint, events
from engine.backends import BACKENDS
from engine.backends.base import Device
from engine.checkpoint import LAST, Metadata, expected_shapes
from engine.config import TrainConfig
from engine.data import Dataset
from engine.devices import BackendReport
from engine.evaluation import predictions_path, save_predictions
from engine.eventlog import EventWriter
from engine.locks import FileLock
from engine.models import ARCHITECTURES, initial_state
from engine.runs import Run, Store
from tests.reference import State
from tests.waiting import PATIENCE, lengthening_pauses
from tui.app import MnistApp
from tui.datasets import dataset_at

W = TypeVar("W", bound=Widget)


def cpu_only(backend: str) -> BackendReport:
    """Answer, without starting the framework, that there is a CPU."""
    label = BACKENDS[backend].label
    return BackendReport(
        backend=backend, label=label, installed=True, version="1.0", devices=(Device("cpu", "2 cores"),)
    )


@asynccontextmanager
async def driven(app: MnistApp, size: tuple[int, int]) -> AsyncIterator[Pilot[None]]:
    """Run `app` without a terminal, give its keyboard, and in the end leave it as its users do.

    Textual's own harness would interrupt what the app is at, which nothing else does.
    """
    async with app.run_test(size=size, notifications=True) as pilot:
        yield pilot
        app.exit()
        await until(lambda: not app._running, "the app has ended")


@asynccontextmanager
async def opened(
    store: Store, size: tuple[int, int] = (120, 40), settings: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[tuple[MnistApp, Pilot[None]]]:
    """Run an app on `store` without a terminal, and give it and its keyboard."""
    app = MnistApp(store, settings or {}, **{"probe": cpu_only, **options})
    async with driven(app, size) as pilot:
        yield app, pilot


async def until(condition: Callable[[], object], what: str, instead: Callable[[], str] = str) -> None:
    """Wait until `condition` holds; fail, naming `what` was waited for and what there is `instead`."""
    deadline, pauses = time.monotonic() + PATIENCE, lengthening_pauses()
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"Within {PATIENCE:.0f} seconds this did not come true: {what}\n{instead()}")
        await asyncio.sleep(next(pauses))


def shown(app: MnistApp) -> str:
    """Return the text on the screen, line by line."""
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())


async def until_shown(app: MnistApp, *texts: str) -> None:
    """Wait until all of `texts` are on the screen."""
    for text in texts:
        await until(lambda text=text: text in shown(app), f"“{text}” is on the screen", lambda: shown(app))  # type: ignore[misc]


class WrittenRun:
    """A run whose worker is the test: it holds the lock and writes the events."""

    tested_on = ""
    """The data setting that leads to its images; by default the user's own dataset."""

    def __init__(self, store: Store, **settings: Any) -> None:
        self.config = TrainConfig.preset("pytorch-tutorial", epochs=3, device="cpu").replace(**settings)
        self.run, self._lock = store.create(self.config)
        self._log = EventWriter(self.run.events_path)
        self._accuracy: float | None = None

    def tell(self, *told: events.AnyEvent) -> None:
        """Append events."""
        for event in told:
            self._log.append(event)

    def start(self, dataset: events.DatasetInfo | None = None, kernels: str | None = "fused") -> None:
        """Begin to train."""
        self.tell(
            events.RunStarted(
                run=self.run.id, backend=self.config.backend, framework_version="2.14.1", device="cpu",
                device_name="2 cores",
                model="cnn-bn", parameters=2174, dataset=dataset or dataset_at(self.tested_on).info,
                epochs=self.config.epochs, kernels=kernels,
            )
        )  # fmt: skip

    def step(self, epoch: int, step: int) -> None:
        """Take one of the 8 steps of an epoch."""
        self.tell(
            events.Step(
                epoch=epoch, step=step, steps=8, loss=(1 + 1 / step) * 0.2 / epoch, accuracy=0.9, learning_rate=0.01,
                images_per_second=20_600.0,
            )
        )  # fmt: skip

    def epoch(self, epoch: int, wrong: int = 3, accuracy: float | None = None, seconds: float = 2.9) -> None:
        """Finish an epoch, with predictions of which the first `wrong` are wrong; `accuracy` is that of the test."""
        accuracy = self._accuracy = 0.95 + epoch / 100 if accuracy is None else accuracy
        held_out = {"validation_loss": 0.15 / epoch, "validation_accuracy": 0.9} if self.config.validation else {}
        self.tell(
            events.EpochFinished(
                epoch=epoch, train_loss=0.2 / epoch, train_accuracy=accuracy - 0.01, test_loss=0.1 / epoch,
                test_accuracy=accuracy, learning_rate=0.01, seconds=seconds, images_per_second=20_600.0,
                **held_out,
            )
        )  # fmt: skip
        path = predictions_path(self.run.predictions_path, epoch)
        save_predictions(path, _logits(dataset_at(self.tested_on), wrong))
        self.tell(events.PredictionsSaved(epoch=epoch, path=path.name, mistakes=wrong))

    def save_checkpoint(self, epoch: int, seed: int = 0) -> State:
        """Write a checkpoint after `epoch` with the weights that `seed` gives, and tell of it."""
        config, architecture = self.config, ARCHITECTURES[self.config.model]
        shapes = expected_shapes(architecture, config.optimizer)
        state: State = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        state |= initial_state(architecture, seed, "torch") | {"optimizer.step": np.array(epoch, np.int64)}
        metadata = Metadata(model=config.model, optimizer=config.optimizer, seed=config.seed, epoch=epoch)
        checkpoint.save(self.run.path / LAST, state, metadata)
        self.tell(events.CheckpointSaved(epoch=epoch, path=LAST, best=True))
        return state

    def finish(self, outcome: events.Outcome = "completed", error: events.ErrorInfo | None = None) -> Run:
        """End the run in order."""
        accuracy = self._accuracy if outcome == "completed" else None
        self.tell(events.RunFinished(outcome=outcome, epochs=self.config.epochs, error=error, test_accuracy=accuracy))
        return self.vanish()

    def vanish(self) -> Run:
        """End the worker without a word."""
        self._log.close()
        self._lock.release()
        return self.run


def completed(store: Store, epochs: int = 3, **settings: Any) -> Run:
    """Write a run of some epochs that has ended well."""
    written = WrittenRun(store, epochs=epochs, **settings)
    written.start()
    for epoch in range(1, epochs + 1):
        written.step(epoch, 4)
        written.epoch(epoch, wrong=10 - epoch)
    return written.finish()


def is_locked(run: Run) -> bool:
    """Whether a worker holds the run's lock."""
    lock = FileLock(run.lock_path)
    free = lock.acquire(patience=0)
    lock.release()
    return not free


def _logits(dataset: Dataset, wrong: int) -> np.ndarray:
    """Return logits that are right but for the first `wrong` images, where they are the more sure the later."""
    labels = dataset.test_labels
    answers = np.where(np.arange(len(labels)) < wrong, (labels + 1) % 10, labels)
    logits = np.zeros((len(labels), 10), np.float32)
    logits[np.arange(len(labels)), answers] = np.linspace(2, 6, len(labels))
    return logits
