"""The figures of every finished epoch, in aligned columns; wide terminals show more of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.widgets import DataTable

from engine.events import EpochFinished
from tui.formats import count, duration
from tui.snapshot import RunSnapshot

WIDE = 70
TEST_ACCURACY = "test acc"


@dataclass(frozen=True)
class Column:
    """A column: its heading, its width in cells, and how to write an epoch's figure."""

    heading: str
    width: int
    figure: Callable[[EpochFinished], str]


def _columns(width: int) -> tuple[Column, ...]:
    if width < WIDE:
        return (
            Column("ep", 3, lambda e: count(e.epoch)),
            Column("loss", 7, lambda e: f"{e.train_loss:.4f}"),
            Column("acc", 7, lambda e: f"{e.train_accuracy:.4f}"),
            Column("test loss", 10, lambda e: f"{e.test_loss:.4f}"),
            Column(TEST_ACCURACY, 9, lambda e: f"{e.test_accuracy:.4f}"),
            Column("time", 6, lambda e: duration(e.seconds)),
        )
    return (
        Column("epoch", 5, lambda e: count(e.epoch)),
        Column("train loss", 12, lambda e: f"{e.train_loss:.4f}"),
        Column("train acc", 11, lambda e: f"{e.train_accuracy:.4f}"),
        Column("test loss", 11, lambda e: f"{e.test_loss:.4f}"),
        Column(TEST_ACCURACY, 10, lambda e: f"{e.test_accuracy:.4f}"),
        Column("time", 9, lambda e: duration(e.seconds)),
        Column("images/s", 10, lambda e: count(e.images_per_second)),
    )


class EpochTable(DataTable[Text]):
    """The epochs of the run it was last shown; the best test accuracy is marked."""

    def __init__(self, *, ascii: bool = False) -> None:
        super().__init__(cursor_type="row", cell_padding=0)
        self._ascii = ascii
        self._layout: tuple[Column, ...] = ()
        self._snapshot: RunSnapshot | None = None
        self._shown: tuple[EpochFinished, ...] = ()
        self._best = 0

    def show(self, snapshot: RunSnapshot | None) -> None:
        """Show the epochs of `snapshot`; only what is new is added."""
        same_run = self._snapshot and snapshot and self._snapshot.run.id == snapshot.run.id
        epochs = snapshot.progress.epochs if snapshot else ()
        self._snapshot = snapshot
        best = snapshot.progress.best if snapshot else None
        moved = (best.epoch if best else 0) != self._best and self._best != 0
        if not same_run or moved or epochs[: len(self._shown)] != self._shown:
            self.clear()
            self._shown = ()
        self._best = best.epoch if best else 0
        at_end = self.cursor_row >= len(self._shown) - 1
        for epoch in epochs[len(self._shown) :]:
            self.add_row(*self._cells(epoch))
        self._shown = epochs
        if at_end and epochs:
            self.move_cursor(row=len(epochs) - 1)

    def _cells(self, epoch: EpochFinished) -> list[Text]:
        is_best = epoch.epoch == self._best
        cells = []
        for column in self._layout:
            cells.append(Text(f"{column.figure(epoch):>{column.width}}", style="bold" if is_best else ""))
            if column.heading == TEST_ACCURACY:
                cells.append(Text(("*" if self._ascii else "★") if is_best else " "))
        return cells

    def on_resize(self, event: events.Resize) -> None:
        """Choose the columns that fit."""
        layout = _columns(event.size.width)
        if [c.heading for c in layout] == [c.heading for c in self._layout]:
            return
        self._layout = layout
        self.clear(columns=True)
        for column in layout:
            self.add_column(Text(f"{column.heading:>{column.width}}"), width=column.width)
            if column.heading == TEST_ACCURACY:
                self.add_column(Text(""), width=1)
        self._shown = ()
        self.show(self._snapshot)
