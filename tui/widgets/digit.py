"""A grey 28 × 28 image in the terminal: half blocks, or a ramp of ten ASCII shades."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.terminal import PictureMode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]

PIXELS = 28
RAMP = " .:-=+*#%@"
# #000000, #111111, … #ffffff: they stay apart in the 256-colour palette, and fewer greys mean more equal neighbours,
# which are sent as one run.
GREYS = 16
LEVEL_OF = bytes(round(value * (GREYS - 1) / 255) for value in range(256))


def halfblock_strips(image: Image, columns: int = PIXELS) -> list[Strip]:
    """Draw a square uint8 image in `columns` × `columns` / 2 cells of half blocks, in 16 greys."""
    strips = []
    for pairs in _row_pairs(image, columns):
        levels = [(LEVEL_OF[top], LEVEL_OF[bottom]) for top, bottom in pairs]
        strips.append(Strip([_block(top, bottom, len(list(run))) for (top, bottom), run in groupby(levels)]))
    return strips


def ramp_strips(image: Image, columns: int = PIXELS) -> list[Strip]:
    """Draw a square uint8 image in `columns` × `columns` / 2 cells of ASCII shades, unstyled."""
    strips = []
    for pairs in _row_pairs(image, columns):
        text = "".join(shade(top, bottom) for top, bottom in pairs)
        strips.append(Strip([Segment(text)]))
    return strips


def shade(top: int, bottom: int) -> str:
    """Return what stands on the ramp for two pixels, one above the other, each 0 to 255."""
    return RAMP[(top + bottom) * len(RAMP) // 512]


def picture_strips(image: Image, mode: PictureMode, columns: int = PIXELS) -> list[Strip]:
    """Draw a square uint8 image the way that `mode` says."""
    return (halfblock_strips if mode is PictureMode.HALFBLOCK else ramp_strips)(image, columns)


class Digit(Widget):
    """One image. Takes 28 × 14 cells, or is scaled to what its style gives it."""

    DEFAULT_CSS = """
    Digit {
        width: auto;
        height: auto;
        & > .digit--empty { color: $text-muted; }
    }
    """
    COMPONENT_CLASSES = {"digit--empty"}
    ALLOW_SELECT = False

    image: reactive[Image | None] = reactive(None, always_update=True)
    """The uint8 image [28, 28] to show, None for none. Assign it again after changing it in place."""
    mode: reactive[PictureMode] = reactive(PictureMode.HALFBLOCK)

    def __init__(
        self,
        image: Image | None = None,
        *,
        mode: PictureMode = PictureMode.HALFBLOCK,
        empty: str = "No digit chosen",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._empty = empty
        self._strips: list[Strip] = []
        self._drawn_size = Size()
        self.set_reactive(Digit.image, image)
        self.set_reactive(Digit.mode, mode)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return PIXELS

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return (min(width, PIXELS) + 1) // 2

    def watch_image(self) -> None:
        self._drawn_size = Size()

    def watch_mode(self) -> None:
        self._drawn_size = Size()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._drawn_size = Size()

    def render_line(self, y: int) -> Strip:
        if self.size != self._drawn_size:
            self._strips, self._drawn_size = self._draw(), self.size
        blank = Strip.blank(self.size.width, self.rich_style)
        return self._strips[y] if y < len(self._strips) else blank

    def _draw(self) -> list[Strip]:
        """Return the rows, as wide as the widget. Half blocks have their own colours, which need no others added."""
        width, style = self.size.width, self.rich_style
        if self.image is not None:
            columns, image = max(1, min(width, 2 * self.size.height)), self.image
            if columns > len(image):
                image = enlarged(image, columns)
            strips = picture_strips(image, self.mode, columns)
            if self.mode is PictureMode.RAMP:
                strips = [strip.apply_style(style) for strip in strips]
        else:
            text = Segment(self._empty.center(width), self.get_component_rich_style("digit--empty"))
            strips = [Strip.blank(width, style)] * (self.size.height // 2) + [Strip([text])]
        return [strip.adjust_cell_length(width, style) for strip in strips]


def enlarged(image: Image, side: int) -> Image:
    """Return a square image scaled up to `side` × `side`: below twice its size smoothly, beyond that pixel by pixel.

    Smoothly, because some pixels would else be drawn twice as wide as others.
    """
    import numpy as np

    size = len(image)
    if side >= 2 * size:
        nearest = np.arange(side) * size // side
        return image[nearest][:, nearest]
    places = np.clip((np.arange(side) + 0.5) * size / side - 0.5, 0, size - 1)
    before = places.astype(int)
    after, share = np.minimum(before + 1, size - 1), places - before
    rows = image[before] * (1 - share)[:, None] + image[after] * share[:, None]
    smooth: Image = (rows[:, before] * (1 - share) + rows[:, after] * share).round().astype(np.uint8)
    return smooth


def _block(top: int, bottom: int, length: int) -> Segment:
    """Return `length` cells with the grey levels `top` over `bottom`, in the fewest bytes."""
    if top == bottom:
        return Segment(" " * length, _style(None, bottom))
    return Segment("▀" * length, _style(top, bottom))


@cache
def _style(foreground: int | None, background: int) -> Style:
    return Style(color=None if foreground is None else _grey(foreground), bgcolor=_grey(background))


def _grey(level: int) -> str:
    return "#" + 6 * f"{level:x}"


def _row_pairs(image: Image, columns: int) -> Iterator[Iterable[tuple[int, int]]]:
    """Yield, for each row of cells, the upper and the lower pixel of every cell."""
    rows = _scaled(image, columns)
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        yield zip(upper, lower, strict=True)


def _scaled(image: Image, columns: int) -> list[list[int]]:
    """Return the pixels averaged down to `columns` × `columns`; a picture is never scaled up."""
    pixels: list[list[int]]
    side = len(image)
    if columns < side and side % columns == 0:
        block = side // columns
        parts = [image[row::block, column::block].astype("uint32") for row in range(block) for column in range(block)]
        pixels = (sum(parts[1:], parts[0]) // block**2).tolist()  # numpy's own mean takes longer
        return pixels
    pixels = image.tolist()
    if columns >= side:
        return pixels
    edges = [index * side // columns for index in range(columns + 1)]
    spans = list(pairwise(edges))
    return [
        [
            sum(sum(row[left:right]) for row in pixels[top:bottom]) // ((right - left) * (bottom - top))
            for left, right in spans
        ]
        for top, bottom in spans
    ]
