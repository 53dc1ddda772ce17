"""The table of runs: ten thousand cost no more than a page."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.message import Message

from tui.cells import fitted
from tui.run_list import GAP, Column, View, cell, columns_in
from tui.snapshot import RunSnapshot
from tui.status import GLYPHS
from tui.widgets.line_table import LineTable

MARGIN = 3
"""Cells before the first column, for the cursor and the mark."""
POINTER, ASCII_POINTER = "▸", ">"
MARK, ASCII_MARK = "◆", "#"
FALLING, RISING, ASCII_FALLING, ASCII_RISING = "▼", "▲", "v", "^"


class RunTable(LineTable):
    """Runs line by line, with a cursor that the arrows and the mouse move, and with marks."""

    DEFAULT_CSS = """
    RunTable {
        & > .table--sorted { color: $text-primary; text-style: bold; }
        & > .table--mark { color: $text-accent; text-style: bold; }
        & > .table--waiting { color: $text-muted; }
        & > .table--running { color: $text-primary; }
        & > .table--paused { color: $text-warning; }
        & > .table--completed { color: $text-success; }
        & > .table--stopped { color: $text-secondary; }
        & > .table--failed, & > .table--crashed { color: $text-error; }
    }
    """
    COMPONENT_CLASSES = {"table--sorted", "table--mark", *(f"table--{status}" for status in GLYPHS)}

    @dataclass
    class Highlighted(Message):
        """The cursor is on another run, or on none."""

        run: RunSnapshot | None

    @dataclass
    class Opened(Message):
        """The run under the cursor was clicked twice."""

    @dataclass
    class Ticked(Message):
        """The margin before the run under the cursor was clicked, where its mark is."""

    @dataclass
    class HeaderClicked(Message):
        """The heading of a column was clicked."""

        column: str

    def __init__(self, *, ascii: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._ascii = ascii
        self._runs: tuple[RunSnapshot, ...] = ()
        self._marked: Set[str] = frozenset()
        self._view = View()
        self._longest = 0

    def show(self, runs: tuple[RunSnapshot, ...], view: View, longest: int) -> None:
        """Show `runs`, which are in the order of `view`; the cursor stays on its run where that is among them.

        In another order than before, it goes to the first.
        `longest` is how many cells the longest name has, also of the runs that are not listed.
        """
        chosen, before, known = self.chosen, self._runs, (self._view, self._longest)
        self._runs, self._view, self._longest = runs, view, longest
        is_sorted_anew = (view.column, view.is_falling) != (known[0].column, known[0].is_falling)
        position = 0 if is_sorted_anew else min(self.cursor, max(0, len(runs) - 1))
        if not is_sorted_anew and chosen and not (position < len(runs) and runs[position].run.id == chosen.run.id):
            position = next((at for at, one in enumerate(runs) if one.run.id == chosen.run.id), 0)
        changed = None
        if len(before) == len(runs) and known == (view, longest):
            changed = [row for row, run in enumerate(runs) if run is not before[row]]
        self.show_rows(len(runs), position, changed)
        if self.chosen is not chosen:
            self.post_message(self.Highlighted(self.chosen))

    def mark(self, marked: Set[str]) -> None:
        """Mark the runs with these ids."""
        self._marked = marked
        self.refresh()

    @property
    def chosen(self) -> RunSnapshot | None:
        """The run under the cursor."""
        return self._runs[self.cursor] if self.cursor < len(self._runs) else None

    @property
    def runs(self) -> tuple[RunSnapshot, ...]:
        """The runs that are listed, in order."""
        return self._runs

    @property
    def columns(self) -> list[Column]:
        """The columns that there is room for."""
        return [column for column, _ in self._widths()]

    def cursor_moved(self) -> None:
        """Tell which run is under the cursor now."""
        self.post_message(self.Highlighted(self.chosen))

    def row_clicked(self, x: int, event: events.Click) -> None:
        """Mark the run that is clicked on its margin; open it when it is clicked twice."""
        if x < MARGIN:
            self.post_message(self.Ticked())
        elif event.chain == 2:
            self.post_message(self.Opened())

    def heading_clicked(self, x: int) -> None:
        """Tell which column's heading that is."""
        start = MARGIN
        for column, width in self._widths():
            if start <= x < start + width + GAP and column.order:
                self.post_message(self.HeaderClicked(column.name))
            start += width + GAP

    def _widths(self) -> list[tuple[Column, int]]:
        return columns_in(self.scrollable_content_region.width - MARGIN, self._longest)

    def heading(self) -> list[Segment]:
        """Return the columns' names; an arrow is where the runs are sorted by."""
        quiet, chosen = self.style_of("quiet"), self.style_of("sorted")
        falling, rising = (ASCII_FALLING, ASCII_RISING) if self._ascii else (FALLING, RISING)
        segments = [Segment(" " * MARGIN, quiet)]
        for column, width in self._widths():
            is_sorted = column.name == self._view.column
            arrow = (falling if self._view.is_falling else rising) if is_sorted else ""
            name = f"{column.name[: width - len(arrow)]}{arrow}" if column.is_figure else f"{column.name} {arrow}"
            text = fitted(name.rstrip(), width, column.is_figure, self._ascii)
            segments += [Segment(text, chosen if is_sorted else quiet), Segment(" " * GAP, quiet)]
        return segments[:-1]

    def line(self, row: int) -> list[Segment]:
        """Return a run's line, after the cursor and the mark."""
        snapshot, has_cursor = self._runs[row], row == self.cursor
        is_marked = snapshot.run.id in self._marked
        pointer, mark = (ASCII_POINTER, ASCII_MARK) if self._ascii else (POINTER, MARK)
        around = self.style_of(("cursor" if self.has_focus else "resting") if has_cursor else "text")
        segments = [
            Segment(pointer if has_cursor else " ", around),
            Segment(f"{mark if is_marked else ' '} ", around if has_cursor else self.style_of("mark")),
        ]
        for column, width in self._widths():
            style = around
            if not has_cursor and column.name in ("status", "created", "note"):
                style = self.style_of(snapshot.status if column.name == "status" else "quiet")
            segments += [Segment(cell(column, snapshot, width, self._ascii), style), Segment(" " * GAP, around)]
        return segments[:-1]
