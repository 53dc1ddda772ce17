"""Turns on a device: strictly first come, first served, and one at a time.

Whoever wants a device draws a ticket, a file in the device's queue numbered in the order of arrival. It holds the path
of its run, and the run's process keeps a lock on it from the draw to its own end. So the line is what the locks say and
nothing that could be wrong is stored: a ticket whose lock is free is that of a dead process, and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.causes import explain
from engine.errors import StoreError
from engine.folders import state_folder
from engine.locks import FileLock, device_lock_path, is_held
from engine.regular_files import read_regular
from engine.runs import Run

MOST_BYTES = 16 * 1024
"""Longer than any path."""


@dataclass(frozen=True)
class Place:
    """A place in the line for `device`: `number` 1 is next. `behind` is what the run just before it is called."""

    device: str
    number: int
    behind: str


class Ticket:
    """A run's ticket at `path`, locked by `lock` until this process and whoever it is handed over to have ended."""

    def __init__(self, path: Path, lock: FileLock) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def draw(cls, device: str, run: Run) -> Ticket:
        """Put `run` at the end of the line for `device`. Raises StoreError when the state folder cannot be written."""
        try:
            queue = _queue_path(device)
            queue.mkdir(parents=True, exist_ok=True)
            door = FileLock(queue / "door.lock")
            _acquire(door)
            try:
                return cls._draw_inside(queue, run)
            finally:
                door.release()
        except OSError as error:
            message, advice = explain(error, "written", state_folder())
            hint = f"{advice} Or start without a turn: --now.".strip()
            raise StoreError("No turn on the device", f"The queue for {device}: {message}", hint) from error

    @classmethod
    def _draw_inside(cls, queue: Path, run: Run) -> Ticket:
        """Draw while the door is locked: nobody else draws or clears away meanwhile."""
        tickets = _tickets(queue)
        path = queue / f"{int(tickets[-1].name) + 1 if tickets else 1:08d}"
        path.write_text(str(run.path.resolve()), errors="surrogateescape")
        lock = FileLock(path)
        _acquire(lock)
        for other in tickets:
            if not is_held(other):
                other.unlink(missing_ok=True)
        return cls(path, lock)

    @property
    def descriptor(self) -> int:
        """The open file descriptor that carries the lock, to hand over to a worker."""
        return self._lock.descriptor

    def is_next(self) -> bool:
        """Return whether nobody alive came earlier."""
        earlier = (path for path in _tickets(self.path.parent) if path.name < self.path.name)
        return not any(is_held(path) for path in earlier)  # the first of them has the device: it is the only one asked

    def release(self) -> None:
        """Leave the line, unless another process has the ticket too."""
        self._lock.release()


def place_of(run: Run, queue: str, device: str = "") -> Place | None:
    """Return where `run` stands in the queue for a device, which it knows as `device` (the queue's name by default).

    None where it is not waiting behind anybody.
    """
    own, number, behind = run.path.resolve(), 0, None
    for owner in _line(queue):
        if owner == own:
            return Place(device or queue, number, Run(behind).label) if behind else None
        number, behind = number + 1, owner
    return None


def _line(device: str) -> Iterator[Path]:
    """Yield the directories of the runs that have `device` or wait for it, in the order of their turns."""
    for path in _tickets(_queue_path(device)):
        if is_held(path):
            try:
                yield Path(read_regular(path, MOST_BYTES).decode(errors="surrogateescape"))
            except FileNotFoundError:
                continue


def _queue_path(device: str) -> Path:
    return device_lock_path(device).with_suffix(".queue")


def _tickets(queue: Path) -> list[Path]:
    """Return all tickets, the earliest first; the lock of the door is none."""
    try:
        return sorted(path for path in queue.iterdir() if path.name.isdecimal())
    except FileNotFoundError:
        return []


def _acquire(lock: FileLock) -> None:
    """Take a lock that others hold only for moments."""
    while not lock.acquire():
        pass
