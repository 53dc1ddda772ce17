"""Loss and accuracy beside each other: of the run on display, and of the same recipe on the other backend."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.timer import Timer

from tui.curves import accuracy_curves, axis_end, loss_curves, loss_note, marks_of
from tui.family import Family
from tui.terminal import CurveMode
from tui.widgets.chart import REBUILD_SECONDS, Chart


class CurveCharts(Horizontal):
    """Two charts; `show` gives them their curves, of a run in training not more often than they are painted."""

    def __init__(self, *, mode: CurveMode, id: str) -> None:
        super().__init__(id=id)
        self._mode = mode
        self._family: Family | None = None
        self._shown: Family | None = None
        self._cooldown: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out both."""
        yield Chart("loss", mode=self._mode, id="loss")
        yield Chart("accuracy, %", mode=self._mode, value_format="{:.2f} %".format, id="accuracy")

    def show(self, family: Family | None) -> None:
        """Show the curves of `family`, and of a pair whose are whose."""
        self._family = family
        shown = self._shown.display.run.id if self._shown else ""
        if self._cooldown is None or shown != (family.display.run.id if family else ""):
            self._show_latest()

    def _show_latest(self) -> None:
        if self._cooldown:
            self._cooldown.stop()
            self._cooldown = None
        family = self._family
        if family is self._shown:
            return
        self._shown = family
        loss, accuracy = self.query_one("#loss", Chart), self.query_one("#accuracy", Chart)
        if family is None:
            loss.show(())
            accuracy.show(())
            return
        marks, end = marks_of(family), axis_end(family)
        loss.show(loss_curves(family), marks, end, loss_note(family))
        accuracy.show(accuracy_curves(family), marks, end)
        self._cooldown = self.set_timer(REBUILD_SECONDS, self._show_latest)
