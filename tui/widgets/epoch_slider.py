"""Which epoch is looked at: a track to slide along, with the mouse or the arrows."""

from __future__ import annotations

from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

LONGEST_TRACK = 40


class EpochSlider(Widget, can_focus=True, inherit_bindings=False):
    """`epochs` are those that there is something of, ascending; `epoch` is the one on display, 0 for none."""

    DEFAULT_CSS = """
    EpochSlider {
        height: 1;
        & > .epoch-slider--past { color: $primary; }
        & > .epoch-slider--thumb { color: $primary; text-style: bold; }
        & > .epoch-slider--rest { color: $text-muted; }
        &:focus > .epoch-slider--thumb { background: $block-cursor-background; color: $block-cursor-foreground; }
    }
    """
    COMPONENT_CLASSES = {"epoch-slider--past", "epoch-slider--thumb", "epoch-slider--rest"}
    ALLOW_SELECT = False
    BINDINGS = [
        Binding("left,h", "step(-1)", show=False),
        Binding("right,l", "step(1)", show=False),
        Binding("home,g", "go_to(0)", show=False),
        Binding("end,G", "go_to(-1)", show=False),
    ]

    epochs: reactive[tuple[int, ...]] = reactive(())
    epoch: reactive[int] = reactive(0)
    ascii: reactive[bool] = reactive(False)

    @dataclass
    class Chosen(Message):
        """Another epoch is wanted."""

        epoch: int

    def __init__(self, *, ascii: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.set_reactive(EpochSlider.ascii, ascii)

    def action_step(self, step: int) -> None:
        """Want the epoch before or after."""
        if self.epoch in self.epochs:
            position = self.epochs.index(self.epoch) + step
            self._want(max(0, min(position, len(self.epochs) - 1)))

    def action_go_to(self, position: int) -> None:
        """Want the first (0) or the last (-1) epoch."""
        if self.epochs:
            self._want(position)

    def on_click(self, event: events.Click) -> None:
        """Want the epoch at the place that is clicked."""
        offset = event.get_content_offset(self)
        column = offset.x - len(self._words()) if offset else -1
        if 0 <= column < self._track() and self.epochs:
            self._want(round(column * (len(self.epochs) - 1) / max(1, self._track() - 1)))

    def render_line(self, y: int) -> Strip:
        past, thumb, rest = ("=", "O", "-") if self.ascii else ("━", "●", "─")
        segments = [Segment(self._words(), self.rich_style)]
        if len(self.epochs) > 1 and self.epoch in self.epochs:
            track = self._track()
            place = round(self.epochs.index(self.epoch) * (track - 1) / (len(self.epochs) - 1))
            for text, kind in ((past * place, "past"), (thumb, "thumb"), (rest * (track - place - 1), "rest")):
                segments.append(Segment(text, self.get_component_rich_style(f"epoch-slider--{kind}")))
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _words(self) -> str:
        return f"after epoch {self.epoch} of {self.epochs[-1]}  " if self.epochs else ""

    def _track(self) -> int:
        return max(2, min(LONGEST_TRACK, self.size.width - len(self._words())))

    def _want(self, position: int) -> None:
        if self.epochs[position] != self.epoch:
            self.post_message(self.Chosen(self.epochs[position]))
