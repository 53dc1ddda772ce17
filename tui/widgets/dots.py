"""Thin lines in a grid of braille dots, two columns and four rows of them in a cell: points → dots → characters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

COLUMNS, ROWS = 2, 4
"""Dots in a cell."""
DASH_ON, DASH_OFF = 5, 3
"""Dots of a dashed line that are drawn, and that are left out behind them."""
_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bit of a dot by its column and its row in the cell, in the block of characters that begins at U+2800."""
_BLANK = 0x2800

Point = tuple[float, float]


class Dots:
    """Lines over `columns` × `rows` cells. Where several go through a cell, it has the dots of all.

    Lines that lie over each other take turns in owning two cells each, so that none of them is hidden.

    Points are given in dots: (0, 0) is the lowest dot on the left, (`right`, `top`) the highest on the right.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self._rows = rows
        self.right, self.top = columns * COLUMNS - 1, rows * ROWS - 1
        self._dots: dict[tuple[int, int], int] = {}
        self._owners: dict[tuple[int, int], list[int]] = {}

    def draw(self, points: Sequence[Point], owner: int, dashed: bool = False) -> None:
        """Draw a line through `points`, ascending from left to right; what is above or below the grid is left out."""
        for number, (x, y) in enumerate(_steps(points, self.top)):
            if not dashed or number % (DASH_ON + DASH_OFF) < DASH_ON:
                self._set(x, y, owner)

    def _set(self, x: int, y: int, owner: int) -> None:
        if 0 <= x <= self.right and 0 <= y <= self.top:
            below = self.top - y
            cell = below // ROWS, x // COLUMNS
            self._dots[cell] = self._dots.get(cell, 0) | _BITS[x % COLUMNS][below % ROWS]
            owners = self._owners.setdefault(cell, [])
            if owner not in owners:
                owners.append(owner)

    def cells(self) -> Iterator[tuple[int, int, str, int]]:
        """Yield the cells with a dot in them: row and column from the top left, character, and owner."""
        for (row, column), bits in self._dots.items():
            owners = self._owners[row, column]
            yield row, column, chr(_BLANK + bits), owners[column // 2 % len(owners)]


def _steps(points: Sequence[Point], top: int) -> Iterator[tuple[int, int]]:
    """Yield the dots on the way through `points`, each once, with the first and the last."""
    if not points:
        return
    last = _rounded(points[0])
    yield last
    for line in pairwise(points):
        for dot in _between(line, top):
            if dot != last:
                yield dot
                last = dot


def _between(line: tuple[Point, Point], top: int) -> Iterable[tuple[int, int]]:
    """Yield the dots on the line between two points, as far as it is in the grid or at most a dot beside it."""
    (x, y), (end_x, end_y) = line
    if max(y, end_y) < -1 or min(y, end_y) > top + 1:
        return
    # A line of infinite length would take as long to draw, and its slope cannot be told from its ends.
    low, high = min(max(y, -1.0), top + 1.0), min(max(end_y, -1.0), top + 1.0)
    begin, end = ((low - y) / (end_y - y), (high - y) / (end_y - y)) if y != end_y else (0.0, 1.0)
    steps = max(1, math.ceil(max((end - begin) * abs(end_x - x), abs(high - low))))
    for number in range(steps + 1):
        share = number / steps
        yield _rounded((x + (begin + (end - begin) * share) * (end_x - x), low + share * (high - low)))


def _rounded(point: Point) -> tuple[int, int]:
    return math.floor(point[0] + 0.5), math.floor(point[1] + 0.5)
