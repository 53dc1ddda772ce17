"""How the engine starts Python processes of its own."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import engine
from engine.folders import homeless_environment

AUTOGROUP = Path("/proc/self/autogroup")
START = Path(engine.__file__).parent.parent / "mnist_tui.py"
FOR_PEOPLE = ("PYTHONINSPECT", "PYTHONWARNINGS")
"""What changes Python for whoever sits before it. In a worker, the first opens a prompt at its end, which loses its
exit status; the second, set to "error", makes a framework fail at its own warnings."""


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs `module` of this program with this interpreter. Start no process in another way.

    The working directory is not searched (-P), and mnist_tui.py finds this program's own packages before others of the
    same name: a file of the user's called `engine.py`, `torch.py` or `numpy.py` must not be run.
    """
    return [sys.executable, "-P", str(START), "-m", module, *arguments]


def python_environment() -> dict[str, str]:
    """Return the environment for `python_command`: output unbuffered, TensorFlow less talkative, GPUs numbered
    as nvidia-smi does.

    OpenMP's threads sleep while they wait for each other: spinning, two of them took 96 ms for a step of PyTorch on a
    busy machine, and 12 ms asleep.
    """
    environment = {
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "OMP_WAIT_POLICY": "PASSIVE",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        **os.environ,
        **homeless_environment(),
        "PYTHONUNBUFFERED": "1",
    }
    return {name: value for name, value in environment.items() if name not in FOR_PEOPLE}


def give_way(niceness: int) -> None:
    """Let other processes go first on a busy processor: raise this one's `niceness`, from 0 to 19.

    Where Linux divides the processor between sessions first (sched(7), autogroups), a process that leads one of its own
    must say so for the session: niceness counts only within it.
    """
    now = os.nice(niceness)
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):  # there are none, or the kernel has them changed once in 0.1 s
            AUTOGROUP.write_text(str(now))
