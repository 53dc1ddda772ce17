"""The event log of a run: append-only for its worker, followed by any number of readers."""

from __future__ import annotations

import os
from pathlib import Path

from engine import events
from engine.events import AnyEvent

READ_LIMIT = 4 * 1024 * 1024


class EventWriter:
    """Appends events to a log, each in one write; one process writes a log at a time."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        size = os.fstat(self._descriptor).st_size
        self._is_new = size == 0
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            # A line torn by a crash: closing it makes it one damaged line, which readers leave out.
            os.write(self._descriptor, b"\n")

    def append(self, event: AnyEvent) -> None:
        """Write one event; what ends an epoch or a run is on disk when this returns."""
        line = events.encode(event, first=self._is_new)
        self._is_new = False
        while line:
            line = line[os.write(self._descriptor, line) :]
        if not isinstance(event, events.Step):
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class LineFollower:
    """Reads the complete lines that were added to a file since the last look. A torn last line stays pending."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset

    def read(self, limit: int = READ_LIMIT) -> list[bytes]:
        """Return new complete lines, of at most about `limit` bytes; [] when there are none or no file yet."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                data = file.read(limit)
                if len(data) == limit and b"\n" not in data:
                    data += file.readline()
        except FileNotFoundError:
            return []
        complete = data[: data.rfind(b"\n") + 1]
        self.offset += len(complete)
        return complete.splitlines()


class EventFollower:
    """Reads a log's events as they are appended, from the beginning."""

    def __init__(self, path: Path) -> None:
        self._lines = LineFollower(path)

    def read(self) -> list[AnyEvent]:
        """Return the events added since the last look, some megabytes at most; [] when there are none."""
        decoded = (events.decode(line) for line in self._lines.read())
        return [event for event in decoded if event is not None]


def read_events(path: Path) -> list[AnyEvent]:
    """Return all events of the log at `path`, leaving out damaged lines; [] when there is no log."""
    follower = EventFollower(path)
    collected: list[AnyEvent] = []
    while batch := follower._lines.read():
        collected.extend(event for line in batch if (event := events.decode(line)) is not None)
    return collected
