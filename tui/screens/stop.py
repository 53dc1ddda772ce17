"""Stopping one of several runs that were launched together: what is to become of the others?"""

from __future__ import annotations

from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from tui.screens.dialog import Dialog

Answer = Literal["one", "all", "none"]
ANSWERS: dict[str, Answer] = {"one": "one", "all": "all", "none": "none"}


class StopScreen(Dialog[Answer]):
    """Asks whether to stop the run on display, or all of the `number` live ones of its family; `now` is how."""

    BINDINGS = [
        Binding("y", "answer('all')", "Yes"),
        Binding("escape,n", "answer('none')", "No"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]
    AUTO_FOCUS = "#all"

    def __init__(self, number: int, now: bool = False) -> None:
        super().__init__()
        self._number, self._now = number, now

    def compose(self) -> ComposeResult:
        """Lay out the question and its answers."""
        how = " at once, without testing and saving" if self._now else ""
        with Vertical(classes="dialog"):
            yield Static(Content(f"{self._number} runs that were launched together are live. Stop them all{how}?"))
            yield Static(Content("Stop only this one, and the next takes its turn."))
            with Horizontal():
                yield Button("All  y", id="all", variant="primary", compact=True)
                yield Button("Only this one", id="one", compact=True)
                yield Button("None  n", id="none", compact=True)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(ANSWERS[event.button.id or "none"])

    def action_answer(self, answer: Answer) -> None:
        """Answer by key."""
        self.dismiss(answer)
