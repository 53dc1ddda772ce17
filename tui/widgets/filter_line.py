"""The line in which one types what to look for, beside what was found."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.widgets.repaint import say


class FilterInput(Input):
    """An input that is left with Enter, with the arrow down, or, emptied, with Escape."""

    BINDINGS = [
        Binding("enter,down", "leave(True)", "Keep the filter", key_display="enter"),
        Binding("escape", "leave(False)", "Clear it", key_display="esc"),
    ]

    def action_leave(self, keep: bool) -> None:
        """Be done with it, its text kept or not."""
        if not keep:
            self.value = ""
        self.query_ancestor(FilterLine).leave()


class FilterLine(Horizontal):
    """A label, the input, and the count at its right; hidden while it is empty and has not the focus.

    It is left to `target`, at once: keys may follow fast.
    """

    DEFAULT_CSS = """
    FilterLine {
        display: none;
        height: 1;
        padding: 0 1;
        & > Static { width: auto; color: $text-muted; }
        & > FilterInput { width: 1fr; margin: 0 1; }
    }
    """

    @dataclass
    class Changed(Message):
        """The words are others now."""

        words: str

    def __init__(self, placeholder: str, target: Widget) -> None:
        super().__init__()
        self._placeholder, self._target = placeholder, target

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        yield Static("Filter", markup=False)
        yield FilterInput(placeholder=self._placeholder, compact=True, select_on_focus=False)
        yield Static(id="found", markup=False)

    def open(self) -> None:
        """Show the line and give it the focus."""
        self.display = True
        self.screen.set_focus(self.query_one(FilterInput))

    def leave(self) -> None:
        """Give the focus away; an empty line is hidden."""
        self.display = bool(self.query_one(FilterInput).value.strip())
        self.screen.set_focus(self._target)

    def clear(self) -> None:
        """Empty the line and leave it."""
        self.query_one(FilterInput).value = ""
        self.leave()

    def tell(self, found: str) -> None:
        """Say what was found."""
        say(self.query_one("#found", Static), Content(found))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))
