"""Locks between processes: a file that a process holds an `flock` on for as long as it lives."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from engine.folders import state_folder
from engine.regular_files import NotRegularError, open_regular


class FileLock:
    """An exclusive lock on `path`, held from `acquire` until `release` or the end of the process.

    The descriptor is not inherited by child processes, unless handed over on purpose: an `flock` outlives its
    holder while any child still has the descriptor.
    """

    def __init__(self, path: Path, descriptor: int | None = None) -> None:
        self.path = path
        self._descriptor = descriptor

    @property
    def descriptor(self) -> int:
        """The open file descriptor that carries the lock, to hand over to a worker."""
        if self._descriptor is None:
            raise RuntimeError(f"{self.path} is not locked")
        return self._descriptor

    def acquire(self, patience: float = 1.0) -> bool:
        """Try to take the lock for up to `patience` seconds; return whether it is ours.

        A reader that looks whether a lock is held (see `is_held`) shares it for microseconds, hence the patience.
        """
        descriptor = open_regular(self.path, os.O_RDWR | os.O_CREAT)
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    return False
                time.sleep(0.01)
            else:
                self._descriptor = descriptor
                return True

    def release(self) -> None:
        """Give the lock up, if it is ours. A process it was handed over to keeps it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_held(path: Path) -> bool:
    """Return whether some process holds the lock on `path`; nobody holds what is not a file."""
    try:
        descriptor = open_regular(path)
    except (FileNotFoundError, NotRegularError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def device_lock_path(device: str) -> Path:
    """Return the lock file of a device, the same for all of a user's run stores; its folder is made."""
    folder = state_folder() / "devices"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{device.replace(':', '-')}.lock"
