"""Relaunching a run: which commands its new worker obeys. The worker itself is not started here."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from engine import commands, launcher
from engine.config import TrainConfig
from engine.control import Control
from engine.errors import RunError
from engine.launcher import relaunch
from engine.locks import FileLock
from engine.runs import Run, Store
from tests.engine.test_runs import COMPLETED, STARTED, STOPPED, tell

ROUNDS = 25
ToRate = commands.SetLearningRate


class Unstarted:
    """A worker process that is not started: it has ended at once."""

    pid = 0

    def wait(self) -> int:
        return 0


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The command lines of the workers that would have been started."""
    command_lines: list[list[str]] = []

    def popen(command: list[str], **options: Any) -> Unstarted:
        command_lines.append(command)
        return Unstarted()

    monkeypatch.setattr(launcher.subprocess, "Popen", popen)
    return command_lines


@pytest.fixture
def run(store: Store) -> Run:
    """A run that was stopped by a command."""
    run, lock = store.create(TrainConfig.create(epochs=3))
    tell(run, STARTED)
    run.send(commands.Stop())
    tell(run, STOPPED)
    lock.release()
    return run


def heard(run: Run, command_line: list[str]) -> list[commands.AnyCommand]:
    """What the worker with this command line would obey."""
    return Control(run.commands_path, int(command_line[command_line.index("--commands-from") + 1])).pending()


def test_what_the_earlier_worker_was_asked_is_not_asked_of_the_new_one(run: Run, started: list[list[str]]) -> None:
    relaunch(run, skip_queue=True)
    assert heard(run, started[0]) == []


def test_a_worker_that_has_told_its_end_takes_no_commands(run: Run) -> None:
    """It may take seconds to leave, and would not carry them out."""
    lock = FileLock(run.lock_path)
    assert lock.acquire()
    tell(run, COMPLETED)
    with pytest.raises(RunError, match="has finished: it is not running any more"):
        run.send(commands.Pause())
    lock.release()


def test_no_command_that_was_accepted_during_a_relaunch_is_lost(run: Run, started: list[list[str]]) -> None:
    """Somebody sends as fast as possible, while a run is relaunched again and again."""
    accepted: list[float] = []
    is_over = threading.Event()

    def send_on() -> None:
        number = 0
        while not is_over.is_set():
            number += 1
            try:
                run.send(ToRate(learning_rate=float(number)))
            except RunError:
                continue
            accepted.append(float(number))

    sender = threading.Thread(target=send_on)
    sender.start()
    obeyed: set[float] = set()
    for _ in range(ROUNDS):
        relaunch(run, skip_queue=True)  # nobody holds the lock afterwards, so nothing more is accepted
        with run.inbox():  # what was accepted is written
            pass
        obeyed |= {command.learning_rate for command in heard(run, started[-1]) if isinstance(command, ToRate)}
        tell(run, STOPPED)
    is_over.set()
    sender.join()
    assert accepted
    assert set(accepted) == obeyed
