"""Start a run in a worker process of its own, which outlives the process that started it."""

from __future__ import annotations

import os
import subprocess
import sys

from engine.config import TrainConfig
from engine.errors import RunError
from engine.locks import FileLock
from engine.runs import Run, Store


def launch(store: Store, config: TrainConfig, skip_queue: bool = False) -> Run:
    """Create a run in `store`, start its worker and return at once. Raises StoreError.

    With `skip_queue` the worker does not wait for its turn on the device.
    """
    run, lock = store.create(config)
    _start_worker(run, lock, skip_queue)
    return run


def relaunch(run: Run, skip_queue: bool = False) -> None:
    """Start a worker that continues `run` from its last checkpoint; raises RunError when one is alive already."""
    lock = FileLock(run.lock_path)
    if not lock.acquire():
        raise RunError("Run is live", f"Run {run.id} is running already.", f"mnist-tui attach {run.id}")
    _start_worker(run, lock, skip_queue)


def _start_worker(run: Run, lock: FileLock, skip_queue: bool) -> None:
    """Start the worker with the run's lock handed over, so that the run is locked without a gap."""
    command = [sys.executable, "-m", "engine.worker", str(run.path), "--lock-descriptor", str(lock.descriptor)]
    if skip_queue:
        command.append("--now")
    try:
        with run.log_path.open("ab") as log:
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock.descriptor],
                start_new_session=True,
                env=os.environ | {"PYTHONUNBUFFERED": "1", "TF_CPP_MIN_LOG_LEVEL": "1"},
            )
    finally:
        lock.release()
