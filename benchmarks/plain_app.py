"""A plain Textual app to compare with: a form of ten inputs, a table, two modes and a dialog, as in Textual's guide."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import DataTable, Footer, Header, Input, Label, Static

WORDS = ("Epochs", "Batch", "Rate", "Momentum", "Decay", "Seed", "Threads", "Limit", "Validation", "Name")


class Help(ModalScreen[None]):
    """A dialog."""

    CSS = "Help { align: center middle; } #text { width: 60; height: 12; border: round $primary; }"
    BINDINGS = [("escape", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        """Show a text."""
        yield Static("About this app\n\n" + "\n".join(f"{word}: what it is" for word in WORDS[:8]), id="text")


class Form(Screen[None]):
    """Ten inputs, a text that changes, and a table."""

    BINDINGS = [("l", "scale", "Scale")]
    AUTO_FOCUS = ""

    def compose(self) -> ComposeResult:
        """Lay them out side by side."""
        yield Header()
        with Horizontal():
            with VerticalScroll(can_focus=False):
                for word in WORDS:
                    yield Label(word)
                    yield Input(word.lower())
            with VerticalScroll(can_focus=False):
                yield Static("linear scale", id="scale")
                yield DataTable()
        yield Footer()

    def on_mount(self) -> None:
        """Fill the table."""
        table = self.query_one(DataTable)
        table.add_columns("epoch", "loss", "accuracy", "time")
        for epoch in range(1, 21):
            table.add_row(epoch, f"{1 / epoch:.4f}", f"{1 - 0.1 / epoch:.4f}", f"{epoch}.0 s")

    def action_scale(self) -> None:
        """Change a text."""
        scale = self.query_one("#scale", Static)
        scale.update("linear scale" if "logarithmic" in str(scale.render()) else "logarithmic scale")


class Listing(Screen[None]):
    """A table of forty rows."""

    def compose(self) -> ComposeResult:
        """Show it alone."""
        yield Header()
        yield DataTable()
        yield Footer()

    def on_mount(self) -> None:
        """Fill the table."""
        table = self.query_one(DataTable)
        table.add_columns("status", "run", "epochs", "best accuracy", "time")
        for number in range(40):
            table.add_row("completed", f"run {number}", "10/10", f"{98 + number / 100:.2f} %", "0:24")


class PlainApp(App[None]):
    """Two modes and a dialog."""

    TITLE = "plain"
    MODES = {"form": Form, "listing": Listing}
    DEFAULT_MODE = "form"
    BINDINGS = [
        ("1", "switch_mode('form')", "Form"),
        ("2", "switch_mode('listing')", "Listing"),
        ("question_mark", "help", "Help"),
        ("q", "quit", "Quit"),
    ]

    def action_help(self) -> None:
        """Open the dialog."""
        self.push_screen(Help())


if __name__ == "__main__":
    PlainApp().run()
