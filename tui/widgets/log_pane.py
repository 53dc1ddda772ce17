"""What a run's workers printed, in a pane that follows while more comes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from rich.cells import chop_cells
from textual import on
from textual.binding import Binding
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Log

from engine.postmortem import TAIL_BYTES, log_tail
from engine.runs import Run
from tui.background import OneAtATime
from tui.formats import count
from tui.terminal import clean

SECONDS = 1.0
NOTHING = "The worker has printed nothing."
Stamp = tuple[int, int] | None
"""Size and time of change of a file."""


class LogPane(Log):
    """The end of the worker.log of the run given to `follow`, read only while the pane is shown."""

    BINDINGS = [Binding("escape", "screen.output", "Close output", key_display="esc")]

    @dataclass
    class Read(Message):
        """A run's log was read, in lines of `width` cells; `lines` is None where it is as it was."""

        run_id: str
        width: int
        stamp: Stamp
        lines: list[str] | None = None
        is_whole: bool = True

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="panel")
        self.border_title = "Output"
        self._reader = OneAtATime(self, "read worker.log")
        self._timer: Timer | None = None
        self._run: Run | None = None
        self._known: tuple[str, int, Stamp] = ("", 0, None)
        self._read: list[str] = []

    def follow(self, run: Run | None) -> None:
        """Show what the workers of `run` print."""
        if (run and run.id) != (self._run and self._run.id):
            self._run = run
            self._forget()
            self._ask()

    def on_show(self) -> None:
        """Read, and look now and then whether there is more."""
        if self._timer is None:
            self._timer = self.set_interval(SECONDS, self._ask)
        self._ask()

    def on_hide(self) -> None:
        """Leave the file alone."""
        if self._timer:
            self._timer.stop()
            self._timer = None

    def on_resize(self) -> None:
        """Break the lines anew."""
        self._ask()

    def _ask(self) -> None:
        if self._run and self._timer and self.screen.is_current and self.size.width:
            self._reader.ask(partial(_read, self._run, self.scrollable_content_region.width, self._known))

    @on(Read)
    def _show(self, event: Read) -> None:
        event.stop()
        if event.lines is None or self._run is None or event.run_id != self._run.id:
            return
        self._known = (event.run_id, event.width, event.stamp)
        lines = event.lines
        if self._read and self._read == lines[: len(self._read)]:
            self.write_lines(lines[len(self._read) :])
        else:
            at_end = self.is_vertical_scroll_end
            self.clear()
            self.write_lines(lines)
            if at_end:
                self.scroll_end(animate=False, immediate=True)
        self._read = lines
        self.border_subtitle = "worker.log" if event.is_whole else f"worker.log, the last {count(TAIL_BYTES >> 10)} kB"

    def _forget(self) -> None:
        self._known, self._read = ("", 0, None), []
        self.clear()
        self.border_subtitle = ""


def _read(run: Run, width: int, known: tuple[str, int, Stamp]) -> Message:
    """Read the log of `run` for lines of `width` cells, unless it is `known` like that."""
    try:
        found = run.log_path.stat()
        stamp: Stamp = (found.st_size, found.st_mtime_ns)
    except OSError:
        stamp = None
    if known == (run.id, width, stamp):
        return LogPane.Read(run.id, width, stamp)
    tail = log_tail(run)
    lines = [part for line in tail.lines or (NOTHING,) for part in (chop_cells(clean(line), width) if line else [""])]
    return LogPane.Read(run.id, width, stamp, lines, tail.is_whole)
