"""What the tests of the command line share: the real command, in this process or its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import IO

import pexpect
import pytest

from engine.backends import BACKENDS
from tests.waiting import PATIENCE
from tui.cli import run

# A job in the background of a script, or under nohup, starts with signals ignored; the command of a user does not.
SIGNALS = "import signal as s; s.signal(s.SIGINT, s.default_int_handler); s.signal(s.SIGHUP, s.SIG_DFL)"
COMMAND = (sys.executable, "-c", f"{SIGNALS}; from tui.cli import main; main()")
LOADING = ("Loading ", "Compiling the first step", "Waiting for the first step")
"""How the lines begin that tell on stderr what a run is loading."""
QUICK = ("--threads", "1", "--batch-size", "32")

needs_a_framework = pytest.mark.skipif(
    not any(info.installed for info in BACKENDS.values()), reason="no framework is installed"
)
each_backend = pytest.mark.parametrize(
    "backend",
    [
        pytest.param(name, marks=pytest.mark.skipif(not info.installed, reason=f"{name} is not installed"))
        for name, info in BACKENDS.items()
    ],
)


def start(*arguments: str, program: Sequence[str] = COMMAND) -> subprocess.Popen[str]:
    """Start the real command in the background, without a terminal."""
    return subprocess.Popen(
        [*program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def apart_from_loading(text: str) -> str:
    """Return what was said on stderr without the lines on what is being loaded."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(LOADING))


def next_line(stderr: IO[str]) -> str:
    """Read the next line on stderr that is not about what is being loaded."""
    return next(line for line in stderr if not line.startswith(LOADING))


def on_terminal(*arguments: str, columns: int = 80, rows: int = 24) -> pexpect.spawn[str]:
    """Start the real command on a terminal of its own."""
    # The environment is given because GNU readline, which pytest imports, hides COLUMNS in the inherited one.
    return pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], *arguments],
        env=dict(os.environ),
        encoding="utf-8",
        dimensions=(rows, columns),
        timeout=PATIENCE,
    )


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the real command to its end, without a terminal."""
    return subprocess.run([*COMMAND, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)


def refused(capsys: pytest.CaptureFixture[str], arguments: Sequence[str]) -> str:
    """Return what the command says when it refuses `arguments`: on stderr alone, with status 2, and no traceback."""
    status = run(list(arguments))
    captured = capsys.readouterr()
    assert status == 2, captured
    assert captured.out == ""
    assert captured.err.count("Error: ") == 1
    assert "Traceback" not in captured.err
    return captured.err


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what the command prints on stdout, ending well."""
    status = run(list(arguments))
    captured = capsys.readouterr()
    assert status == 0, captured
    return captured.out
