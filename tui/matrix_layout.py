"""How a confusion matrix fits into a width: which of its columns are shown, how wide they are, how figures are written.

Every column but the first begins with a blank, and is as wide as its widest text: figures never touch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rich.cells import cell_len

from engine.scores import ClassScores
from tui.cells import fitted
from tui.formats import short_count
from tui.terminal import clean

SCORES = ("rec", "prec", "F1")
"""Recall, precision and F1; a narrow matrix does without the last ones."""
SCORE_CELLS = 5  # a blank and ".979"
SHORTEST_NAME = 8
SHORTEST_HEADING = 4


@dataclass(frozen=True)
class MatrixLayout:
    """One way to write a matrix; `lay_out` finds the richest one that fits.

    `answered` is how often each class was the answer: the columns' totals, of which none is below a count.
    `least_cells` are what a column of counts has at least.
    `heading_cells` and `name_cells` are the most that class names take above the columns and before the rows.
    `numbered` heads the columns with the rows' numbers. `compact` writes 12,345 as 12k. `first` and `shown` are the
    first column in sight and how many are.
    """

    counts: Sequence[Sequence[int]]
    answered: tuple[int, ...]
    names: tuple[str, ...]
    ascii: bool = False
    has_separators: bool = True
    heading_cells: int = 1000
    name_cells: int = 1000
    numbered: bool = False
    compact: bool = False
    least_cells: int = 5
    has_totals: bool = True
    score_count: int = len(SCORES)
    first: int = 0
    shown: int = 0

    def figure(self, number: int) -> str:
        """Return a count as this layout writes it."""
        if self.compact:
            return short_count(number)
        return f"{number:,}" if self.has_separators else str(number)

    @property
    def columns(self) -> range:
        """The classes whose columns are in sight."""
        return range(self.first, self.first + self.shown)

    @property
    def is_whole(self) -> bool:
        """Whether all columns are in sight."""
        return self.shown == len(self.names)

    @property
    def width(self) -> int:
        """The cells that a line takes."""
        return self.frame_cells + self.shown * self.count_cells

    @property
    def frame_cells(self) -> int:
        """The cells of a line without the counts."""
        return self.label_cells + self.total_cells * self.has_totals + SCORE_CELLS * self.score_count

    @cached_property
    def label_cells(self) -> int:
        """The cells of the rows' names."""
        return max(1, *(cell_len(self.label(row)) for row in range(len(self.names))))

    @cached_property
    def count_cells(self) -> int:
        """The cells of a column of counts, with the blank before it."""
        headings = (cell_len(self.heading_of(column)) for column in range(len(self.names)))
        return max(self.least_cells, 1 + max(self._figure_cells(max(self.answered)), *headings))

    @cached_property
    def total_cells(self) -> int:
        """The cells of the column of totals, with the blank before it."""
        return 1 + max(len("total"), self._figure_cells(sum(self.answered)))

    def _figure_cells(self, largest: int) -> int:
        """Return the cells of the widest of the figures up to `largest`."""
        return 4 if self.compact and largest >= 1000 else len(self.figure(largest))

    def label(self, row: int) -> str:
        """Return the name of a row, cut to its cells with an ellipsis."""
        number = f"{row:>{len(str(len(self.names) - 1))}} " if self.numbered else ""
        return number + _cut(self.names[row], self.name_cells, self.ascii)

    def heading_of(self, column: int) -> str:
        """Return what stands above a column."""
        return str(column) if self.numbered else _cut(self.names[column], self.heading_cells, self.ascii)

    # Lines, each a list of texts: the name, the counts in sight, the total, the scores

    def heading(self) -> list[str]:
        """Return the columns' names."""
        cells = self.count_cells
        texts = [fitted("", self.label_cells), *(f"{' ' * (cells - cell_len(h))}{h}" for h in self._headings())]
        return texts + [f"{'total':>{self.total_cells}}"] * self.has_totals + self._scores(SCORES)

    def row(self, row: int, scores: ClassScores | None) -> list[str]:
        """Return what is said of the true class `row`."""
        counts = self.counts[row]
        zero = "." if self.ascii else "·"
        texts = [fitted(self.label(row), self.label_cells)]
        texts += [f"{self.figure(n) if n else zero:>{self.count_cells}}" for n in self._in_sight(counts)]
        texts += [f"{self.figure(sum(counts)):>{self.total_cells}}"] * self.has_totals
        found = (scores.recall[row], scores.precision[row], scores.f1[row]) if scores else (None,) * 3
        return texts + self._scores([score_text(value) for value in found])

    def totals(self) -> list[str]:
        """Return how often each class was the answer."""
        label = "total" if not self.has_totals and self.label_cells >= len("total") else ""
        texts = [fitted(label, self.label_cells)]
        texts += [f"{self.figure(n):>{self.count_cells}}" for n in self._in_sight(self.answered)]
        texts += [f"{self.figure(sum(self.answered)):>{self.total_cells}}"] * self.has_totals
        return texts

    def _headings(self) -> list[str]:
        return [self.heading_of(column) for column in self.columns]

    def _in_sight(self, figures: Sequence[int]) -> Sequence[int]:
        return figures[self.first : self.first + self.shown]

    def _scores(self, texts: Sequence[str]) -> list[str]:
        return [f"{text:>{SCORE_CELLS}}" for text in texts[: self.score_count]]


def lay_out(
    counts: Sequence[Sequence[int]], class_names: Sequence[str], width: int, *, ascii: bool = False, first: int = 0
) -> MatrixLayout:
    """Return the richest layout of `counts` [true class][answer] that fits into `width` cells.

    Where none has room for all columns, those from `first` on are shown.
    """
    answered = tuple(sum(column) for column in zip(*counts, strict=True))
    richest = MatrixLayout(counts, answered, tuple(clean(name) for name in class_names), ascii, shown=len(class_names))
    layout = richest
    for layout in _from_rich_to_poor(richest):
        if layout.width <= width:
            return layout
    shown = max(1, min(len(class_names), (width - layout.frame_cells) // layout.count_cells))
    return replace(layout, shown=shown, first=max(0, min(first, len(class_names) - shown)))


def score_text(value: float | None) -> str:
    """`0.979` → `.979`, in four cells; a dash where it is undefined or not known."""
    if value is None:
        return "-"
    return "1.00" if value > 0.9995 else f"{value:.3f}".removeprefix("0")


def _from_rich_to_poor(layout: MatrixLayout) -> Iterator[MatrixLayout]:
    """Yield `layout` and what is left of it when one thing after the other is given up, the least missed first."""
    yield layout
    for changes in (
        {"heading_cells": 8},
        {"least_cells": 4},
        {"has_separators": False},
        {"least_cells": 0},
        {"heading_cells": SHORTEST_HEADING},
        {"score_count": 2},
        {"name_cells": 14},
        {"score_count": 1},
        {"score_count": 0},
        {"name_cells": SHORTEST_NAME},
        {"compact": True},
        {"has_totals": False},
    ):
        layout = _with_clear_headings(replace(layout, **changes))
        yield layout


def _with_clear_headings(layout: MatrixLayout) -> MatrixLayout:
    """Return `layout`, its columns headed with numbers where the class names, cut, would not tell them apart."""
    headings = {_cut(name, layout.heading_cells, layout.ascii) for name in layout.names}
    return replace(layout, numbered=len(headings) < len(set(layout.names)))


def _cut(name: str, cells: int, ascii: bool) -> str:
    return name if cell_len(name) <= cells else fitted(name, cells, ascii=ascii).rstrip()
