"""Another learning rate for the run that is training."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static

from engine.config import parse_field
from engine.errors import ConfigError
from tui.screens.dialog import Dialog
from tui.snapshot import RunSnapshot
from tui.terminal import clean
from tui.widgets.number_input import NumberInput


class RateScreen(Dialog[float | None]):
    """Asks for the learning rate that the run of `snapshot` is to go on with; None leaves it as it is."""

    BINDINGS = [Binding("escape", "dismiss(None)", "Close")]
    AUTO_FOCUS = "Input"

    def __init__(self, snapshot: RunSnapshot) -> None:
        super().__init__()
        self._snapshot = snapshot

    def compose(self) -> ComposeResult:
        """Lay out the question, the number and the answers."""
        config, change = self._snapshot.config, self._snapshot.progress.rate_change
        now = (change and change.after) or (config.learning_rate if config else 0.0)
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Learning rate"
            dialog.border_subtitle = "Esc closes"
            text = f"It is {now:g}. Train on, from the next step, with"
            if config and config.schedule != "constant":
                text = f"Its {config.schedule} schedule is scaled to {now:g}. Scale it, from the next step on, to"
            yield Static(Content(text))
            yield NumberInput(f"{now:g}", id="rate")
            yield Static(id="problem", markup=False)
            with Horizontal():
                yield Button("Change", id="change", variant="primary", compact=True)
                yield Button("Keep  esc", id="keep", compact=True)

    @on(Input.Changed)
    def _check(self) -> None:
        problem = self._read()[1]
        self.query_one("#problem", Static).update(Content.styled(clean(problem), "$text-error"))
        self.query_one("#change", Button).disabled = bool(problem)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if rate := self._read()[0]:
            self.dismiss(rate)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(self._read()[0] if event.button.id == "change" else None)

    def _read(self) -> tuple[float | None, str]:
        """Return the number typed, or what is wrong with it."""
        try:
            return parse_field("learning_rate", self.query_one(Input).value), ""
        except ConfigError as error:
            return None, error.message
