"""A table drawn line by line as it is scrolled, with a heading that stays and a cursor: any number of rows is cheap."""

from __future__ import annotations

from collections.abc import Collection

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip


class LineTable(ScrollView, can_focus=True, inherit_bindings=False):
    """What is in the lines comes from `heading` and `line`; `show_rows` says how many there are."""

    DEFAULT_CSS = """
    LineTable {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .table--text { color: $foreground; }
        & > .table--quiet { color: $text-muted; }
        & > .table--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
        & > .table--resting { background: $block-cursor-blurred-background; color: $foreground; }
    }
    """
    COMPONENT_CLASSES = {"table--text", "table--quiet", "table--cursor", "table--resting"}
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
    """The row that the keys have come to."""
    row_count: int = 0

    def heading(self) -> list[Segment]:
        """Return what stands above the rows; one piece at least."""
        raise NotImplementedError

    def line(self, row: int) -> list[Segment]:
        """Return what is in a row; one piece at least, of which the last one's style goes on to the edge."""
        raise NotImplementedError

    def cursor_moved(self) -> None:
        """Do what is to be done when the cursor has come to another row."""

    def heading_clicked(self, x: int) -> None:
        """Do what a click on the heading is for, `x` cells from the left."""

    def row_clicked(self, x: int, event: events.Click) -> None:
        """Do what a click is for on the row that the cursor is on now, `x` cells from the left."""

    def show_rows(self, number: int, cursor: int, changed: Collection[int] | None = None) -> None:
        """Show so many rows, with the cursor on that one; those `changed` are painted anew, all where that is None."""
        before = self.cursor
        self.row_count = number
        self.set_reactive(LineTable.cursor, self.validate_cursor(cursor))
        self._keep_cursor_in_sight()
        if changed is None:
            self.refresh()
        else:
            self._repaint({*changed, before, self.cursor} if before != self.cursor else changed)

    def style_of(self, name: str) -> Style:
        """Return the style of the component class `table--name`."""
        return self.get_component_rich_style(f"table--{name}")

    @property
    def room(self) -> Size:
        """The cells within the border, also while the table is out of sight: those that it had last."""
        return self.outer_size - self.styles.gutter.totals

    def _repaint(self, rows: Collection[int]) -> None:
        first, room = round(self.scroll_offset.y), self.room
        seen = [row for row in rows if first <= row < first + room.height]
        if seen:
            self.refresh(*(Region(0, row - first + 1, room.width, 1) for row in seen))

    # Moving

    @property
    def _rows_seen(self) -> int:
        return max(1, self.room.height - 1)

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._keep_cursor_in_sight()

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor among the rows."""
        return max(0, min(cursor, self.row_count - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        """Show where the cursor is and tell."""
        self._repaint((before, now))
        self._keep_cursor_in_sight()
        self.cursor_moved()

    def _keep_cursor_in_sight(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, self.row_count + 1)
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
        """Move the cursor to the first (0) or the last (-1) row."""
        self.cursor = position if position >= 0 else self.row_count - 1

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the row that is clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            self.heading_clicked(offset.x)
            return
        row = offset.y - 1 + round(self.scroll_offset.y)
        if row < self.row_count:
            self.cursor = row
            self.row_clicked(offset.x, event)

    # Drawing

    def render_line(self, y: int) -> Strip:
        """Draw the heading, which stays where it is, or the row on line `y` of the widget."""
        width, plain = self.size.width, self.rich_style
        row = y - 1 + round(self.scroll_offset.y)
        if y and row >= self.row_count:
            return Strip.blank(width, plain)
        segments = self.line(row) if y else self.heading()
        return Strip(segments).adjust_cell_length(width, segments[-1].style or plain)

    def on_focus(self) -> None:
        """Show the cursor as the one that the keys move."""
        self._repaint((self.cursor,))

    def on_blur(self) -> None:
        """Show the cursor as one at rest."""
        self._repaint((self.cursor,))
