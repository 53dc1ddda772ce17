"""The processes of workers that the tests launched, for what only a signal can do to them."""

from __future__ import annotations

import contextlib

import psutil

from engine.runs import Run


def worker_of(run: Run) -> psutil.Process:
    """Return the process that this one started to train `run`."""
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
            if str(run.path) in process.cmdline():
                return process
    raise AssertionError(f"{run.id} has no worker")
