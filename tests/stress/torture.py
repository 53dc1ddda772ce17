"""What the torture tests do to workers: find them, kill them, and see what is left."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from engine import checkpoint
from engine.backends import BACKENDS
from engine.checkpoint import LAST
from engine.config import TrainConfig
from engine.events import AnyEvent, EpochFinished, RunStarted
from engine.locks import is_held
from engine.models import ARCHITECTURES
from engine.process import python_command, python_environment
from engine.runs import Run, Store
from tests.waiting import wait_until

if TYPE_CHECKING:
    from engine.models import State

ENDLESS = 10_000
LONG = 600.0
"""Seconds that anything may take on a busy machine before a test gives up."""

Record = Callable[[str, str, str], None]
"""Adds a row to the table at the end: what was done, what must come of it, and what came of it."""

torture = [pytest.mark.stress, pytest.mark.timeout(1800)]

each_backend = pytest.mark.parametrize(
    "backend",
    [
        pytest.param(name, marks=pytest.mark.skipif(not info.installed, reason=f"{name} is not installed"))
        for name, info in BACKENDS.items()
    ],
)


def endless(folder: Path, **changes: object) -> TrainConfig:
    """Return settings of a run of many short epochs, a few a second, on the digits in `folder`."""
    values = {"backend": "torch", "device": "cpu", "batch_size": 8, "learning_rate": 0.001, "epochs": ENDLESS}
    return TrainConfig.create(**{**values, "threads": 1, "data": str(folder), **changes})


def new_run(store: Store, config: TrainConfig) -> Run:
    """Create a run that has no worker yet."""
    run, lock = store.create(config)
    lock.release()
    return run


def start_worker(run: Run, *options: str) -> subprocess.Popen[bytes]:
    """Start a worker as its launcher does, but as a child whose end we see."""
    with run.log_path.open("ab") as log:
        return subprocess.Popen(
            python_command("engine.worker", str(run.path), *options),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=python_environment(),
        )  # fmt: skip


def processes_of(path: Path) -> list[psutil.Process]:
    """Return all living processes with `path` in their command line, this one left out."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            alive = process.status() != psutil.STATUS_ZOMBIE
            if alive and process.pid != os.getpid() and any(str(path) in word for word in process.cmdline()):
                found.append(process)
    return found


def workers_of(path: Path) -> list[psutil.Process]:
    """Return the living workers of the run, or of the store, at `path`."""
    found = []
    for process in processes_of(path):
        with contextlib.suppress(psutil.Error):
            if "engine.worker" in process.cmdline():
                found.append(process)
    return found


def worker_of(run: Run) -> psutil.Process:
    """Return the run's only worker, once it is there."""
    (worker,) = wait_until(lambda: workers_of(run.path), f"{run.id} has a worker", LONG)
    return worker


def kill_all(path: Path) -> None:
    """Kill the workers of the store at `path`, so that nothing outlives a test."""
    for worker in workers_of(path):
        with contextlib.suppress(psutil.NoSuchProcess):
            worker.send_signal(signal.SIGKILL)
    wait_until(lambda: not workers_of(path), f"no worker is left in {path}")


def starts(run: Run) -> list[RunStarted]:
    """Return the event with which each of the run's workers so far began to train."""
    return [event for event in run.events() if isinstance(event, RunStarted)]


def wait_for_end(run: Run) -> None:
    """Wait until the run has told its end and its worker has gone."""
    wait_until(lambda: run.progress().finished and not is_held(run.lock_path), f"the worker of {run.id} ends", LONG)


def drafts(run: Run) -> list[Path]:
    """Return the temporary files of writes that were cut off."""
    return list(run.path.rglob(".*.tmp"))


def weights_of(run: Run, name: str = LAST) -> State:
    """Return the arrays of one of the run's checkpoints, which must load."""
    state, _ = checkpoint.load(run.path / name, ARCHITECTURES[run.config.model], run.config.optimizer)
    return state


def unseamly(log: list[AnyEvent]) -> list[str]:
    """Return what is missing or doubled in a log: epochs follow on from each other, and from where a worker resumed."""
    faults, expected = [], 1
    for event in log:
        if isinstance(event, RunStarted):
            expected = (event.resumed_from or 0) + 1
        elif isinstance(event, EpochFinished):
            if event.epoch != expected:
                faults.append(f"epoch {event.epoch} instead of {expected}")
            expected = event.epoch + 1
    return faults
