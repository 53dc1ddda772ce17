"""Issue-sized proofs on the complete MNIST: a killed run ends bit for bit as one left alone, on either framework.

Minutes, not seconds: `make stress` runs them, `make test` does not.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine import checkpoint
from engine.backends import BACKENDS
from engine.checkpoint import LAST
from engine.config import TrainConfig
from engine.conventions import NATIVE
from engine.data import Dataset
from engine.evaluation import log_softmax
from engine.events import CheckpointSaved, RunFinished
from engine.launcher import launch, relaunch
from engine.models import ARCHITECTURES
from engine.presets import PRESETS
from engine.process import python_command, python_environment
from engine.runs import Run, Store
from tests.backend_process import RemoteBackend
from tests.waiting import wait_until

if TYPE_CHECKING:
    from engine.models import State

pytestmark = [pytest.mark.stress, pytest.mark.timeout(1800)]

HOURS = 1800.0
"""Seconds that a run may take on a busy machine."""

each_preset = pytest.mark.parametrize("preset", PRESETS)


def end_of(run: Run) -> RunFinished:
    """Return how the run ended, once it has."""
    finished = wait_until(lambda: run.progress().finished, f"{run.id} has ended", HOURS)
    assert finished.error is None, finished.error
    return finished


def weights_of(run: Run) -> State:
    state, _ = checkpoint.load(run.path / LAST, ARCHITECTURES[run.config.model], run.config.optimizer)
    return state


def kill_after_epoch(run: Run, epoch: int) -> None:
    """Train `run` in a worker of our own and kill that as soon as an epoch's checkpoint is told."""
    with run.log_path.open("ab") as log:
        worker = subprocess.Popen(
            python_command("engine.worker", str(run.path), "--now"),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=python_environment(),
        )  # fmt: skip
    try:
        wait_until(
            lambda: any(isinstance(event, CheckpointSaved) and event.epoch == epoch for event in run.events()),
            f"epoch {epoch} is saved",
            HOURS,
        )
    finally:
        worker.kill()
        worker.wait()


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("backend", BACKENDS)
def test_six_epochs_are_three_a_kill_and_three_more(
    store: Store, mnist: Dataset, mnist_folder: str, backend: str, seed: int
) -> None:
    config = TrainConfig.preset("pytorch-tutorial", backend=backend, epochs=6, seed=seed, data=mnist_folder)
    alone = launch(store, config, skip_queue=True)
    end_of(alone)
    killed, lock = store.create(config)
    lock.release()
    kill_after_epoch(killed, 3)
    assert killed.status() == "crashed"
    relaunch(killed, skip_queue=True)
    assert end_of(killed).outcome == "completed"
    expected, found = weights_of(alone), weights_of(killed)
    assert expected.keys() == found.keys()
    for name, values in expected.items():
        assert values.tobytes() == found[name].tobytes(), name
    for left, right in zip(alone.progress().epochs, killed.progress().epochs, strict=True):
        assert (left.train_loss, left.test_loss) == (right.train_loss, right.test_loss)


@each_preset
def test_a_checkpoint_predicts_the_same_on_the_other_framework(
    store: Store, mnist: Dataset, mnist_folder: str, backend_named: Callable[[str], RemoteBackend], preset: str
) -> None:
    home = PRESETS[preset].backend
    (other,) = BACKENDS.keys() - {home}
    run = launch(store, TrainConfig.preset(preset, epochs=1, data=mnist_folder), skip_queue=True)
    end_of(run)
    config = run.config.replace(conventions=NATIVE[home])
    answers = []
    for name in (home, other):
        learner = backend_named(name).learner(
            config.replace(backend=name), mnist.train_images[:64], mnist.train_labels[:64]
        )
        learner.load_state(weights_of(run))
        answers.append(np.exp(log_softmax(learner.predict(mnist.test_images))))
    assert np.abs(answers[0] - answers[1]).max() <= 1e-4
    differing = np.flatnonzero(answers[0].argmax(axis=1) != answers[1].argmax(axis=1))
    for index in differing:
        first, second = np.sort(answers[0][index])[-2:]
        assert second - first <= 1e-4, f"image {index} is no tie"


@pytest.fixture(scope="session")
def mnist_folder(mnist: Dataset) -> str:
    """The path of the complete MNIST."""
    return str(Path(os.environ["MNIST_TUI_DATA"]).resolve())
