"""The commands that train the form's settings without the app, to be copied."""

from __future__ import annotations

from collections.abc import Iterator

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from tui.command_line import CommandsWritten
from tui.keys import with_keys
from tui.screens.dialog import Dialog
from tui.terminal import clean

WIDTH = 100  # cells, where there is room


class CommandScreen(Dialog[None]):
    """Shows the `commands`; the first is copied already. `both_problem` says why the second one is of no use here."""

    DEFAULT_CSS = """
    CommandScreen .command { background: $primary 15%; padding: 0 1; }
    """
    BINDINGS = [
        Binding("escape,enter", "dismiss(None)", "Close"),
        Binding("c", "copy('train')", "Copy", id="copy"),
        Binding("C", "copy('both')", "Copy Both"),
    ]
    AUTO_FOCUS = "#close"

    def __init__(self, commands: CommandsWritten, both_problem: str) -> None:
        super().__init__()
        self._commands, self._both_problem = commands, both_problem

    def compose(self) -> ComposeResult:
        """Lay out the commands, each below what it does."""
        with VerticalScroll(classes="dialog", can_focus=False) as dialog:
            dialog.border_title = "Command line"
            dialog.border_subtitle = "Esc closes"
            dialog.styles.width = WIDTH
            yield Static("The same without the app: on a server, in a script, in a sweep.", markup=False)
            yield from _command("Train", self._commands.train)
            if not self._both_problem:
                yield from _command("Both frameworks, one after the other", self._commands.both)
            yield Static(id="copied", markup=False)
            with Horizontal():
                yield Button(with_keys(self.app, "Copy  {copy}"), id="train", compact=True)
                if not self._both_problem:
                    yield Button("Copy Both  C", id="both", compact=True)
                yield Button("Close  esc", id="close", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Copy the first command: that is what the key was pressed for."""
        self.action_copy("train")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "close":
            self.dismiss(None)
        elif event.button.id:
            self.action_copy(event.button.id)

    def action_copy(self, which: str) -> None:
        """Put one of the commands on the terminal's clipboard; whether it takes it, nobody can tell."""
        self.app.copy_to_clipboard(self._commands.train if which == "train" else self._commands.both)
        name = "Train" if which == "train" else "Both"
        text = f"“{name}” was sent to the clipboard. If it is not there, select the text with Shift and the mouse."
        self.query_one("#copied", Static).update(Content.styled(text, "$text-muted"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out what cannot be trained here."""
        return not (parameters == ("both",) and self._both_problem)


def _command(heading: str, command: str) -> Iterator[Static]:
    title = Static(heading, markup=False)
    title.styles.margin = 0
    yield title
    yield Static(clean(command), classes="command", markup=False)
