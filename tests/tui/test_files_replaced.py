"""Something else in place of a run's file: every command ends, tells what it is, and shows the other runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.config import TrainConfig
from engine.eventlog import EventWriter
from engine.events import RunFinished
from engine.runs import Run, Store
from tests.engine.test_regular_files import nothing_waits as nothing_waits
from tui.cli import run as run_command
from tui.snapshot import RunReplay

FILES = ("config.json", "events.jsonl", "commands.jsonl", "run.lock", "worker.log", "labels.json", "last.safetensors")
MAKERS: dict[str, Callable[[Path], object]] = {
    "named pipe": os.mkfifo,
    "symbolic link": lambda path: path.symlink_to("/dev/zero"),
}
COMMANDS = (
    ("runs",),
    ("runs", "--json"),
    ("show", "RUN"),
    ("show", "RUN", "other"),
    ("compare", "RUN", "other"),
    ("attach", "RUN", "--lines"),
    ("mistakes", "RUN"),
    ("pause", "RUN"),
    ("stop", "RUN"),
    ("set", "RUN", "learning-rate", "0.1"),
    ("rename", "RUN", "another"),
    ("note", "RUN", "words"),
    ("delete", "RUN", "--yes"),
)


@pytest.fixture
def damaged(store: Store) -> Run:
    """A run that has failed, next to another one called `other`."""
    for name in ("mine", "other"):
        run, lock = store.create(TrainConfig.create(name=name))
        log = EventWriter(run.events_path)
        log.append(RunFinished(outcome="stopped", epochs=0))
        log.close()
        lock.release()
    return store.runs()[0]


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("name", FILES)
def test_every_command_ends_and_says_what_is_there(
    damaged: Run, name: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = damaged.path / name
    for command in COMMANDS:
        if damaged.path.exists():
            path.unlink(missing_ok=True)
            MAKERS[kind](path)
        status = run_command([damaged.id if word == "RUN" else word for word in command])
        said = capsys.readouterr()
        assert "bug in mnist-tui" not in said.err, said
        assert status in (0, 1, 2)
        needs = {"config.json": ("show", "compare", "runs"), "events.jsonl": ("show", "attach", "runs")}
        if command[0] in needs.get(name, ()):
            assert f"{kind}, not a file" in " ".join((said.out + said.err).split()), (command, said)
    assert not damaged.path.exists()


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("name", FILES)
def test_the_app_shows_such_a_run(damaged: Run, name: str, kind: str) -> None:
    (damaged.path / name).unlink(missing_ok=True)
    MAKERS[kind](damaged.path / name)
    replay = RunReplay(damaged)
    replay.update()
    if name in ("config.json", "events.jsonl"):
        assert f"{kind}, not a file" in replay.snapshot.problem
    assert replay.snapshot.status == ("crashed" if name == "events.jsonl" else "stopped")
