"""A question with two answers; the safe one has the focus."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from tui.screens.dialog import Dialog
from tui.terminal import clean


class ConfirmScreen(Dialog[bool]):
    """Asks `question`, about what is `listed` below it; the result is whether the answer was `yes`."""

    BINDINGS = [
        Binding("escape,n", "answer(False)", "No"),
        Binding("y", "answer(True)", "Yes"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]
    AUTO_FOCUS = "#no"

    def __init__(self, question: str, yes: str, no: str, listed: Sequence[str] = ()) -> None:
        super().__init__()
        self._question, self._yes, self._no = question, yes, no
        self._listed = listed

    def compose(self) -> ComposeResult:
        """Lay out the question above its answers."""
        with Vertical(classes="dialog"):
            yield Static(clean(self._question), markup=False)
            if self._listed:
                yield Static("\n".join(map(clean, self._listed)), markup=False, classes="listed")
            with Horizontal():
                yield Button(f"{self._yes}  y", id="yes", compact=True)
                yield Button(f"{self._no}  n", id="no", variant="primary", compact=True)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        """Answer by key."""
        self.dismiss(yes)
