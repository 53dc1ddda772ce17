"""A list of wrong answers, drawn line by line as it is scrolled: thousands cost no more than a page of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from engine.evaluation import Mistake

ROOMY = 32  # cells; with fewer, the columns move together


class MistakeList(ScrollView, can_focus=True, inherit_bindings=False):
    """Mistakes with a cursor that the arrows move."""

    DEFAULT_CSS = """
    MistakeList {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .mistake-list--heading { color: $text-muted; }
        & > .mistake-list--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    }
    """
    COMPONENT_CLASSES = {"mistake-list--heading", "mistake-list--cursor"}
    ALLOW_SELECT = False
    BINDINGS = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,g", "go_to(0)", show=False),
        Binding("end,G", "go_to(-1)", show=False),
    ]

    cursor: reactive[int] = reactive(0)

    @dataclass
    class Highlighted(Message):
        """The cursor is on another mistake; None when there are none."""

        mistake: Mistake | None

    def __init__(self, *, ascii: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._mistakes: Sequence[Mistake] = ()
        self._ascii = ascii

    def show(self, mistakes: Sequence[Mistake], keep_index: int | None = None) -> None:
        """Show `mistakes` in their order, the cursor on the image `keep_index` where it is among them."""
        self._mistakes = mistakes
        self.virtual_size = Size(0, len(mistakes) + 1)
        position = next((i for i, mistake in enumerate(mistakes) if mistake.index == keep_index), 0)
        self.set_reactive(MistakeList.cursor, position)
        self._follow_cursor()

    @property
    def chosen(self) -> Mistake | None:
        """The mistake that the cursor is on."""
        return self._mistakes[self.cursor] if 0 <= self.cursor < len(self._mistakes) else None

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor among the mistakes."""
        return max(0, min(cursor, len(self._mistakes) - 1))

    def watch_cursor(self) -> None:
        """Show where the cursor is and tell."""
        self._follow_cursor()

    def _follow_cursor(self) -> None:
        # The heading stays on the first line, so a mistake is scrolled to with the line above it.
        self.scroll_to_region(Region(0, self.cursor, 1, 2), animate=False, force=True)
        self.refresh()
        self.post_message(self.Highlighted(self.chosen))

    def action_move(self, lines: int) -> None:
        """Move the cursor by some lines."""
        self.cursor += lines

    def action_page(self, pages: int) -> None:
        """Move the cursor by a page."""
        self.cursor += pages * max(1, self.size.height - 2)

    def action_go_to(self, position: int) -> None:
        """Move the cursor to the first (0) or the last (-1) mistake."""
        self.cursor = position if position >= 0 else len(self._mistakes) - 1

    def on_click(self, event: events.Click) -> None:
        """Choose what is clicked."""
        line = event.get_content_offset(self)
        if line and line.y > 0 and line.y - 1 + self.scroll_offset.y < len(self._mistakes):
            self.cursor = line.y - 1 + self.scroll_offset.y

    def render_line(self, y: int) -> Strip:
        """Draw the heading or the mistake on the line `y` of the screen."""
        width = self.scrollable_content_region.width
        arrow = ">" if self._ascii else "→"
        if y == 0:
            text, style = _heading(width, arrow), self._style("heading")
        else:
            position = y - 1 + round(self.scroll_offset.y)
            if position >= len(self._mistakes):
                return Strip.blank(width, self.rich_style)
            text = _line(self._mistakes[position], width, arrow)
            style = self._style("cursor") if position == self.cursor else self.rich_style
        return Strip([Segment(text, style)]).adjust_cell_length(width, style)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"mistake-list--{name}")


def _heading(width: int, arrow: str) -> str:
    if width < ROOMY:
        return f"{'image':>6} is{arrow} {'sure':>6} {'loss':>5}"
    return f"{'image':>6}  {f'is {arrow} said':9} {'sure':>7} {'loss':>6}"


def _line(mistake: Mistake, width: int, arrow: str) -> str:
    if width < ROOMY:
        pair = f"{mistake.label}{arrow}{mistake.predicted}"
        return f"{mistake.index:>6,} {pair}{mistake.confidence * 100:>6.1f}% {mistake.loss:>5.2f}"
    pair = f"{mistake.label} {arrow} {mistake.predicted}"
    return f"{mistake.index:>6,}  {pair:9} {mistake.confidence * 100:>5.1f} % {mistake.loss:>6.2f}"
