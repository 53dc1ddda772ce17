"""Start a run in a worker process of its own, which outlives the process that started it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from engine.causes import explain, working_folder
from engine.config import FIELDS, TrainConfig, parse_field
from engine.control import SECONDS_BETWEEN_LOOKS
from engine.conventions import NATIVE
from engine.devices import expected_queue
from engine.errors import ConfigError, RunError, StoreError
from engine.eventlog import EventWriter
from engine.events import ExtensionSchedule, RunExtended, RunRelaunched
from engine.files import write_atomically
from engine.locks import FileLock
from engine.postmortem import WORKER_STARTED, memory_kills_line
from engine.process import python_command, python_environment
from engine.regular_files import open_regular
from engine.runs import LIVE, OTHER_STORE, STATUS_WORDS, Run, Store
from engine.start_checks import check_start
from engine.turns import Ticket

SECONDS_TO_LEAVE = 20.0
"""How long a worker that has told its run's end may take to be gone: a busy machine is slow to unload a framework."""


def launch(store: Store, config: TrainConfig, skip_queue: bool = False) -> Run:
    """Create a run in `store`, start its worker and return at once.

    Raises an EngineError where it cannot start on this machine (see check_start), or could not be started, and leaves
    no run then.

    The run's turn on its device comes after those of all that were launched before. With `skip_queue` its worker does
    not wait for it.
    """
    check_start(config)
    run, lock = store.create(config)
    started = False
    try:
        _start_worker(run, lock, config.device, skip_queue)
    except OSError as error:
        raise StoreError("Run not started", *explain(error, "written", run.path, OTHER_STORE)) from error
    else:
        started = True
        return run
    finally:
        lock.release()
        if not started:
            shutil.rmtree(run.path, ignore_errors=True)


def relaunch(
    run: Run,
    skip_queue: bool = False,
    epochs: int | None = None,
    schedule: ExtensionSchedule = "hold",
    **changes: Any,
) -> None:
    """Start a worker that continues `run` from its last checkpoint, up to `epochs` in all (default: as planned).

    What the learning rate does in epochs beyond the plan is said by `schedule` (see engine.plan). `changes` may name
    another `backend`, `device` or `threads`; on another backend the run keeps the conventions that it began with.

    Raises ConfigError for a change that would make it another run; RunError when a worker is alive already, or when
    so many epochs are done; and StoreError when the run's files cannot be written. Nothing is written then.
    """
    config = continued(run.config, changes)
    check_start(config)
    lock = FileLock(run.lock_path)
    undo = contextlib.ExitStack()
    try:
        with _taken_over(run, lock) as commands_from:
            extension = None if epochs is None else extended(run, epochs, schedule)
            undo.callback(_restore, run, run.config_path.read_bytes(), _size(run.events_path))
            if config != run.config:
                write_atomically(run.config_path, lambda file: file.write(config.to_json() + b"\n"))
            log = EventWriter(run.events_path)
            log.append(RunRelaunched())
            if extension:
                log.append(extension)
            log.close()
        _start_worker(run, lock, config.device, skip_queue, commands_from)
        undo.pop_all()
    except OSError as error:
        raise StoreError("Run not resumed", *explain(error, "written", run.path)) from error
    finally:
        undo.close()
        lock.release()


@contextlib.contextmanager
def _taken_over(run: Run, lock: FileLock) -> Iterator[int]:
    """Take the lock of a run that has ended, while no command can be sent to it.

    Yields the length of commands.jsonl: what was sent before was meant for the earlier worker. Waits for one that has
    told its end but not left yet; raises RunError where one is alive.
    """
    deadline = time.monotonic() + SECONDS_TO_LEAVE
    while True:
        with run.inbox() as descriptor:
            if lock.acquire(patience=0):
                yield os.fstat(descriptor).st_size
                return
        if run.status() in LIVE or time.monotonic() >= deadline:
            raise RunError(
                "Run is live", f"Run {run.id} {STATUS_WORDS[run.status()]} already.", f"mnist-tui attach {run.id}"
            )
        time.sleep(SECONDS_BETWEEN_LOOKS)


def extended(run: Run, epochs: int, schedule: ExtensionSchedule = "hold") -> RunExtended | None:
    """Return the event that gives `run` this many epochs in all; None where it has as many.

    Raises ConfigError for a number that no run can have, and RunError when so many epochs are done.
    """
    epochs, progress = parse_field("epochs", epochs), run.progress()
    done, planned = len(progress.epochs), progress.planned_epochs or run.config.epochs
    if epochs <= done:
        plural = "" if done == 1 else "s"
        raise RunError(
            "Epochs are done already",
            f"Run {run.id} has trained {done:,} epoch{plural}, so {epochs:,} in all leaves nothing to train.",
            f"Ask for more than {done:,} epoch{plural}: --epochs counts those that are done too.",
        )
    return None if epochs == planned else RunExtended(epochs_before=planned, epochs=epochs, schedule=schedule)


def _restore(run: Run, config: bytes, size: int) -> None:
    """Make a run whose worker could not be started what it was before: its settings, its log of so many bytes."""
    with contextlib.suppress(OSError):
        if run.config_path.read_bytes() != config:
            write_atomically(run.config_path, lambda file: file.write(config))
    with contextlib.suppress(OSError):
        if _size(run.events_path) > size:
            os.truncate(run.events_path, size)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def continued(config: TrainConfig, changes: dict[str, Any]) -> TrainConfig:
    """Return the settings that a run with `config` goes on with; raise ConfigError for what cannot change."""
    for name in changes.keys() - {"backend", "device", "threads"}:
        raise ConfigError(name, f"{FIELDS[name].label} cannot change in the middle of a run.", "Train a new one.")
    pinned = NATIVE[config.backend] if config.conventions == "auto" else config.conventions
    if changes.get("backend", config.backend) != config.backend:
        changes = {"conventions": pinned, "device": "auto", **changes}
    return config.replace(**changes)


def _start_worker(run: Run, lock: FileLock, device: str, skip_queue: bool, commands_from: int = 0) -> None:
    """Start the worker with the run's lock and its ticket for `device` handed over, so that neither is free between.

    It obeys what stands in commands.jsonl from the byte `commands_from` on.
    """
    command = python_command("engine.worker", str(run.path), "--lock-descriptor", str(lock.descriptor))
    command += ["--commands-from", str(commands_from)]
    ticket = None if skip_queue else Ticket.draw(expected_queue(device).key, run)
    command += ["--ticket", str(ticket.path), str(ticket.descriptor)] if ticket else ["--now"]
    try:
        with os.fdopen(open_regular(run.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "ab") as log:
            now = datetime.now().astimezone()
            log.write(f"{WORKER_STARTED} {now:%Y-%m-%d %H:%M:%S %z}{memory_kills_line()}\n".encode())
            log.flush()
            _spawn(command, log, [lock.descriptor, *([ticket.descriptor] if ticket else [])])
    finally:
        if ticket:
            ticket.release()


def _spawn(command: list[str], log: IO[bytes], descriptors: list[int]) -> None:
    """Start a process of its own session that keeps `descriptors`. Raises RunError where the system starts none."""
    try:
        worker = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=descriptors,
            start_new_session=True,
            env=python_environment(),
            cwd=working_folder(),
        )
    except OSError as error:
        raise RunError("Run not started", *explain(error, "started", command[0])) from error
    _reap(worker)


def _reap(worker: subprocess.Popen[bytes]) -> None:
    """Wait for the end of `worker` on a thread: else it would stay a zombie until this process ends, too."""
    with contextlib.suppress(RuntimeError):  # no thread to be had: a zombie does less harm
        threading.Thread(target=worker.wait, name=f"wait for worker {worker.pid}", daemon=True).start()
