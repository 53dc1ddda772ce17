"""Loss and accuracy beside each other: of the run on display, and of the same recipe on the other backend."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.curves import accuracy_curves, axis_end, loss_curves, marks_of
from tui.family import Family
from tui.terminal import CurveMode
from tui.widgets.chart import Chart


class CurveCharts(Horizontal):
    """Two charts; `show` gives them their curves."""

    def __init__(self, *, mode: CurveMode, id: str) -> None:
        super().__init__(id=id)
        self._mode = mode

    def compose(self) -> ComposeResult:
        """Lay out both."""
        yield Chart("loss", mode=self._mode, id="loss")
        yield Chart("accuracy, %", mode=self._mode, value_format="{:.2f} %".format, id="accuracy")

    def show(self, family: Family | None) -> None:
        """Show the curves of `family`, and of a pair whose are whose."""
        for figure, curves in (("#loss", loss_curves), ("#accuracy", accuracy_curves)):
            chart = self.query_one(figure, Chart)
            if family:
                chart.show(curves(family), marks_of(family), axis_end(family))
            else:
                chart.show(())
