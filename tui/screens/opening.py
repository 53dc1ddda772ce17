"""What a terminal shows first: the Train screen's layout, drawn in one piece while the screen itself is being made."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from tui.widgets.mode_bar import MODE_TITLES

if TYPE_CHECKING:
    from tui.app import MnistApp

ROUND, ASCII = "╭─╮│ │╰─╯", "+-+| |+-+"
MEDIUM, WIDE = 100, 150


class OpeningScreen(Screen[None]):
    """Makes way for the Train screen as soon as it is painted; keys that come before that are handed on."""

    def __init__(self) -> None:
        super().__init__()
        self._pressed: list[str] = []

    def compose(self) -> ComposeResult:
        """Draw the layout."""
        yield Layout()

    async def make_way(self) -> None:
        """Go on to the Train screen."""
        lab: MnistApp = self.app  # type: ignore[assignment]
        await asyncio.to_thread(import_module, "tui.screens.train")
        if not lab.is_running:  # it was ended meanwhile, and a new screen would get in the way of that
            return
        lab.follow_store()
        await lab.switch_mode("train")
        for key in self._pressed:
            lab.simulate_key(key)

    def _forward_event(self, event: events.Event) -> Any:
        if isinstance(event, events.Key):
            self._pressed.append(event.key)
        elif not isinstance(event, events.InputEvent):
            super()._forward_event(event)


class Layout(Widget):
    """The bars at top and bottom, and between them the boxes with their titles."""

    DEFAULT_CSS = "Layout { width: 1fr; height: 1fr; }"

    def render(self) -> Content:
        """Draw for the size that the terminal has."""
        width, height = self.size
        form = 34 if width < MEDIUM else 40 if width < WIDE else 48
        body, right = max(0, height - 2), max(0, width - form)
        charts = min(body, max(9, round(body * 2 / 5)))
        corners = ASCII if getattr(self.app, "ascii", False) else ROUND
        loss, accuracy = (
            _box(title, cells, charts, corners)
            for title, cells in (("loss", right // 2), ("accuracy", right - right // 2))
        )
        run = _beside(loss, accuracy) + _box("run", right, body - charts, corners)
        boxes = _beside(_box("Setup", form, body, corners), run)
        return Content("\n").join([_bar(width), *boxes, Content.styled(" " * width, "on $footer-background")])


def _beside(left: list[Content], right: list[Content]) -> list[Content]:
    return [one + other for one, other in zip(left, right, strict=True)]


def _bar(width: int) -> Content:
    parts = [Content.styled(" mnist-tui ", "bold $primary on $panel")]
    for number, title in enumerate(MODE_TITLES.values(), start=1):
        style = "bold $background on $primary" if number == 1 else "$text-muted on $panel"
        parts.append(Content.styled(f" {number} {title} ", style))
    bar = Content("").join(parts)
    return bar + Content.styled(" " * max(0, width - len(bar)), "on $panel")


def _box(title: str, width: int, height: int, corners: str) -> list[Content]:
    """Return the rows of an empty box with `title` on its border."""
    if height < 2:
        return [Content(" " * width)] * max(0, height)
    line = f"{corners[1] * max(0, width - len(title) - 5)}{corners[2]}"
    border = "$border-blurred"
    top = Content.assemble((corners[:2], border), (f" {title} ", "$foreground"), (line, border))
    middle = Content.styled(f"{corners[3]}{' ' * (width - 2)}{corners[5]}", border)
    bottom = Content.styled(f"{corners[6]}{corners[7] * (width - 2)}{corners[8]}", border)
    return [top, *[middle] * (height - 2), bottom]
