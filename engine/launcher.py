"""Start a run in a worker process of its own, which outlives the process that started it."""

from __future__ import annotations

import subprocess
from datetime import datetime
from typing import Any

from engine.config import FIELDS, TrainConfig
from engine.conventions import NATIVE
from engine.devices import expected_device
from engine.errors import ConfigError, RunError, StoreError
from engine.eventlog import EventWriter
from engine.events import RunRelaunched
from engine.files import write_atomically
from engine.locks import FileLock
from engine.postmortem import WORKER_STARTED
from engine.process import python_command, python_environment
from engine.runs import LIVE, Run, Store
from engine.turns import Ticket

SECONDS_TO_LEAVE = 20.0
"""How long a worker that has told its run's end may take to be gone: a busy machine is slow to unload a framework."""


def launch(store: Store, config: TrainConfig, skip_queue: bool = False) -> Run:
    """Create a run in `store`, start its worker and return at once. Raises StoreError.

    The run's turn on its device comes after those of all that were launched before. With `skip_queue` its worker does
    not wait for it.
    """
    run, lock = store.create(config)
    try:
        _start_worker(run, lock, config.device, skip_queue)
    except OSError as error:
        raise _not_started(run, error) from error
    finally:
        lock.release()
    return run


def relaunch(run: Run, skip_queue: bool = False, **changes: Any) -> None:
    """Start a worker that continues `run` from its last checkpoint.

    `changes` may name another `backend`, `device`, `threads` or a higher number of `epochs`. On another backend
    the run keeps the conventions that it began with. Raises ConfigError for a change that would make it another
    run, RunError when a worker is alive already, and StoreError when the run's files cannot be written.
    """
    config = continued(run.config, changes)
    lock = FileLock(run.lock_path)
    try:
        if not lock.acquire(SECONDS_TO_LEAVE if run.status() not in LIVE else 0):
            raise RunError("Run is live", f"Run {run.id} is running already.", f"mnist-tui attach {run.id}")
        if config != run.config:
            write_atomically(run.config_path, lambda file: file.write(config.to_json() + b"\n"))
        log = EventWriter(run.events_path)
        log.append(RunRelaunched())
        log.close()
        _start_worker(run, lock, config.device, skip_queue)
    except OSError as error:
        raise _not_started(run, error) from error
    finally:
        lock.release()


def continued(config: TrainConfig, changes: dict[str, Any]) -> TrainConfig:
    """Return the settings that a run with `config` goes on with; raise ConfigError for what cannot change."""
    for name in changes.keys() - {"backend", "device", "threads", "epochs"}:
        raise ConfigError(name, f"{FIELDS[name].label} cannot change in the middle of a run.", "Train a new one.")
    pinned = NATIVE[config.backend] if config.conventions == "auto" else config.conventions
    if changes.get("backend", config.backend) != config.backend:
        changes = {"conventions": pinned, "device": "auto", **changes}
    return config.replace(**changes)


def _not_started(run: Run, error: OSError) -> StoreError:
    message = f"No worker could be started for run {run.id}: {error.strerror or error} ({run.path})."
    return StoreError("Run not started", message, "Make room or choose another --store, then resume the run.")


def _start_worker(run: Run, lock: FileLock, device: str, skip_queue: bool) -> None:
    """Start the worker with the run's lock and its ticket for `device` handed over, so that neither is free between."""
    asked_before = run.commands_path.stat().st_size if run.commands_path.exists() else 0
    command = python_command("engine.worker", str(run.path), "--lock-descriptor", str(lock.descriptor))
    command += ["--commands-from", str(asked_before)]
    ticket = None if skip_queue else Ticket.draw(expected_device(device), run)
    command += ["--ticket", str(ticket.path), str(ticket.descriptor)] if ticket else ["--now"]
    try:
        with run.log_path.open("ab") as log:
            log.write(f"{WORKER_STARTED} {datetime.now():%Y-%m-%d %H:%M:%S}\n".encode())
            log.flush()
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock.descriptor, *([ticket.descriptor] if ticket else [])],
                start_new_session=True,
                env=python_environment(),
            )
    finally:
        if ticket:
            ticket.release()
