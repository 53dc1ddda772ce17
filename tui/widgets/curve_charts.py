"""Loss and accuracy beside each other: of the run on display, and of the same recipe on the other backend."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.curves import accuracy_curves, loss_curves
from tui.family import SHORT_NAMES, Family
from tui.widgets.chart import Chart

ROOM_FOR_LEGENDS = 100
"""Columns of the terminal: with fewer, a pair's names stand beside the titles."""


class CurveCharts(Horizontal):
    """Two charts; `show` gives them their curves."""

    def __init__(self, *, ascii: bool, id: str) -> None:
        super().__init__(id=id)
        self._ascii = ascii

    def compose(self) -> ComposeResult:
        """Lay out both."""
        for figure in ("loss", "accuracy"):
            chart = Chart(figure, id=figure)
            chart.ascii = self._ascii
            yield chart

    def show(self, family: Family | None) -> None:
        """Show the curves of `family`, and of a pair whose are whose."""
        names = family.pair if family and self.app.size.width < ROOM_FOR_LEGENDS else ()
        for figure, curves in (("#loss", loss_curves), ("#accuracy", accuracy_curves)):
            chart = self.query_one(figure, Chart)
            chart.show(curves(family) if family else ())
            chart.name_colors(*(SHORT_NAMES[name] for name in names))
