"""A grid of small pictures with captions, drawn line by line as it is scrolled: thousands cost no more than a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.cells import centred
from tui.terminal import PictureMode
from tui.widgets.digit import picture_strips

if TYPE_CHECKING:
    from tui.widgets.digit import Image

PICTURE_COLUMNS = 14
CAPTION_CELLS = PICTURE_COLUMNS
"""The cells that a caption may take; of a longer one the end is cut off."""
PICTURE_LINES = PICTURE_COLUMNS // 2
MOST_KEPT = 2000
"""Drawn pictures that are kept: some 20 screens full."""
SECONDS_AT_REST = 0.1


@dataclass(frozen=True)
class Tile:
    """A picture, uint8 [28, 28], the lines below it, and whether they tell of something right."""

    image: Image
    captions: tuple[str, ...]
    right: bool = False


class Gallery(ScrollView, can_focus=True, inherit_bindings=False):
    """Tiles, as many beside each other as there is room for, with a cursor that the arrows and the mouse move.

    A tile is named by a number, its index; `tile_of` makes it when it is to be drawn.
    """

    DEFAULT_CSS = """
    Gallery {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .gallery--caption { color: $foreground; }
        & > .gallery--right { color: $success; }
        & > .gallery--empty { color: $text-muted; }
        & > .gallery--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
        &.-plain > .gallery--cursor { text-style: reverse bold; }
    }
    """
    COMPONENT_CLASSES = {"gallery--caption", "gallery--right", "gallery--empty", "gallery--cursor"}
    ALLOW_SELECT = False
    BINDINGS = [
        Binding("left,h", "move(-1)", show=False),
        Binding("right,l", "move(1)", show=False),
        Binding("up,k", "move_row(-1)", show=False),
        Binding("down,j", "move_row(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,g", "go_to(0)", show=False),
        Binding("end,G", "go_to(-1)", show=False),
        Binding("enter", "open", "Large", key_display="enter"),
    ]

    cursor: reactive[int] = reactive(0)
    empty: reactive[str] = reactive("")
    """What stands there while there are no tiles."""

    @dataclass
    class Highlighted(Message):
        """The cursor is on another tile; None when there are none."""

        index: int | None

    @dataclass
    class Opened(Message):
        """The tile is wanted large."""

        index: int

    def __init__(
        self,
        *,
        mode: PictureMode = PictureMode.HALFBLOCK,
        has_cursor: bool = True,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.can_focus = self._has_cursor = has_cursor
        self._mode = mode
        self._caption_lines = 1
        self._indices: Sequence[int] = ()
        self._tile_of: Callable[[int], Tile] | None = None
        self._pictures: dict[int, list[Strip]] = {}
        self.set_class(mode is PictureMode.RAMP, "-plain")

    def show(
        self,
        indices: Sequence[int],
        tile_of: Callable[[int], Tile],
        keep_index: int | None = None,
        caption_lines: int = 1,
    ) -> None:
        """Show the tiles of `indices` in their order, the cursor on `keep_index` where that is among them."""
        self._replace(indices)
        self._tile_of, self._caption_lines = tile_of, caption_lines
        position = indices.index(keep_index) if keep_index in indices else 0
        self.set_reactive(Gallery.cursor, position)
        self._lay_out()
        self._follow_cursor()
        self.refresh()
        self.set_timer(SECONDS_AT_REST, self._draw_ahead)

    def clear(self) -> None:
        """Show no tiles."""
        self._replace(())
        self.set_reactive(Gallery.cursor, 0)
        self._lay_out()
        self.refresh()

    def _replace(self, indices: Sequence[int]) -> None:
        if bool(indices) != bool(self._indices):
            self.refresh_bindings()
        self._indices = indices

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to open a tile where there is one."""
        return action != "open" or bool(self._indices)

    def forget_pictures(self) -> None:
        """Draw all pictures anew: the same indices mean other ones from now on."""
        self._pictures.clear()

    @property
    def chosen(self) -> int | None:
        """The index of the tile that the cursor is on."""
        return self._indices[self.cursor] if self._indices else None

    @property
    def count(self) -> int:
        """How many tiles there are."""
        return len(self._indices)

    @property
    def columns(self) -> int:
        """How many tiles are beside each other."""
        return max(1, self.scrollable_content_region.width // (PICTURE_COLUMNS + 1))

    @property
    def page(self) -> tuple[int, int]:
        """The positions of the first tile that is seen wholly, and of the one after the last."""
        first = -(-round(self.scroll_offset.y) // self._tile_height) * self.columns
        return first, min(len(self._indices), first + self._rows_seen * self.columns)

    @property
    def _tile_height(self) -> int:
        return PICTURE_LINES + self._caption_lines

    @property
    def _rows_seen(self) -> int:
        return max(1, self.size.height // self._tile_height)

    def on_resize(self) -> None:
        """Arrange the tiles anew."""
        self._lay_out()
        self._scroll_to_cursor()

    def _lay_out(self) -> None:
        rows = -(-len(self._indices) // self.columns)
        self.virtual_size = Size(self.scrollable_content_region.width, rows * self._tile_height)

    # Moving

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor among the tiles."""
        return max(0, min(cursor, len(self._indices) - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        """Show where the cursor is and tell."""
        for position in (before, now):
            self.refresh(self._place(position))
        self._follow_cursor()

    def _follow_cursor(self) -> None:
        self._scroll_to_cursor()
        if self._has_cursor:
            self.post_message(self.Highlighted(self.chosen))

    def _scroll_to_cursor(self) -> None:
        row = self.cursor // self.columns
        self.scroll_to_region(Region(0, row * self._tile_height, 1, self._tile_height), animate=False, force=True)

    def action_move(self, tiles: int) -> None:
        """Move the cursor by some tiles."""
        self.cursor += tiles

    def action_move_row(self, rows: int) -> None:
        """Move the cursor up or down; in the first and the last row it stays."""
        position = self.cursor + rows * self.columns
        if 0 <= position < len(self._indices):
            self.cursor = position
        elif rows > 0 and self.cursor // self.columns < (len(self._indices) - 1) // self.columns:
            self.cursor = len(self._indices) - 1

    def action_page(self, pages: int) -> None:
        """Show the page before or after, the cursor at the same place on it."""
        rows = pages * self._rows_seen
        self.scroll_to(y=round(self.scroll_offset.y) + rows * self._tile_height, animate=False, force=True)
        self.cursor += rows * self.columns
        self.set_timer(SECONDS_AT_REST, self._draw_ahead)

    def action_go_to(self, position: int) -> None:
        """Move the cursor to the first (0) or the last (-1) tile."""
        self.cursor = position if position >= 0 else len(self._indices) - 1

    def action_open(self) -> None:
        """Want the chosen tile large."""
        if self.chosen is not None:
            self.post_message(self.Opened(self.chosen))

    def on_click(self, event: events.Click) -> None:
        """Choose what is clicked; twice opens it."""
        offset = event.get_content_offset(self)
        if offset is None or not self._has_cursor:
            return
        row = (offset.y + round(self.scroll_offset.y)) // self._tile_height
        position = row * self.columns + min(offset.x // self._tile_width, self.columns - 1)
        if position < len(self._indices):
            self.cursor = position
            if event.chain == 2:
                self.action_open()

    # Drawing

    @property
    def _tile_width(self) -> int:
        return self.scrollable_content_region.width // self.columns

    def _place(self, position: int) -> Region:
        """Return where a tile is on the widget."""
        row, column = divmod(position, self.columns)
        top = row * self._tile_height - round(self.scroll_offset.y)
        return Region(column * self._tile_width, top, self._tile_width, self._tile_height)

    def render_line(self, y: int) -> Strip:
        """Draw the line `y` of the screen: one of the lines of a row of tiles."""
        if not self._indices:
            text = centred(self.empty, self.size.width) if y == self.size.height // 2 else ""
            return Strip([Segment(text, self._style("empty"))]).adjust_cell_length(self.size.width, self.rich_style)
        row, line = divmod(y + round(self.scroll_offset.y), self._tile_height)
        columns, width, plain = self.columns, self._tile_width, self.rich_style  # each of them is dear to find out
        segments: list[Segment] = []
        for position in range(row * columns, min((row + 1) * columns, len(self._indices))):
            segments += self._tile_line(position, line, width, plain)
        return Strip(segments).adjust_cell_length(self.size.width, plain)

    def _tile_line(self, position: int, line: int, width: int, plain: Style) -> list[Segment]:
        index = self._indices[position]
        assert self._tile_of
        cursor = self._has_cursor and position == self.cursor
        around = self._style("cursor") if cursor else plain
        if line >= PICTURE_LINES:
            tile = self._tile_of(index)
            style = around if cursor else self._style("right" if tile.right else "caption")
            return [Segment(centred(tile.captions[line - PICTURE_LINES], width), style)]
        left = (width - PICTURE_COLUMNS) // 2
        picture = self._picture(index)[line]
        return [
            Segment(" " * left, around),
            *picture,
            Segment(" " * (width - left - PICTURE_COLUMNS), around),
        ]

    def _draw_ahead(self) -> None:
        """Draw the pictures of the next page, which is likely to be wanted next."""
        end = self.page[1]
        for index in self._indices[end : end + self._rows_seen * self.columns]:
            self._picture(index)

    def _picture(self, index: int) -> list[Strip]:
        if index not in self._pictures:
            assert self._tile_of
            if len(self._pictures) >= MOST_KEPT:
                self._pictures.clear()
            strips = picture_strips(self._tile_of(index).image, self._mode, PICTURE_COLUMNS)
            if self._mode is PictureMode.RAMP:
                plain = self.rich_style
                strips = [strip.apply_style(plain) for strip in strips]
            self._pictures[index] = strips
        return self._pictures[index]

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._pictures.clear()

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"gallery--{name}")
