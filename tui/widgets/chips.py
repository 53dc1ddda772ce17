"""A line of things to choose from, one of them chosen; a click chooses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget


@dataclass(frozen=True)
class Chip:
    """One of the things: its name, and how it reads."""

    name: str
    text: str


class Chips(Widget):
    """Shows `chips` side by side; where they do not all fit, those around the chosen one, and “…” at the ends."""

    DEFAULT_CSS = """
    Chips {
        height: 1;
        & > .chips--chip { color: $text-muted; }
        & > .chips--chosen { background: $primary; color: $background; text-style: bold; }
    }
    """
    COMPONENT_CLASSES = {"chips--chip", "chips--chosen"}
    ALLOW_SELECT = False

    chips: reactive[tuple[Chip, ...]] = reactive(())
    chosen: reactive[str] = reactive("")

    def watch_chips(self, before: tuple[Chip, ...], now: tuple[Chip, ...]) -> None:
        """Take the room that they need, where that is theirs to take."""
        if self.styles.width and self.styles.width.is_auto:
            self.refresh(layout=True)

    @dataclass
    class Chosen(Message):
        """The chip called `name` was clicked."""

        name: str

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return max((end for _, _, end in self._places()), default=0)

    def render_line(self, y: int) -> Strip:
        segments: list[Segment] = []
        for chip, _, _ in self._places():
            kind = "chosen" if chip.name == self.chosen else "chip"
            segments.append(Segment(f" {chip.text} ", self.get_component_rich_style(f"chips--{kind}")))
        width, start = self.size.width, self._start()
        strip, more = Strip(segments), Segment("…", self.get_component_rich_style("chips--chip"))
        line = strip.crop(start, start + width).adjust_cell_length(width, self.rich_style)
        if start and width:
            line = Strip([more, *line.crop(1)])
        if strip.cell_length > start + width and width:
            line = Strip([*line.crop(0, width - 1), more])
        return line

    def on_click(self, event: events.Click) -> None:
        """Choose what is clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        column = offset.x + self._start()
        for chip, start, end in self._places():
            if start <= column < end:
                self.post_message(self.Chosen(chip.name))

    def _places(self) -> Iterator[tuple[Chip, int, int]]:
        """Yield every chip with the columns where it starts and ends."""
        start = 0
        for chip in self.chips:
            end = start + cell_len(chip.text) + 2
            yield chip, start, end
            start = end

    def _start(self) -> int:
        """Return the first column to show, so that the chosen chip is seen."""
        end = next((end for chip, _, end in self._places() if chip.name == self.chosen), 0)
        is_last = end == max((end for _, _, end in self._places()), default=0)
        return max(0, end - self.size.width + (not is_last))


def chips_of(items: Iterable[tuple[str, str]]) -> tuple[Chip, ...]:
    """Return chips of pairs of name and text."""
    return tuple(Chip(name, text) for name, text in items)
