"""The event log of a run: append-only for its worker, followed by any number of readers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from engine import events
from engine.causes import name_path
from engine.errors import RunError
from engine.events import AnyEvent
from engine.regular_files import NotRegularError, open_regular, open_to_read

READ_LIMIT = 1024 * 1024
TAIL_BYTES = 16 * 1024
LONGEST_LINE = 1024 * 1024
"""What is longer is no event or command, and is left out."""


class EventWriter:
    """Appends events to a log, each in one write; one process writes a log at a time."""

    def __init__(self, path: Path) -> None:
        self._descriptor = open_regular(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        self._path = path
        size = os.fstat(self._descriptor).st_size
        self._is_new = size == 0
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            # A line torn by a crash: closing it makes it one damaged line, which readers leave out.
            os.write(self._descriptor, b"\n")

    def append(self, event: AnyEvent) -> None:
        """Write one event; what ends an epoch or a run is on disk when this returns."""
        line = events.encode(event, first=self._is_new)
        self._is_new = False
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
            if not isinstance(event, events.Step):
                os.fsync(self._descriptor)
        except OSError as error:
            name_path(error, self._path, self._path)
            raise

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def not_a_file(error: NotRegularError) -> RunError:
    """Return what to tell the user of something else in place of one of a run's files."""
    return RunError("Run not readable", f"{error.filename} cannot be read: {error.strerror}.", "Move it away.")


class LineFollower:
    """Reads the complete lines that were added to a file since the last look. A torn last line stays pending."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset

    def read(self, limit: int = READ_LIMIT) -> list[bytes]:
        """Return new complete lines, of at most about `limit` bytes; [] when there are none or no file yet.

        Raises RunError where there is something else than a file, and OSError.
        """
        return self.read_block(limit).splitlines()

    def read_block(self, limit: int = READ_LIMIT) -> bytes:
        """Return the same in one piece, each line with its end."""
        try:
            with open_to_read(self.path) as file:
                file.seek(self.offset)
                data = file.read(limit)
                if len(data) == limit and b"\n" not in data:
                    data += file.readline(LONGEST_LINE)
        except FileNotFoundError:
            return b""
        except NotRegularError as error:
            raise not_a_file(error) from error
        if len(data) >= LONGEST_LINE and b"\n" not in data:
            self.offset += len(data)  # what follows up to the line's end is damaged, too
            return b"\n"
        complete = data[: data.rfind(b"\n") + 1]
        self.offset += len(complete)
        return complete


class EventFollower:
    """Reads a log's events as they are appended, from the beginning."""

    def __init__(self, path: Path) -> None:
        self._lines = LineFollower(path)

    def read(self, steps: int | None = None) -> list[AnyEvent]:
        """Return the events added since the last look, some megabytes at most; [] when there are none.

        With `steps`, at most so many of every stretch of step events in between, evenly spread and with the last.
        """
        while block := self._lines.read_block():
            lines = block.splitlines() if steps is None else _thinned(block, steps)
            if found := [event for event in map(events.decode, lines) if event is not None]:
                return found
        return []


_NO_STEP = re.compile(rb"\n(?!%s)" % re.escape(events.STEP_BEGINS))
"""The end of a line that one follows which is no step. Millions of steps are passed over in a tenth of a second."""


def _thinned(block: bytes, steps: int) -> Iterator[bytes]:
    """Yield the lines of `block`, and of each stretch of steps at most `steps`."""
    block = b"\n" + block
    place = 1
    for line_end in _NO_STEP.finditer(block, 0, len(block) - 1):
        start = line_end.end()
        yield from _some(block[place:start], steps)
        place = block.index(b"\n", start) + 1
        yield block[start:place]
    yield from _some(block[place:], steps)


def _some(stretch: bytes, most: int) -> list[bytes]:
    """Return at most so many of the lines of `stretch`, evenly spread and with the last."""
    if most == 1:
        return [stretch[stretch.rfind(b"\n", 0, -1) + 1 :]] if stretch else []
    lines = stretch.splitlines()
    stride = max(1, -(-len(lines) // most))
    return lines[(len(lines) - 1) % stride :: stride]


def read_backwards(path: Path) -> Iterator[AnyEvent]:
    """Yield the events of the log at `path`, the last one first; of a stretch of steps only the last ones.

    Its end alone is read for as long as the caller finds there what it wants. Raises RunError and OSError.
    """
    for block in _blocks_backwards(path):
        for line in reversed(list(_thinned(block, 1))):
            if (event := events.decode(line)) is not None:
                yield event


def _blocks_backwards(path: Path) -> Iterator[bytes]:
    """Yield the complete lines of the file at `path` in blocks, the last one first; nothing where there is no file."""
    try:
        file = open_to_read(path)
    except FileNotFoundError:
        return
    except NotRegularError as error:
        raise not_a_file(error) from error
    with file:
        end, size, rest = file.seek(0, os.SEEK_END), TAIL_BYTES, b""
        while end > 0:
            start = max(0, end - size)
            file.seek(start)
            block = file.read(end - start) + rest
            block = block[: block.rfind(b"\n") + 1]  # the last line may be torn
            first = block.find(b"\n") + 1 if start else 0
            yield block[first:]
            rest = block[:first] if first <= LONGEST_LINE else b""
            end, size = start, min(2 * size, READ_LIMIT)


def read_events(path: Path) -> list[AnyEvent]:
    """Return all events of the log at `path`, leaving out damaged lines; [] when there is no log."""
    follower = EventFollower(path)
    collected: list[AnyEvent] = []
    while batch := follower.read():
        collected.extend(batch)
    return collected
