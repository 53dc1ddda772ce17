"""What goes on inside a run: its learning rate, and the filters of the first layer as they form."""

from __future__ import annotations

import time
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer

from tui import network as work
from tui.background import OneAtATime
from tui.curves import axis_end, marks_of, rate_curves
from tui.family import Family
from tui.snapshot import RunSnapshot
from tui.terminal import CurveMode, PictureMode, clean
from tui.widgets.chart import Chart
from tui.widgets.first_filters import FirstFilters

SECONDS_BETWEEN = 4.0
"""A run may save several checkpoints a second."""
NOT_YET = "They are shown here after the first epoch."


class InsideRun(Vertical):
    """Shows the run on display as far as it is seen: checkpoints are read on a thread, and not more than are shown."""

    def __init__(self, *, curves: CurveMode, pictures: PictureMode, id: str) -> None:
        super().__init__(id=id)
        self._curves, self._pictures = curves, pictures
        self._reader = OneAtATime(self, "read filters")
        self._asked: tuple[str, int] | None = None
        self._last_asked = 0.0
        self._timer: Timer | None = None
        self._snapshot: RunSnapshot | None = None

    def compose(self) -> ComposeResult:
        """Lay out the chart above the filters."""
        yield Chart("learning rate", mode=self._curves, value_format="{:.3g}".format, id="rate")
        yield FirstFilters(mode=self._pictures, id="forming", classes="panel")

    def show(self, family: Family | None) -> None:
        """Show what there is to see of the run on display."""
        self._snapshot = family.display if family else None
        if not self.display:
            return
        chart = self.query_one("#rate", Chart)
        if family:
            chart.show(rate_curves(family), marks_of(family), axis_end(family))
        else:
            chart.show(())
        if self.query_one(FirstFilters).display:
            self._show_filters()

    def _show_filters(self) -> None:
        """Have the newest checkpoint read: at once, or while it trains when the last was not read just now."""
        snapshot = self._snapshot
        if snapshot is None or snapshot.checkpoint is None or snapshot.config is None:
            if self._asked is not None or snapshot is None:
                self.query_one(FirstFilters).say(NOT_YET)
            self._asked = None
            return
        newest = (snapshot.run.id, snapshot.checkpoint.epoch)
        if newest == self._asked or self._timer:
            return
        wait = self._last_asked + SECONDS_BETWEEN - time.monotonic()
        if snapshot.live and self._asked and self._asked[0] == newest[0] and wait > 0:
            self._timer = self.set_timer(wait, self._ask_later)
        else:
            self._asked, self._last_asked = newest, time.monotonic()
            self._reader.ask(partial(work.read_network, snapshot, snapshot.checkpoint))

    def _ask_later(self) -> None:
        self._timer = None
        self._show_filters()

    @on(work.NetworkRead)
    def _take_network(self, message: work.NetworkRead) -> None:
        if self._snapshot and self._is_asked(message.run_id, message.saved.epoch):
            self.query_one(FirstFilters).show(message.network, self._snapshot.label)

    @on(work.NetworkMissing)
    def _tell_missing(self, message: work.NetworkMissing) -> None:
        if self._is_asked(message.run_id, message.saved.epoch):
            self.query_one(FirstFilters).say(clean(message.error.message))

    def _is_asked(self, run_id: str, epoch: int) -> bool:
        return (run_id, epoch) == self._asked
