"""Which run to lay over the one on display."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.formats import percent
from tui.screens.dialog import Dialog
from tui.snapshot import RunSnapshot
from tui.terminal import clean

NONE = "none"


class ChooseRunScreen(Dialog[str | None]):
    """Asks for one of `runs`; the result is its id, NONE to show the one on display alone, or None for no answer."""

    BINDINGS = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("k", "app.simulate_key('up')", show=False),
        Binding("j", "app.simulate_key('down')", show=False),
    ]
    DEFAULT_CSS = """
    ChooseRunScreen OptionList {
        height: auto;
        max-height: 14;
        background: transparent;
        border: none;
        padding: 0;
    }
    """

    def __init__(self, runs: Sequence[RunSnapshot], can_be_none: bool) -> None:
        super().__init__()
        self._runs, self._can_be_none = runs, can_be_none

    def compose(self) -> ComposeResult:
        """Lay out the runs, the newest first."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Lay another run over this one"
            dialog.border_subtitle = "Enter chooses · Esc closes"
            options = [Option(_line(snapshot), id=snapshot.run.id) for snapshot in self._runs]
            if self._can_be_none:
                options.insert(0, Option("None: this run alone", id=NONE))
            yield OptionList(*options, compact=True)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)


def _line(snapshot: RunSnapshot) -> Content:
    accuracy = snapshot.progress.test_accuracy
    facts = " · ".join(part for part in (snapshot.model, "" if accuracy is None else percent(accuracy)) if part)
    return Content.assemble(clean(snapshot.label), (f"  {clean(facts)}", "$text-muted"))
