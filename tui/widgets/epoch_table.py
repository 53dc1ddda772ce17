"""The figures of every finished epoch, in aligned columns; wide terminals show more of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from rich.segment import Segment

from engine.events import EpochFinished
from tui.family import SHORT_NAMES, Family
from tui.formats import count, duration, figure
from tui.widgets.line_table import LineTable

WIDE = 70
MARGIN = 2
"""Cells before the first column: for the best epoch's star, below what else stands in the same box."""
MEASURED = 500
"""So many of the last rows decide how wide the columns are."""
TEST_ACCURACY = "test acc"
DISPENSABLE = ("images/s", "time", "valid loss", "other loss", "valid acc", "other acc")
"""The columns that a narrow table does without, the first first."""


@dataclass(frozen=True)
class Column:
    """A column: what it is, its heading, its least width in cells, and how to write an epoch's figure.

    The first of its cells is a blank.
    """

    key: str
    heading: str
    width: int
    figure: Callable[[EpochFinished], str] = field(compare=False)
    of_partner: bool = False


@dataclass(frozen=True)
class Row:
    """An epoch of the run on display, and of the same recipe on the other backend."""

    own: EpochFinished | None
    other: EpochFinished | None
    is_best: bool


def _columns(width: int, partner: str, has_validation: bool, rows: Sequence[Row]) -> tuple[Column, ...]:
    """Return the columns that fit into `width` cells; `partner` is the short name of the other backend, or empty."""
    columns = _wide_columns(partner, has_validation) if width >= WIDE else _narrow_columns()
    columns = [_widened(column, rows[-MEASURED:]) for column in columns]
    for key in DISPENSABLE:
        if MARGIN - 1 + sum(column.width for column in columns) <= width:
            break
        columns = [column for column in columns if column.key != key]
    return tuple(columns)


def _widened(column: Column, rows: Sequence[Row]) -> Column:
    """Return `column` with room for its figures in `rows` and a blank before them."""
    longest = max((len(_text(column, row)) for row in rows), default=0)
    return replace(column, width=max(column.width, 1 + longest))


def _narrow_columns() -> list[Column]:
    return [
        Column("epoch", "ep", 3, lambda e: count(e.epoch)),
        Column("train loss", "loss", 7, lambda e: figure(e.train_loss, 6)),
        Column("train acc", "acc", 7, lambda e: f"{e.train_accuracy:.4f}"),
        Column("test loss", "test loss", 10, lambda e: figure(e.test_loss)),
        Column(TEST_ACCURACY, TEST_ACCURACY, 9, lambda e: f"{e.test_accuracy:.4f}"),
        Column("time", "time", 6, lambda e: duration(e.seconds)),
    ]


def _wide_columns(partner: str, has_validation: bool) -> list[Column]:
    columns = [
        Column("epoch", "epoch", 6, lambda e: count(e.epoch)),
        Column("train loss", "train loss", 12, lambda e: figure(e.train_loss)),
        Column("train acc", "train acc", 11, lambda e: f"{e.train_accuracy:.4f}"),
    ]
    if has_validation:
        columns += [
            Column("valid loss", "valid loss", 12, lambda e: figure(e.validation_loss)),
            Column("valid acc", "valid acc", 11, lambda e: figure(e.validation_accuracy)),
        ]
    other = f"({partner})"
    columns += [
        Column("test loss", "test loss", 11, lambda e: figure(e.test_loss)),
        Column("other loss", other, 8, lambda e: figure(e.test_loss, 7), of_partner=True),
        Column(TEST_ACCURACY, TEST_ACCURACY, 10, lambda e: f"{e.test_accuracy:.4f}"),
        Column("other acc", other, 8, lambda e: f"{e.test_accuracy:.4f}", of_partner=True),
        Column("time", "time", 9, lambda e: duration(e.seconds)),
        Column("images/s", "images/s", 10, lambda e: count(e.images_per_second)),
    ]
    return [column for column in columns if partner or not column.of_partner]


class EpochTable(LineTable):
    """The epochs of the run on display, and where there is room those of its partner; the best one is marked."""

    DEFAULT_CSS = """
    EpochTable > .table--best { color: $foreground; text-style: bold; }
    """
    COMPONENT_CLASSES = {"table--best"}

    def __init__(self, *, ascii: bool = False) -> None:
        super().__init__()
        self._star = "*" if ascii else "★"
        self._columns: tuple[Column, ...] = ()
        self._family: Family | None = None
        self._run_shown = ""
        self._rows: tuple[Row, ...] = ()

    def show(self, family: Family | None) -> None:
        """Show the epochs of the run on display; a cursor on its last one stays on the last."""
        self._family = family
        partner, has_validation = self._shown_beside()
        rows = _rows(family, bool(partner) and self.room.width >= WIDE) if family else ()
        columns = _columns(self.room.width, partner, has_validation, rows)
        run = family.display.run.id if family else ""
        before = self._rows if run == self._run_shown else ()
        own, known = (sum(row.own is not None for row in some) for some in (rows, before))
        cursor = own - 1 if own > known and self.cursor >= known - 1 else self.cursor
        changed = None
        if len(rows) >= len(before) and columns == self._columns:
            changed = [row for row, new in enumerate(rows) if row >= len(before) or new != before[row]]
        self._columns, self._rows, self._run_shown = columns, rows, run
        self.show_rows(len(rows), cursor, changed)

    def on_resize(self) -> None:
        """Choose the columns that fit."""
        self.show(self._family)

    def _shown_beside(self) -> tuple[str, bool]:
        """Return the short name of the other backend, if there is one, and whether images are held out."""
        config = self._family.display.config if self._family else None
        others = [name for name in (self._family.pair if self._family else ()) if config and name != config.backend]
        partner = SHORT_NAMES[others[0]] if others else ""
        return partner, bool(config and config.validation)

    def heading(self) -> list[Segment]:
        """Return the columns' names."""
        cells = [_cell(column.heading, column) for column in self._columns]
        return [Segment(" " * (MARGIN - 1) + "".join(cells), self.style_of("quiet"))]

    def line(self, row: int) -> list[Segment]:
        """Return an epoch's figures; a star is before those of the best."""
        epochs, has_cursor = self._rows[row], row == self.cursor and self.has_focus
        plain = self.style_of("cursor" if has_cursor else "text")
        own = self.style_of("best") if epochs.is_best and not has_cursor else plain
        segments = [Segment((self._star if epochs.is_best else "").center(MARGIN - 1), plain)]
        for column in self._columns:
            style = plain if column.of_partner else own
            segments.append(Segment(_cell(_text(column, epochs), column), style))
        return [*segments, Segment("", plain)]


def _cell(text: str, column: Column) -> str:
    """Return `text` at the right of its column, after a blank: figures never touch."""
    return f" {text:>{column.width - 1}}"


def _text(column: Column, row: Row) -> str:
    epoch = row.other if column.of_partner else row.own
    if column.key == "epoch":
        epoch = row.own or row.other
    return column.figure(epoch) if epoch else ""


def _rows(family: Family, with_partner: bool) -> tuple[Row, ...]:
    """Return a row for each epoch that the run on display has finished; `with_partner`, or its partner has."""
    own = {epoch.epoch: epoch for epoch in family.display.progress.epochs}
    partner = family.partner if with_partner else None
    other = {epoch.epoch: epoch for epoch in partner.progress.epochs} if partner else {}
    best = family.display.progress.best
    numbers = sorted(own.keys() | other.keys())
    return tuple(Row(own.get(n), other.get(n), bool(best and best.epoch == n)) for n in numbers)
