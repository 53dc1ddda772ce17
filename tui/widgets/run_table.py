"""The table of runs: ten thousand cost no more than a page."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.message import Message

from tui.cells import fitted
from tui.run_columns import GAP, Column, cell
from tui.run_list import Listing
from tui.snapshot import RunSnapshot
from tui.status import GLYPHS
from tui.widgets.line_table import LineTable

MARGIN, MARGIN_RIGHT = 3, 1
"""Cells before the first column, for the cursor and the mark, and after the last."""
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
        self._listing = Listing()
        self._marked: Set[str] = frozenset()
        self._columns: list[Column] = []

    def show(self, listing: Listing) -> None:
        """Show the runs of `listing`; the cursor stays on its run where that is among them.

        In another order than before, it goes to the first.
        """
        chosen, known = self.chosen, self._listing
        self._listing = listing
        runs, before, view = listing.runs, known.runs, listing.view
        columns = self._find_columns()
        is_sorted_anew = (view.column, view.is_falling) != (known.view.column, known.view.is_falling)
        position = 0 if is_sorted_anew else min(self.cursor, max(0, len(runs) - 1))
        if not is_sorted_anew and chosen and not (position < len(runs) and runs[position].run.id == chosen.run.id):
            position = next((at for at, one in enumerate(runs) if one.run.id == chosen.run.id), 0)
        changed = None
        if len(before) == len(runs) and known.view == view and not self._differ(columns):
            changed = [row for row, run in enumerate(runs) if run is not before[row]]
        self._columns = columns
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
        return self.runs[self.cursor] if self.cursor < len(self.runs) else None

    @property
    def runs(self) -> tuple[RunSnapshot, ...]:
        """The runs that are listed, in order."""
        return self._listing.runs

    @property
    def columns(self) -> list[Column]:
        """The columns that there is room for."""
        return self._columns

    def on_resize(self) -> None:
        """Choose the columns that there is room for."""
        self._columns = self._find_columns()
        super().on_resize()

    def _find_columns(self) -> list[Column]:
        return self._listing.wanted.fitting(self.room.width - MARGIN - MARGIN_RIGHT)

    def _differ(self, columns: list[Column]) -> bool:
        """Whether `columns` are others than those shown: their names, widths or headings."""
        shown, found = ([(one.name, one.width, one.heading) for one in each] for each in (self._columns, columns))
        return shown != found

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
        for column in self._columns:
            if start <= x < start + column.width + GAP and column.order:
                self.post_message(self.HeaderClicked(column.name))
            start += column.width + GAP

    def heading(self) -> list[Segment]:
        """Return the columns' names; an arrow is where the runs are sorted by."""
        quiet, chosen = self.style_of("quiet"), self.style_of("sorted")
        falling, rising = (ASCII_FALLING, ASCII_RISING) if self._ascii else (FALLING, RISING)
        segments = [Segment(" " * MARGIN, quiet)]
        view = self._listing.view
        for column in self._columns:
            is_sorted = column.name == view.column
            arrow = (falling if view.is_falling else rising) if is_sorted else ""
            name = f"{column.title}{arrow}" if column.is_figure else f"{column.title} {arrow}"
            text = fitted(name.rstrip(), column.width, column.is_figure, self._ascii)
            segments += [Segment(text, chosen if is_sorted else quiet), Segment(" " * GAP, quiet)]
        return segments[:-1]

    def line(self, row: int) -> list[Segment]:
        """Return a run's line, after the cursor and the mark."""
        snapshot, has_cursor = self.runs[row], row == self.cursor
        is_marked = snapshot.run.id in self._marked
        pointer, mark = (ASCII_POINTER, ASCII_MARK) if self._ascii else (POINTER, MARK)
        around = self.style_of(("cursor" if self.has_focus else "resting") if has_cursor else "text")
        segments = [
            Segment(pointer if has_cursor else " ", around),
            Segment(f"{mark if is_marked else ' '} ", around if has_cursor else self.style_of("mark")),
        ]
        for column in self._columns:
            style = around
            if not has_cursor and column.name in ("status", "created", "note", "id"):
                style = self.style_of(snapshot.status if column.name == "status" else "quiet")
            segments += [Segment(cell(column, snapshot, self._ascii), style), Segment(" " * GAP, around)]
        return segments[:-1]
