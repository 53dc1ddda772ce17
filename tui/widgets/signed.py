"""Numbers around zero as pictures whose signs are seen without colour too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from tui.terminal import PictureMode

if TYPE_CHECKING:
    import numpy as np

    from tui.widgets.digit import Image

CELLS = 4
"""The width of one weight."""
SHADES = " .:ix%#@"
NEGATIVE, POSITIVE = Color(86, 180, 233), Color(230, 159, 0)
DARKEST_UNDER_BLACK = 0.43


def grey(values: np.ndarray, largest: float) -> Image:
    """Return `values` as greys, uint8 of the same shape: 0 in the middle, −`largest` black, `largest` white."""
    import numpy as np

    shades: Image = np.clip(128 + 127 * values / (largest or 1), 0, 255).astype(np.uint8)
    return shades


def weight_strips(weights: Sequence[Sequence[float]], largest: float, mode: PictureMode, lines: int) -> list[Strip]:
    """Draw `weights`, row by row, in 4 × `lines` cells each: the stronger, the further from 0 on the way to `largest`.

    A weight has its number in it, where a ramp takes its place its sign at least.
    """
    return [
        Strip([_cell(weight, largest, mode, line, lines) for weight in row]) for row in weights for line in range(lines)
    ]


def _cell(weight: float, largest: float, mode: PictureMode, line: int, lines: int) -> Segment:
    level = round(min(1.0, abs(weight) / (largest or 1)) * (len(SHADES) - 1))
    if mode is PictureMode.HALFBLOCK:
        return Segment(short(weight) if line == 0 else " " * CELLS, _style(weight < 0, level))
    if line:
        return Segment(SHADES[level] * CELLS)
    return Segment(short(weight) if lines > 1 else ("-" if weight < 0 else "+") + SHADES[level] * (CELLS - 1))


def short(weight: float) -> str:
    """Write a number in four characters: `+.42`, `-1.3`, `+250`."""
    for digits in (2, 1, 0):
        text = f"{weight:+.{digits}f}"
        if text[1:3] == "0.":
            text = text[0] + text[2:]
        if len(text) <= CELLS:
            return f"{text:>{CELLS}}"
    return f"{weight:+.0f}"[0] + "1k+"


@cache
def _style(is_negative: bool, level: int) -> Style:
    share = level / (len(SHADES) - 1)
    ground = Color(0, 0, 0).blend(NEGATIVE if is_negative else POSITIVE, share)
    text = "#000000" if ground.brightness > DARKEST_UNDER_BLACK else "#ffffff"
    return Style(color=text, bgcolor=ground.hex6)
