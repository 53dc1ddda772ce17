"""The figures of every finished epoch, in aligned columns; wide terminals show more of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.coordinate import Coordinate
from textual.widgets import DataTable

from engine.events import EpochFinished
from tui.family import SHORT_NAMES, Family
from tui.formats import count, duration

WIDE = 70
TEST_ACCURACY = "test acc"
DISPENSABLE = ("images/s", "time", "valid loss", "other loss", "valid acc", "other acc")
"""The columns that a narrow table does without, the first first."""


@dataclass(frozen=True)
class Column:
    """A column: what it is, its heading, its width in cells, and how to write an epoch's figure."""

    key: str
    heading: str
    width: int
    figure: Callable[[EpochFinished], str]
    of_partner: bool = False


@dataclass(frozen=True)
class Row:
    """An epoch of the run on display, and of the same recipe on the other backend."""

    own: EpochFinished | None
    other: EpochFinished | None
    is_best: bool


def _columns(width: int, partner: str, has_validation: bool) -> tuple[Column, ...]:
    """Return the columns that fit into `width` cells; `partner` is the short name of the other backend, or empty."""
    columns = list(_wide_columns(partner, has_validation) if width >= WIDE else _narrow_columns())
    for key in DISPENSABLE:
        if sum(column.width for column in columns) + 1 <= width:  # one for the best epoch's star
            break
        columns = [column for column in columns if column.key != key]
    return tuple(columns)


def _narrow_columns() -> list[Column]:
    return [
        Column("epoch", "ep", 3, lambda e: count(e.epoch)),
        Column("train loss", "loss", 7, lambda e: f"{e.train_loss:.4f}"),
        Column("train acc", "acc", 7, lambda e: f"{e.train_accuracy:.4f}"),
        Column("test loss", "test loss", 10, lambda e: f"{e.test_loss:.4f}"),
        Column(TEST_ACCURACY, TEST_ACCURACY, 9, lambda e: f"{e.test_accuracy:.4f}"),
        Column("time", "time", 6, lambda e: duration(e.seconds)),
    ]


def _wide_columns(partner: str, has_validation: bool) -> list[Column]:
    columns = [
        Column("epoch", "epoch", 5, lambda e: count(e.epoch)),
        Column("train loss", "train loss", 12, lambda e: f"{e.train_loss:.4f}"),
        Column("train acc", "train acc", 11, lambda e: f"{e.train_accuracy:.4f}"),
    ]
    if has_validation:
        columns += [
            Column("valid loss", "valid loss", 12, lambda e: _figure(e.validation_loss)),
            Column("valid acc", "valid acc", 11, lambda e: _figure(e.validation_accuracy)),
        ]
    other = f"({partner})"
    columns += [
        Column("test loss", "test loss", 11, lambda e: f"{e.test_loss:.4f}"),
        Column("other loss", other, 8, lambda e: f"{e.test_loss:.4f}", of_partner=True),
        Column(TEST_ACCURACY, TEST_ACCURACY, 10, lambda e: f"{e.test_accuracy:.4f}"),
        Column("other acc", other, 8, lambda e: f"{e.test_accuracy:.4f}", of_partner=True),
        Column("time", "time", 9, lambda e: duration(e.seconds)),
        Column("images/s", "images/s", 10, lambda e: count(e.images_per_second)),
    ]
    return [column for column in columns if partner or not column.of_partner]


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


class EpochTable(DataTable[Text]):
    """The epochs of the run on display, and where there is room those of its partner; the best one is marked."""

    BINDINGS = [
        Binding("k", "cursor_up", show=False),
        Binding("j", "cursor_down", show=False),
        Binding("g", "scroll_top", show=False),
        Binding("G", "scroll_bottom", show=False),
    ]

    def __init__(self, *, ascii: bool = False) -> None:
        super().__init__(cursor_type="row", cell_padding=0)
        self._ascii = ascii
        self._columns: tuple[Column, ...] = ()
        self._family: Family | None = None
        self._run_shown = ""
        self._rows: tuple[Row, ...] = ()

    def show(self, family: Family | None) -> None:
        """Show the epochs of the run on display; only what is new is written."""
        self._family = family
        self._lay_out()
        rows = _rows(family, any(column.of_partner for column in self._columns)) if family else ()
        run = family.display.run.id if family else ""
        if run != self._run_shown or len(rows) < len(self._rows):
            self.clear()
            self._rows, self._run_shown = (), run
        own, known = (sum(row.own is not None for row in some) for some in (rows, self._rows))
        at_end = self.cursor_row >= known - 1
        for index, (row, before) in enumerate(zip(rows, self._rows, strict=False)):
            if row != before:
                for column, cell in enumerate(self._cells(row)):
                    self.update_cell_at(Coordinate(index, column), cell)
        for row in rows[len(self._rows) :]:
            self.add_row(*self._cells(row))
        self._rows = rows
        if at_end and own > known:
            self.move_cursor(row=own - 1)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the columns that fit, and keep the row with the cursor in sight."""
        self.show(self._family)
        self.move_cursor(row=self.cursor_row)

    def _lay_out(self) -> None:
        """Choose the columns; where they are others now, the table is empty afterwards."""
        config = self._family.display.config if self._family else None
        others = [name for name in (self._family.pair if self._family else ()) if config and name != config.backend]
        partner = SHORT_NAMES[others[0]] if others else ""
        columns = _columns(self.size.width, partner, bool(config and config.validation))
        if [column.heading for column in columns] == [column.heading for column in self._columns]:
            return
        self._columns, self._rows = columns, ()
        self.clear(columns=True)
        for column in columns:
            self.add_column(Text(f"{column.heading:>{column.width}}"), width=column.width)
            if column.key == TEST_ACCURACY:
                self.add_column(Text(""), width=1)

    def _cells(self, row: Row) -> list[Text]:
        cells = []
        for column in self._columns:
            epoch = row.other if column.of_partner else row.own
            text = column.figure(epoch) if epoch else ""
            if column.key == "epoch" and epoch is None and row.other:
                text = column.figure(row.other)
            style = "bold" if row.is_best and not column.of_partner else ""
            cells.append(Text(f"{text:>{column.width}}", style=style))
            if column.key == TEST_ACCURACY:
                cells.append(Text(("*" if self._ascii else "★") if row.is_best else " "))
        return cells


def _rows(family: Family, with_partner: bool) -> tuple[Row, ...]:
    """Return a row for each epoch that the run on display has finished; `with_partner`, or its partner has."""
    own = {epoch.epoch: epoch for epoch in family.display.progress.epochs}
    partner = family.partner if with_partner else None
    other = {epoch.epoch: epoch for epoch in partner.progress.epochs} if partner else {}
    best = family.display.progress.best
    numbers = sorted(own.keys() | other.keys())
    return tuple(Row(own.get(n), other.get(n), bool(best and best.epoch == n)) for n in numbers)
