"""The line in which one types what to look for, beside what was found."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui.widgets.repaint import say


class FilterInput(Input):
    """An input that is left with Enter, with the arrow down, or, emptied, with Escape."""

    BINDINGS = [
        Binding("enter,down", "leave(True)", "Keep the filter", key_display="enter"),
        Binding("escape", "leave(False)", "Clear it", key_display="esc"),
    ]

    @dataclass
    class Left(Message):
        """It is done with."""

    def action_leave(self, keep: bool) -> None:
        """Be done with it, its text kept or not."""
        if not keep:
            self.value = ""
        self.post_message(self.Left())


class FilterLine(Horizontal):
    """A label, the input, and the count at its right; hidden while it is empty and has not the focus."""

    DEFAULT_CSS = """
    FilterLine {
        display: none;
        height: 1;
        padding: 0 1;
        &.-shown { display: block; }
        & > Static { width: auto; color: $text-muted; }
        & > FilterInput { width: 1fr; margin: 0 1; }
    }
    """

    @dataclass
    class Changed(Message):
        """The words are others now."""

        words: str

    @dataclass
    class Left(Message):
        """The focus is to go elsewhere."""

    def __init__(self, placeholder: str) -> None:
        super().__init__()
        self._placeholder = placeholder

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        yield Static("Filter", markup=False)
        yield FilterInput(placeholder=self._placeholder, compact=True, select_on_focus=False)
        yield Static(id="found", markup=False)

    def open(self) -> None:
        """Show the line and give it the focus."""
        self.add_class("-shown")
        self.query_one(FilterInput).focus()

    def clear(self) -> None:
        """Empty the line, which hides it."""
        self.query_one(FilterInput).value = ""
        self.remove_class("-shown")

    def tell(self, found: str) -> None:
        """Say what was found."""
        say(self.query_one("#found", Static), Content(found))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    @on(FilterInput.Left)
    def _left(self, event: FilterInput.Left) -> None:
        event.stop()
        if not self.query_one(FilterInput).value.strip():
            self.clear()
        self.post_message(self.Left())
