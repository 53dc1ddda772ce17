"""How the engine starts Python processes of its own."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import engine

AUTOGROUP = Path("/proc/self/autogroup")


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs `module` with this interpreter.

    With -P the working directory is not searched: a folder of the user's called `engine` must not be run.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def python_environment() -> dict[str, str]:
    """Return the environment for `python_command`: this package first, output unbuffered, TensorFlow less talkative.

    OpenMP's threads sleep while they wait for each other: spinning, two of them took 96 ms for a step of PyTorch on a
    busy machine, and 12 ms asleep.
    """
    home = str(Path(engine.__file__).parent.parent)
    path = os.pathsep.join(part for part in (home, os.environ.get("PYTHONPATH", "")) if part)
    return {
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "OMP_WAIT_POLICY": "PASSIVE",
        **os.environ,
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
    }


def give_way(niceness: int) -> None:
    """Let other processes go first on a busy processor: raise this one's `niceness`, from 0 to 19.

    Where Linux divides the processor between sessions first (sched(7), autogroups), a process that leads one of its own
    must say so for the session: niceness counts only within it.
    """
    now = os.nice(niceness)
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):  # there are none, or the kernel has them changed once in 0.1 s
            AUTOGROUP.write_text(str(now))
