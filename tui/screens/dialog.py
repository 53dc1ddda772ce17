"""What lies over a mode's screen, with that one dimmed below it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.color import Color
from textual.command import CommandPalette
from textual.css.styles import RulesMap
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual

from tui.screens.stepping import SteppingScreen

R = TypeVar("R")


class OverScreen(SteppingScreen):
    """Dims the screen below it with the colour of its own background."""

    def render(self) -> Any:
        """Show the screen below."""
        background = super().render()
        return Dimmed(background) if isinstance(background, BackgroundScreen) else background


class Dialog(ModalScreen[R], OverScreen):
    """Explains, or asks something; the answer is its result."""


class Palette(CommandPalette, OverScreen):
    """The command palette."""


class Dimmed(Visual):
    """Textual's `background`, four times as fast: each style of the screen below is dimmed once, not at each cell run.

    A dialog draws the whole screen below whenever a line of it changes, as one does ten times a second in training.
    """

    def __init__(self, background: BackgroundScreen) -> None:
        self._screen, self._tint = background.screen, background.color

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        """Draw the screen below, and dim it."""
        return [self._dimmed(strip) for strip in self._screen._compositor.render_strips()[:height]]

    def _dimmed(self, strip: Strip) -> Strip:
        segments = [Segment(text, dimmed(style, self._tint), control) for text, style, control in strip]
        return Strip(segments, strip.cell_length)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        """Return the terminal's width."""
        return self._screen.size.width

    def get_height(self, rules: RulesMap, width: int) -> int:
        """Return the terminal's height."""
        return self._screen.size.height


@lru_cache(maxsize=4096)
def dimmed(style: RichStyle | None, tint: Color) -> RichStyle:
    """Return `style` with `tint` over its colours, and without links."""
    if style is None:
        return RichStyle()
    color, background = (
        (Color.from_rich_color(one) + tint).rich_color if one is not None else None
        for one in (style.color, style.bgcolor)
    )
    return style.clear_meta_and_links() + RichStyle.from_color(color, background)
