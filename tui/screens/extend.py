"""More epochs for a run that is complete."""

from __future__ import annotations

from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Select, Static

from engine.config import parse_field
from engine.errors import ConfigError
from engine.events import ExtensionSchedule
from tui.change_words import follows_schedule
from tui.extending import SCHEDULE_CHOICES, outlook
from tui.formats import count
from tui.screens.dialog import Dialog
from tui.snapshot import RunSnapshot
from tui.terminal import clean
from tui.widgets.choice import Choice, Option
from tui.widgets.number_input import NumberInput

CHOICES = {"hold": "Hold the last learning rate", "restart": "Restart the {schedule} schedule"}


class MoreEpochs(NamedTuple):
    """How far to train: `epochs` in all, with those that are done; and what the learning rate does in the new ones."""

    epochs: int
    schedule: ExtensionSchedule


class ExtendScreen(Dialog[MoreEpochs | None]):
    """Asks how many epochs the complete run of `snapshot` is to train on; None leaves it as it is."""

    BINDINGS = [Binding("escape", "dismiss(None)", "Close")]
    AUTO_FOCUS = "#more"
    DEFAULT_CSS = """
    ExtendScreen #schedule { margin-bottom: 1; }
    """

    def __init__(self, snapshot: RunSnapshot) -> None:
        super().__init__()
        assert snapshot.config
        self._config, self._progress, self._label = snapshot.config, snapshot.progress, snapshot.label

    def compose(self) -> ComposeResult:
        """Lay out the question, the number, where it matters the schedule, what comes of it, and the answers."""
        done = len(self._progress.epochs)
        plural = "" if done == 1 else "s"
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Train on"
            dialog.border_subtitle = "Esc closes"
            yield Static(Content(clean(f"{self._label} has trained {count(done)} epoch{plural}. Train how many more?")))
            yield NumberInput(str(self._config.epochs), id="more")
            if follows_schedule(self._config):
                words = {value: CHOICES[value].format(schedule=self._config.schedule) for value in SCHEDULE_CHOICES}
                yield Choice([Option(value, text) for value, text in words.items()], "hold", id="schedule")
            yield Static(id="outlook", markup=False)
            with Horizontal():
                yield Button("Train", id="train", variant="primary", compact=True)
                yield Button("Close  esc", id="close", compact=True)

    @on(Input.Changed)
    @on(Select.Changed)
    def _look_ahead(self) -> None:
        wanted, problem = self._read()
        text = Content.styled(clean(problem), "$text-error")
        if wanted:
            words = outlook(self._config, self._progress, wanted.epochs, wanted.schedule)
            text = Content(f"{count(wanted.epochs)} epochs in all. {words}")
        self.query_one("#outlook", Static).update(text)
        self.query_one("#train", Button).disabled = bool(problem)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if wanted := self._read()[0]:
            self.dismiss(wanted)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(self._read()[0] if event.button.id == "train" else None)

    def _read(self) -> tuple[MoreEpochs | None, str]:
        """Return what was chosen, or what is wrong with the number."""
        try:
            more: int = parse_field("epochs", self.query_one("#more", Input).value)
            epochs: int = parse_field("epochs", len(self._progress.epochs) + more)
        except ConfigError as error:
            return None, error.message
        chosen = self.query("#schedule").first(Choice).value if follows_schedule(self._config) else "hold"
        return MoreEpochs(epochs, "restart" if chosen == "restart" else "hold"), ""
