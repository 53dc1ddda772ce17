"""What to call a run, or what to note on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static

from engine.errors import EngineError
from engine.labels import NOTE_LENGTH, checked_note
from engine.runs import check_name
from tui.screens.dialog import Dialog
from tui.snapshot import RunSnapshot
from tui.terminal import clean


def ask_for_name(snapshot: RunSnapshot, runs: Sequence[RunSnapshot]) -> LabelScreen:
    """Return the question what a run, which is one of `runs`, is to be called."""
    others = [other for other in runs if other.run.id != snapshot.run.id]
    ids, names = [other.run.id for other in others], {other.name for other in others if other.name}

    def check(text: str) -> str:
        is_taken = check_name(text, ids) in names
        return "Another run is called that too: commands then need its id." if is_taken else ""

    asked = f"What is run {snapshot.run.id} to be called?"
    question = f"{asked} Commands find it by that name. Without one it is called by its id."
    return LabelScreen("Name", question, snapshot.name, check)


def ask_for_note(snapshot: RunSnapshot) -> LabelScreen:
    """Return the question what is to be noted on a run."""

    def check(text: str) -> str:
        return f"{NOTE_LENGTH - len(checked_note(text))} characters are left."

    question = f"What is to be noted on run “{snapshot.label}”? The filter of the list finds it by these words."
    return LabelScreen("Note", question, snapshot.labels.note, check)


class LabelScreen(Dialog[str | None]):
    """Asks for a text of a line, starting from `text`; None leaves it as it is.

    `check` raises an EngineError for a text that cannot be, and returns what is to be known of one that can.
    """

    BINDINGS = [Binding("escape", "dismiss(None)", "Close")]
    AUTO_FOCUS = "Input"

    def __init__(self, title: str, question: str, text: str, check: Callable[[str], str]) -> None:
        super().__init__()
        self._title, self._question, self._text, self._check_text = title, question, text, check

    def compose(self) -> ComposeResult:
        """Lay out the question, the text and the answers."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self._title)
            dialog.border_subtitle = "Esc closes"
            yield Static(Content(clean(self._question)))
            yield Input(clean(self._text), compact=True)
            yield Static(id="problem", markup=False)
            with Horizontal():
                yield Button("Save", id="save", variant="primary", compact=True)
                yield Button("Cancel  esc", id="cancel", compact=True)

    @on(Input.Changed)
    def _check(self) -> None:
        problem, told = self._read()
        text = Content.styled(clean(problem), "$text-error") if problem else Content.styled(clean(told), "$text-muted")
        self.query_one("#problem", Static).update(text)
        self.query_one("#save", Button).disabled = bool(problem)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if not self._read()[0]:
            self.dismiss(self.query_one(Input).value)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(self.query_one(Input).value if event.button.id == "save" else None)

    def _read(self) -> tuple[str, str]:
        """Return what is wrong with the text, and what else is to be known of it."""
        try:
            return "", self._check_text(self.query_one(Input).value)
        except EngineError as error:
            return " ".join(part for part in (error.message, error.hint) if part), ""
