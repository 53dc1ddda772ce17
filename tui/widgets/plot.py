"""Curves as rows of coloured characters.

plotext draws the axes, and curves in blocks or ASCII. It takes some 20 µs a point, 10 ms for the four curves of a pair
in dots, so lines of braille are drawn by tui.widgets.dots, which takes 1 ms for them.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from tui.terminal import CurveMode, clean
from tui.widgets.dots import COLUMNS as DOT_COLUMNS
from tui.widgets.dots import ROWS as DOT_ROWS
from tui.widgets.dots import Dots
from tui.widgets.plot_frame import Frame, Points, epoch_ends, frame_of, scaled

AXIS, GRID, MARK = -1, -2, -3
"""The numbers of what belongs to no curve."""
SOLID_ASCII, DASHED_ASCII = "*#@%&$", ".:,'`;"  # one for each colour, so that the curves differ without it
BOX_TO_ASCII = str.maketrans("│┤─┬└", "|+-++")
DOT, LONE_POINT = "•", "■"
SOLID_EPOCHS, DASHED_EPOCHS = "●■▲◆▼★", "○□△◇▽☆"  # where an epoch ends, one for each colour likewise
SOLID_EPOCHS_ASCII, DASHED_EPOCHS_ASCII = "OXAMWH", "oxamwh"
EVERY_SIGN = {*SOLID_EPOCHS, *DASHED_EPOCHS, *SOLID_EPOCHS_ASCII, *DASHED_EPOCHS_ASCII}
GRID_LINE, MARK_LINE, MARK_LINE_ASCII = "┈", "┊", "|"
Cell = tuple[str, int]
"""A character, and the number of the curve it belongs to (or AXIS, GRID or MARK)."""
Stretch = tuple[str, int]
"""The same for several characters of a row."""


class LineStyle(NamedTuple):
    """How a curve looks: its colour, by number from 0, and whether it is dashed."""

    color: int = 0
    dashed: bool = False


SOLID = LineStyle()


@dataclass(frozen=True)
class Series:
    """One curve: `ys` over ascending `xs`, equally many. Values that are not finite leave gaps.

    `run` tells it from curves of the same name that belong to another run. Where it `has_marks`, the ends of epochs are
    marked. `stated` is what the legend says the curve came to, in place of its last value.
    """

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    style: LineStyle = SOLID
    run: str = ""
    has_marks: bool = True
    stated: float | None = None

    def __post_init__(self) -> None:
        if len(self.xs) != len(self.ys):
            raise ValueError(f"{self.name}: {len(self.xs)} xs but {len(self.ys)} ys")
        object.__setattr__(self, "xs", tuple(self.xs))  # the caller may go on appending to its own lists
        object.__setattr__(self, "ys", tuple(self.ys))


@dataclass(frozen=True)
class Mark:
    """Something that happened at `x`, in a few words."""

    x: float
    text: str


def plot(
    series: Sequence[Series],
    width: int,
    height: int,
    *,
    mode: CurveMode = CurveMode.BRAILLE,
    marks: Sequence[Mark] = (),
    end: float = 0.0,
    y_format: Callable[[float], str] | None = None,
    log_scale: bool = False,
    recent: int = 0,
) -> list[list[Stretch]]:
    """Return `height` rows of `width` cells with the curves and their axes.

    With an `end`, the x axis goes from 0 to there at least. `recent` is how many of the last epochs to show, 0 for all.
    Without `y_format`, values have three digits. The list is empty where no value can be drawn: none is finite or, on a
    logarithmic scale, above zero.
    """
    shown = _recent(series, recent) if recent else [(one.xs, one.ys) for one in series]
    curves = [scaled(_thinned(points, DOT_COLUMNS * width), log_scale) for points in shown]
    start = 0.0 if end and not recent else math.inf
    frame = frame_of(curves, width, height, start=start, end=end, y_format=y_format, log_scale=log_scale)
    if frame is None:
        return []
    styles = [one.style for one in series]
    cells = _draw_with_plotext(frame, styles, () if mode is CurveMode.BRAILLE else curves, mode is CurveMode.ASCII)
    if mode is CurveMode.BRAILLE:
        _draw_dots(cells, frame, styles, curves)
    for number, (one, points) in enumerate(zip(series, shown, strict=True)):
        if one.has_marks:
            ends = scaled(epoch_ends(points, frame), log_scale)
            _draw_epoch_ends(cells, frame, ends, (epoch_marker(one.style, mode is CurveMode.ASCII), number))
    _draw_marks(cells, frame, marks, mode)
    if mode is not CurveMode.ASCII:
        _draw_grid(cells, frame)
    return [_stretches(row) for row in cells]


def epoch_marker(style: LineStyle, ascii: bool) -> str:
    """Return the character that marks an epoch's end on a curve of that style."""
    solid, dashed = (SOLID_EPOCHS_ASCII, DASHED_EPOCHS_ASCII) if ascii else (SOLID_EPOCHS, DASHED_EPOCHS)
    return (dashed if style.dashed else solid)[style.color % len(solid)]


def line_sample(style: LineStyle, mode: CurveMode) -> str:
    """Return a character that looks as the line of a curve of that style does."""
    if mode is CurveMode.BRAILLE:
        return "╌" if style.dashed else "─"
    if mode is CurveMode.BLOCKS:
        return DOT if style.dashed else "▄"
    return (DASHED_ASCII if style.dashed else SOLID_ASCII)[style.color % len(SOLID_ASCII)]


def _recent(series: Sequence[Series], epochs: int) -> list[Points]:
    """Return the points of the last `epochs`, of which the one in progress is one."""
    reached = (one.xs[-1] for one in series if one.xs and math.isfinite(one.xs[-1]))
    first = math.ceil(max(reached, default=0.0)) - epochs + 1
    starts = [bisect_left(one.xs, first) for one in series]
    return [(one.xs[start:], one.ys[start:]) for one, start in zip(series, starts, strict=True)]


def _thinned(points: Points, columns: int) -> Points:
    """Return at most two points a column, the lowest and the highest; a column with none finite stays a gap."""
    xs, ys = points
    if len(xs) <= 2 * columns:
        return points
    kept = {0, len(xs) - 1}
    for column in range(columns):
        start, stop = column * len(xs) // columns, (column + 1) * len(xs) // columns
        finite = list(filter(math.isfinite, ys[start:stop]))
        if finite:
            kept |= {ys.index(min(finite), start, stop), ys.index(max(finite), start, stop)}
        else:
            kept.add(start)
    indices = sorted(kept)
    return [xs[index] for index in indices], [ys[index] for index in indices]


def _draw_with_plotext(
    frame: Frame, styles: Sequence[LineStyle], curves: Sequence[Points], ascii: bool
) -> list[list[Cell]]:
    """Have plotext draw the axes, and `curves`, each in a colour that is its number."""
    import plotext  # takes 0.2 s, so not before there is something to draw

    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(frame.width, frame.height)
    figure.axes(False)
    figure.axes(True, axis="y", side="left")
    figure.axes(frame.has_axis_line, axis="x", side="lower")
    figure.ruler("x", "lower").lim(frame.left, frame.right).ticks(list(frame.x_ticks), list(frame.x_ticks.values()))
    figure.ruler("y", "left").lim(frame.low, frame.high).ticks(list(frame.y_ticks), list(frame.y_ticks.values()))
    for number, (style, curve) in enumerate(zip(styles, curves, strict=False)):
        for xs, ys in _unbroken(curve):
            points = _spaced_dots(xs, ys, frame) if style.dashed else (xs, ys)
            marker = plotext.marker(_marker(style, ascii, alone=len(xs) == 1), (0, 0, number))
            figure.draw(figure.signal(*points, marker=marker).lines(not style.dashed))
    matrix = figure.build()
    lines = matrix.string(colorless=True).translate(BOX_TO_ASCII if ascii else {}).splitlines()
    cells = [[(character, AXIS) for character in line] for line in lines]
    for row, line in enumerate(lines[: frame.rows]):
        for column in range(frame.first_column, frame.width):
            if line[column] != " ":  # reading a colour takes 5 µs
                cells[row][column] = (line[column], matrix.get(row, column).foreground()[2])
    return cells


def _marker(style: LineStyle, ascii: bool, alone: bool) -> str:
    if ascii:
        return line_sample(style, CurveMode.ASCII)
    if style.dashed:
        return DOT
    return LONE_POINT if alone else "hd"


def _unbroken(points: Points) -> Iterator[Points]:
    """Yield the stretches of `points` without a gap."""
    for finite, stretch in groupby(zip(*points, strict=True), key=lambda point: math.isfinite(point[1])):
        if finite:
            xs, ys = zip(*stretch, strict=True)
            yield xs, ys


def _spaced_dots(xs: Sequence[float], ys: Sequence[float], frame: Frame) -> Points:
    """Return a point on the curve in every second column, and its two ends."""
    dots = [(xs[0], ys[0])]
    for column in range(0, frame.columns - 1, 2):
        x = frame.left + (frame.right - frame.left) * column / (frame.columns - 1)
        after = bisect_left(xs, x)
        if 0 < after < len(xs):
            share = (x - xs[after - 1]) / (xs[after] - xs[after - 1])
            dots.append((x, ys[after - 1] + share * (ys[after] - ys[after - 1])))
    dots.append((xs[-1], ys[-1]))
    return [x for x, _ in dots], [y for _, y in dots]


def _draw_dots(cells: list[list[Cell]], frame: Frame, styles: Sequence[LineStyle], curves: Sequence[Points]) -> None:
    """Draw the curves in braille, those further back in the list over those before."""
    dots = Dots(frame.columns, frame.rows)
    middle_x, middle_y = (DOT_COLUMNS - 1) / 2, (DOT_ROWS - 1) / 2
    for number, (style, curve) in enumerate(zip(styles, curves, strict=True)):
        for xs, ys in _unbroken(curve):
            points = [
                (DOT_COLUMNS * frame.across(x) + middle_x, DOT_ROWS * frame.up(y) + middle_y)
                for x, y in zip(xs, ys, strict=True)
            ]
            dots.draw(points, number, style.dashed)
    for row, column, character, number in dots.cells():
        cells[row][frame.first_column + column] = (character, number)


def _draw_epoch_ends(cells: list[list[Cell]], frame: Frame, ends: Points, marker: Cell) -> None:
    """Draw `marker` at the ends of epochs; where there is one of another curve already, at every second."""
    taken = EVERY_SIGN - {marker[0]}
    for number, (x, y) in enumerate(zip(*ends, strict=True)):
        if frame.low <= y <= frame.high:
            row, column = frame.row(y), frame.column(x)
            if number % 2 == 0 or cells[row][column][0] not in taken:
                cells[row][column] = marker


def _draw_marks(cells: list[list[Cell]], frame: Frame, marks: Sequence[Mark], mode: CurveMode) -> None:
    """Draw a line down the chart where something happened, and beside it what, where there is room."""
    line = MARK_LINE_ASCII if mode is CurveMode.ASCII else MARK_LINE
    for mark in marks:
        if not frame.left <= mark.x <= frame.right:
            continue
        column = frame.column(mark.x)
        for row in cells[: frame.rows]:
            if row[column][0] == " ":
                row[column] = (line, MARK)
        _write_beside(cells, frame, column, clean(mark.text))


def _write_beside(cells: list[list[Cell]], frame: Frame, column: int, text: str) -> None:
    """Write `text` right or left of `column`, in the highest row where there is room for it."""
    for start in (column + 1, column - len(text)):
        end = start + len(text)
        if start < frame.first_column or end > frame.width:
            continue
        for row in cells[: frame.rows]:
            if all(character == " " for character, _ in row[start:end]):
                row[start:end] = [(character, MARK) for character in text]
                return


def _draw_grid(cells: list[list[Cell]], frame: Frame) -> None:
    """Draw a faint line from every tick of the y axis, behind everything else."""
    for y in frame.y_ticks:
        row = cells[frame.row(y)]
        for column in range(frame.first_column, frame.width):
            if row[column][0] == " ":
                row[column] = (GRID_LINE, GRID)


def _stretches(row: Sequence[Cell]) -> list[Stretch]:
    return [("".join(map(itemgetter(0), cells)), curve) for curve, cells in groupby(row, key=itemgetter(1))]
