"""Runs of another user: they can be read where their owner allows it, and what may not be written is told as that."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.config import TrainConfig
from engine.runs import Run, Store
from tests.waiting import PATIENCE

STRANGER = ("unshare", "--user", "--map-user=12345", "--map-group=12345")
COMMAND = (sys.executable, "-P", "-c", "from tui.cli import main; main()")
OWNER = 1234


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Run]:
    """A live run of another user, in a store that everyone may read."""
    can_be_made = os.geteuid() == 0 and shutil.which(STRANGER[0]) is not None
    if not can_be_made or subprocess.run([*STRANGER, "true"], capture_output=True).returncode:
        pytest.skip("giving files to another user takes root, and being a third one a user namespace")
    run, lock = Store(tmp_path / "store").create(TrainConfig.create(device="cpu"))
    run.commands_path.touch()
    for path in (run.path.parent, *run.path.parent.rglob("*")):
        os.chown(path, OWNER, OWNER)
        path.chmod(0o755 if path.is_dir() else 0o644)
    yield run
    lock.release()


def as_stranger(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "TMPDIR": str(home)}
    return subprocess.run(
        [*STRANGER, *COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=PATIENCE, cwd=home
    )


@pytest.mark.parametrize("command", ["pause", "stop"])
def test_a_command_to_anothers_run_says_whose_it_is(live: Run, tmp_path: Path, command: str) -> None:
    answer = as_stranger(command, live.id, "--store", str(live.path.parent), home=tmp_path)
    assert answer.returncode == 2
    assert f"{live.commands_path} cannot be written: " in answer.stderr
    assert "may not write to it (it belongs to " in answer.stderr
    assert "for access" in answer.stderr
    assert "Make room" not in answer.stderr


def test_anothers_run_that_nobody_else_may_read_does_not_hide_the_own_ones(live: Run, tmp_path: Path) -> None:
    store = live.path.parent
    secret, lock = Store(store).create(TrainConfig.create(device="cpu"))
    lock.release()
    for path in secret.path.iterdir():
        os.chown(path, OWNER, OWNER)
        path.chmod(0o600)
    listed = as_stranger("runs", "--store", str(store), home=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert live.id in listed.stdout
    shown = as_stranger("show", secret.id, "--store", str(store), home=tmp_path)
    assert shown.returncode == 2
    assert "may not read it (it belongs to " in shown.stderr
    assert "Traceback" not in shown.stderr
