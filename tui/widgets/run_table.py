"""The table of runs, drawn line by line as it is scrolled: ten thousand cost no more than a page."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.run_list import GAP, Column, View, cell, columns_in, fitted
from tui.snapshot import RunSnapshot
from tui.status import GLYPHS

MARGIN = 3
"""Cells before the first column, for the cursor and the mark."""
POINTER, ASCII_POINTER = "▸", ">"
MARK, ASCII_MARK = "◆", "#"
FALLING, RISING, ASCII_FALLING, ASCII_RISING = "▼", "▲", "v", "^"


class RunTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Runs line by line, with a cursor that the arrows and the mouse move, and with marks."""

    DEFAULT_CSS = """
    RunTable {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .run-table--text { color: $foreground; }
        & > .run-table--header { color: $text-muted; }
        & > .run-table--sorted { color: $text-primary; text-style: bold; }
        & > .run-table--mark { color: $text-accent; text-style: bold; }
        & > .run-table--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
        & > .run-table--resting { background: $block-cursor-blurred-background; color: $foreground; }
        & > .run-table--waiting, & > .run-table--quiet { color: $text-muted; }
        & > .run-table--running { color: $text-primary; }
        & > .run-table--paused { color: $text-warning; }
        & > .run-table--completed { color: $text-success; }
        & > .run-table--stopped { color: $text-secondary; }
        & > .run-table--failed, & > .run-table--crashed { color: $text-error; }
    }
    """
    COMPONENT_CLASSES = {
        *(f"run-table--{name}" for name in ("text", "header", "sorted", "mark", "cursor", "resting", "quiet")),
        *(f"run-table--{status}" for status in GLYPHS),
    }
    ALLOW_SELECT = False
    BINDINGS = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,g,ctrl+home", "go_to(0)", show=False),
        Binding("end,G,ctrl+end", "go_to(-1)", show=False),
    ]

    cursor: reactive[int] = reactive(0)

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
        self.set_reactive(RunTable.cursor, position)
        self.virtual_size = Size(self.scrollable_content_region.width, len(runs) + 1)
        self._scroll_to_cursor()
        if len(before) != len(runs) or known != (view, longest):
            self.refresh()
        else:
            self._refresh_changed(before)
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
    def row_count(self) -> int:
        """How many runs are listed."""
        return len(self._runs)

    @property
    def columns(self) -> list[Column]:
        """The columns that there is room for."""
        return [column for column, _ in self._widths()]

    def _refresh_changed(self, before: Sequence[RunSnapshot]) -> None:
        """Have painted the lines that show another snapshot than before."""
        first, width = round(self.scroll_offset.y), self.size.width
        seen = range(first, min(first + self.size.height, len(self._runs)))
        changed = [row - first + 1 for row in seen if self._runs[row] is not before[row]]
        if changed:
            self.refresh(*(Region(0, line, width, 1) for line in changed))

    # Moving

    @property
    def _rows_seen(self) -> int:
        return max(1, self.size.height - 1)

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._runs) + 1)
        self._scroll_to_cursor()

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor among the runs."""
        return max(0, min(cursor, len(self._runs) - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        """Show where the cursor is and tell."""
        first = round(self.scroll_offset.y)
        self.refresh(*(Region(0, row - first + 1, self.size.width, 1) for row in (before, now) if row >= first))
        self._scroll_to_cursor()
        self.post_message(self.Highlighted(self.chosen))

    def _scroll_to_cursor(self) -> None:
        first = round(self.scroll_offset.y)
        if self.cursor < first:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= first + self._rows_seen:
            self.scroll_to(y=self.cursor - self._rows_seen + 1, animate=False, force=True)

    def action_move(self, rows: int) -> None:
        """Move the cursor by some rows."""
        self.cursor += rows

    def action_page(self, pages: int) -> None:
        """Move the cursor by a page."""
        self.cursor += pages * self._rows_seen

    def action_go_to(self, position: int) -> None:
        """Move the cursor to the first (0) or the last (-1) run."""
        self.cursor = position if position >= 0 else len(self._runs) - 1

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the run that is clicked: twice opens it, on its margin marks it; tell of a heading."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            self._click_header(offset.x)
            return
        row = offset.y - 1 + round(self.scroll_offset.y)
        if row < len(self._runs):
            self.cursor = row
            if offset.x < MARGIN:
                self.post_message(self.Ticked())
            elif event.chain == 2:
                self.post_message(self.Opened())

    def _click_header(self, x: int) -> None:
        start = MARGIN
        for column, width in self._widths():
            if start <= x < start + width + GAP and column.order:
                self.post_message(self.HeaderClicked(column.name))
            start += width + GAP

    # Drawing

    def _widths(self) -> list[tuple[Column, int]]:
        return columns_in(self.scrollable_content_region.width - MARGIN, self._longest)

    def render_line(self, y: int) -> Strip:
        """Draw the header, which stays where it is, or the run on line `y` of the widget."""
        width, plain = self.size.width, self.rich_style
        row = y - 1 + round(self.scroll_offset.y)
        if y == 0:
            segments = self._header()
        elif row < len(self._runs):
            segments = self._line(row)
        else:
            return Strip.blank(width, plain)
        return Strip(segments).adjust_cell_length(width, segments[-1].style or plain)

    def _header(self) -> list[Segment]:
        quiet, chosen = self._style("header"), self._style("sorted")
        falling, rising = (ASCII_FALLING, ASCII_RISING) if self._ascii else (FALLING, RISING)
        segments = [Segment(" " * MARGIN, quiet)]
        for column, width in self._widths():
            is_sorted = column.name == self._view.column
            arrow = (falling if self._view.is_falling else rising) if is_sorted else ""
            name = f"{column.name[: width - len(arrow)]}{arrow}" if column.is_figure else f"{column.name} {arrow}"
            text = fitted(name.rstrip(), width, column.is_figure, self._ascii)
            segments += [Segment(text, chosen if is_sorted else quiet), Segment(" " * GAP, quiet)]
        return segments[:-1]

    def _line(self, row: int) -> list[Segment]:
        snapshot, has_cursor = self._runs[row], row == self.cursor
        is_marked = snapshot.run.id in self._marked
        pointer, mark = (ASCII_POINTER, ASCII_MARK) if self._ascii else (POINTER, MARK)
        around = self._style(("cursor" if self.has_focus else "resting") if has_cursor else "text")
        segments = [
            Segment(pointer if has_cursor else " ", around),
            Segment(f"{mark if is_marked else ' '} ", around if has_cursor else self._style("mark")),
        ]
        for column, width in self._widths():
            style = around
            if not has_cursor and column.name in ("status", "created", "note"):
                style = self._style(snapshot.status if column.name == "status" else "quiet")
            segments += [Segment(cell(column, snapshot, width, self._ascii), style), Segment(" " * GAP, around)]
        return segments[:-1]

    def _style(self, name: str):  # type: ignore[no-untyped-def]
        return self.get_component_rich_style(f"run-table--{name}")

    def on_focus(self) -> None:
        """Show the cursor as the one that the keys move."""
        self.refresh()

    def on_blur(self) -> None:
        """Show the cursor as one at rest."""
        self.refresh()
