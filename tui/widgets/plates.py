"""Small pictures of one size, as many beside each other as there is room for, each with a line below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.terminal import PictureMode
from tui.widgets.digit import picture_strips

if TYPE_CHECKING:
    from tui.widgets.digit import Image

GAP = 2
SMALL = 14
"""Pixels a side; pictures that are no larger have one size."""

Picture = Sequence[Strip]


@dataclass(frozen=True)
class Plate:
    """A picture in the sizes there are of it, the largest first, and what is written below it."""

    pictures: tuple[Picture, ...]
    caption: str


class Plates(Widget):
    """Shows `plates` in the largest size of which there are at most `rows` rows, else in the smallest."""

    DEFAULT_CSS = """
    Plates {
        height: auto;
        & > .plates--caption { color: $text-muted; }
    }
    """
    COMPONENT_CLASSES = {"plates--caption"}
    ALLOW_SELECT = False

    plates: reactive[Sequence[Plate]] = reactive((), layout=True)

    def __init__(self, *, rows: int = 1, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows = rows

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        if not self.plates:
            return 0
        size = self._fitting(width)
        return -(-len(self.plates) // self._columns(width, size)) * self._lines(size)

    def _fitting(self, width: int) -> int:
        """Return which of the pictures' sizes there is room for."""
        sizes = len(self.plates[0].pictures)
        fitting = (n for n in range(sizes) if self._columns(width, n) * self._rows >= len(self.plates))
        return next(fitting, sizes - 1)

    def _cells(self, size: int) -> int:
        """Return the width of a plate."""
        return max(max(plate.pictures[size][0].cell_length, cell_len(plate.caption)) for plate in self.plates)

    def _lines(self, size: int) -> int:
        """Return the height of a plate with its caption."""
        return len(self.plates[0].pictures[size]) + 1

    def _columns(self, width: int, size: int) -> int:
        return max(1, (width + GAP) // (self._cells(size) + GAP))

    def render_line(self, y: int) -> Strip:
        width, plain = self.size.width, self.rich_style
        if not self.plates:
            return Strip.blank(width, plain)
        size = self._fitting(width)
        row, line = divmod(y, self._lines(size))
        columns, cells = self._columns(width, size), self._cells(size)
        caption_style = self.get_component_rich_style("plates--caption")
        segments: list[Segment] = []
        for plate in self.plates[row * columns : (row + 1) * columns]:
            picture = plate.pictures[size]
            if line < len(picture):
                segments += [
                    *picture[line].apply_style(plain),
                    Segment(" " * (cells - picture[line].cell_length), plain),
                ]
            else:
                segments.append(Segment(plate.caption.ljust(cells), caption_style))
            segments.append(Segment(" " * GAP, plain))
        return Strip(segments).adjust_cell_length(width, plain)


def sizes_of(image: Image, mode: PictureMode) -> tuple[Picture, ...]:
    """Draw a square uint8 image pixel by pixel, and at half that size where it is large."""
    side = len(image)
    columns = (side, side // 2) if side > SMALL else (side,)
    return tuple(picture_strips(image, mode, each) for each in columns)
