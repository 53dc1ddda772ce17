"""Curves as rows of coloured characters: plotext draws them, and what it built is read back without ANSI codes."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from rich.cells import cell_len

from tui.terminal import clean

AXIS = -1  # the curve number of what belongs to no curve
FARTHEST = 1e200  # from zero; beyond it, sums and powers of ten might not be finite
SOLID_ASCII, DOTTED_ASCII = "*#@%&$", ".:,'`;"  # one for each colour, so that the curves differ without it
BOX_TO_ASCII = str.maketrans("│┤─┬└", "|+-++")
DOT, LONE_POINT, SOLID_SAMPLE = "•", "■", "▄"
SOLID_EPOCHS, DOTTED_EPOCHS = "■▲◆●▼★", "□△◇○▽☆"  # where an epoch ends, one for each colour likewise
SOLID_EPOCHS_ASCII, DOTTED_EPOCHS_ASCII = "OXAMWH", "oxamwh"
COLUMNS_PER_MARK = 3
ROOM_FOR_AXIS_LINE = 6  # rows
Cell = tuple[str, int]
"""A character, and the number of the curve it belongs to (or AXIS)."""
Stretch = tuple[str, int]
"""The same for several characters of a row."""
Points = tuple[Sequence[float], Sequence[float]]


class LineStyle(NamedTuple):
    """How a curve looks: its colour, by number from 0, and whether it is dotted."""

    color: int = 0
    dotted: bool = False


SOLID = LineStyle()


@dataclass(frozen=True)
class Series:
    """One curve: `ys` over ascending `xs`, equally many. Values that are not finite leave gaps."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    style: LineStyle = SOLID

    def __post_init__(self) -> None:
        if len(self.xs) != len(self.ys):
            raise ValueError(f"{self.name}: {len(self.xs)} xs but {len(self.ys)} ys")
        object.__setattr__(self, "xs", tuple(self.xs))  # the caller may go on appending to its own lists
        object.__setattr__(self, "ys", tuple(self.ys))


def plot(
    series: Sequence[Series],
    width: int,
    height: int,
    *,
    y_format: Callable[[float], str] | None = None,
    log_scale: bool = False,
    recent: int = 0,
    ascii: bool = False,
) -> list[list[Stretch]]:
    """Return `height` rows of `width` cells with the curves, their axes and their legend.

    `recent` is how many of the last epochs to show, 0 for all. Without `y_format`, values have three digits. The list
    is empty where no value can be drawn: none is finite or, on a logarithmic scale, above zero.
    """
    shown = _recent(series, recent) if recent else [(one.xs, one.ys) for one in series]
    curves = [_scaled(_thinned(points, width), log_scale) for points in shown]
    frame = _frame(curves, width, height, y_format, log_scale)
    if frame is None:
        return []
    marks = [_scaled(_epoch_ends(points, frame), log_scale) for points in shown]
    cells = _draw(frame, [one.style for one in series], curves, marks, ascii)
    _add_legend(cells, frame, series, ascii)
    return [_stretches(row) for row in cells]


def epoch_marker(style: LineStyle, ascii: bool) -> str:
    """Return the character that marks an epoch's end on a curve of that style."""
    solid, dotted = (SOLID_EPOCHS_ASCII, DOTTED_EPOCHS_ASCII) if ascii else (SOLID_EPOCHS, DOTTED_EPOCHS)
    return (dotted if style.dotted else solid)[style.color % len(solid)]


@dataclass(frozen=True)
class _Frame:
    """What surrounds the curves: sizes in cells, the axes' bounds, and their ticks (position → label)."""

    width: int
    height: int
    rows: int
    columns: int
    left: int
    right: int
    low: float
    high: float
    x_ticks: dict[float, str]
    y_ticks: dict[float, str]


def _recent(series: Sequence[Series], epochs: int) -> list[Points]:
    """Return the points of the last `epochs`, of which the one in progress is one."""
    reached = (one.xs[-1] for one in series if one.xs and math.isfinite(one.xs[-1]))
    first = math.ceil(max(reached, default=0.0)) - epochs + 1
    starts = [bisect_left(one.xs, first) for one in series]
    return [(one.xs[start:], one.ys[start:]) for one, start in zip(series, starts, strict=True)]


def _epoch_ends(points: Points, frame: _Frame) -> Points:
    """Return the points at the end of an epoch: of as many epochs as stand apart."""
    epochs = frame.right - frame.left
    step = next(step for step in _steps(0) if step * frame.columns >= COLUMNS_PER_MARK * epochs)
    ends = [(x, y) for x, y in zip(*points, strict=True) if x % step == 0]
    return [x for x, _ in ends], [y for _, y in ends]


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


def _scaled(points: Points, log_scale: bool) -> Points:
    """Return the points with y as the axis is linear in it; a y that cannot be drawn is NaN."""
    drawable = [(x, y) for x, y in zip(*points, strict=True) if -FARTHEST < x < FARTHEST]
    xs, ys = [x for x, _ in drawable], [y for _, y in drawable]
    if log_scale:
        return xs, [math.log10(y) if 1 / FARTHEST < y < FARTHEST else math.nan for y in ys]
    return xs, [y if -FARTHEST < y < FARTHEST else math.nan for y in ys]


def _frame(
    curves: Sequence[Points], width: int, height: int, y_format: Callable[[float], str] | None, log_scale: bool
) -> _Frame | None:
    """Lay out the axes around `curves`, or return None where they have nothing to draw."""
    values = [list(filter(math.isfinite, ys)) for _, ys in curves]
    if not any(values):
        return None
    low, high = min(map(min, filter(None, values))), max(map(max, filter(None, values)))
    low, high = _padded(low, high, log_scale)
    ends = [x for xs, _ in curves if xs for x in (min(xs), max(xs))]
    left = math.floor(min(ends))
    right = max(math.ceil(max(ends)), left + 1)

    rows = height - (2 if height >= ROOM_FOR_AXIS_LINE else 1)
    y_ticks = _y_ticks(low, high, rows, y_format, log_scale)
    label_cells = max(map(cell_len, y_ticks.values()), default=0)
    if label_cells > width // 2:
        y_ticks, label_cells = {}, 0
    columns = width - label_cells - 1
    return _Frame(width, height, rows, columns, left, right, low, high, _x_ticks(left, right, columns), y_ticks)


def _padded(low: float, high: float, log_scale: bool) -> tuple[float, float]:
    """Return the y axis's bounds: a twentieth beyond the values, but not below zero where they are not."""
    if log_scale:
        padding = max(high - low, 0.1) / 20
        return low - padding, high + padding
    spread = high - low if high - low > 1e-9 * abs(high) else abs(high)
    padding = spread / 20 if spread > 1 / FARTHEST else 0.5
    return max(0.0, low - padding) if low >= 0 else low - padding, high + padding


def _x_ticks(left: int, right: int, columns: int) -> dict[float, str]:
    """Return whole epochs, as many as stand apart."""
    label_cells = max(len(str(left)), len(str(right)))
    most = max(2, columns // (label_cells + 3))
    step = next(step for step in map(int, _steps(0)) if (right - left) / step < most)
    first = math.ceil(left / step) * step
    return {tick: str(tick) for tick in range(first, right + 1, step)}


def _y_ticks(
    low: float, high: float, rows: int, y_format: Callable[[float], str] | None, log_scale: bool
) -> dict[float, str]:
    """Return round values between `low` and `high`, one to every other row at most; each label once."""
    most = max(min(3, rows), rows // 2)
    if not log_scale:
        ticks = _round_values(low, high, most)
        return _labelled(ticks, ticks, y_format)
    decades = range(math.ceil(low), math.floor(high) + 1)
    if len(decades) > 1:
        positions = [float(decade) for decade in decades[:: math.ceil(len(decades) / most)]]
        return _labelled(positions, [10**position for position in positions], y_format)
    ticks = [tick for tick in _round_values(10**low, 10**high, most) if tick > 0]
    return _labelled([math.log10(tick) for tick in ticks], ticks, y_format)


def _labelled(
    positions: Sequence[float], values: Sequence[float], y_format: Callable[[float], str] | None
) -> dict[float, str]:
    texts = [clean(y_format(value)) for value in values] if y_format else _evenly_written(values)
    labels = dict(zip(texts, positions, strict=True))
    return {position: label for label, position in labels.items()}


def _evenly_written(values: Sequence[float]) -> list[str]:
    """Write `values` with three digits and all with the same number of decimals, unless they need an exponent."""
    texts = [f"{value:.3g}" for value in values]
    decimals = max((len(text.partition(".")[2]) for text in texts), default=0)
    return texts if any("e" in text for text in texts) else [f"{value:.{decimals}f}" for value in values]


def _round_values(low: float, high: float, most: int) -> list[float]:
    """Return at most `most` multiples of a round step (1, 2 or 5 times a power of ten) within the bounds."""
    for step in _steps(math.floor(math.log10(high - low)) - 1):
        first, last = math.ceil(low / step), math.floor(high / step)
        if last - first < most:
            return [index * step for index in range(first, last + 1)]
    raise AssertionError("the steps grow without end")


def _steps(decade: int) -> Iterator[float]:
    """Yield 1, 2, 5, 10, 20, … times ten to the `decade`."""
    while True:
        yield from (float(f"{digit}e{decade}") for digit in (1, 2, 5))
        decade += 1


def _draw(
    frame: _Frame, styles: Sequence[LineStyle], curves: Sequence[Points], marks: Sequence[Points], ascii: bool
) -> list[list[Cell]]:
    """Let plotext draw, each curve in a colour that is its number, and above them all the `marks` on them."""
    import plotext  # takes 0.2 s, so not before there is something to draw

    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(frame.width, frame.height)
    figure.axes(False)
    figure.axes(True, axis="y", side="left")
    figure.axes(frame.height >= ROOM_FOR_AXIS_LINE, axis="x", side="lower")
    figure.ruler("x", "lower").lim(frame.left, frame.right).ticks(list(frame.x_ticks), list(frame.x_ticks.values()))
    figure.ruler("y", "left").lim(frame.low, frame.high).ticks(list(frame.y_ticks), list(frame.y_ticks.values()))
    for number, (style, curve) in enumerate(zip(styles, curves, strict=True)):
        for xs, ys in _unbroken(curve):
            points = _dots(xs, ys, frame) if style.dotted else (xs, ys)
            marker = plotext.marker(_marker(style, ascii, alone=len(xs) == 1), (0, 0, number))
            figure.draw(figure.signal(*points, marker=marker).lines(not style.dotted))
    for number, (style, ends) in enumerate(zip(styles, marks, strict=True)):
        for points in _unbroken(ends):
            marker = plotext.marker(epoch_marker(style, ascii), (0, 0, number))
            figure.draw(figure.signal(*points, marker=marker).lines(False))
    matrix = figure.build()
    lines = matrix.string(colorless=True).translate(BOX_TO_ASCII if ascii else {}).splitlines()
    cells = [[(character, AXIS) for character in line] for line in lines]
    for row, line in enumerate(lines[: frame.rows]):
        for column in range(frame.width - frame.columns, frame.width):
            if line[column] != " ":  # reading a colour takes 5 µs
                cells[row][column] = (line[column], matrix.get(row, column).foreground()[2])
    return cells


def _marker(style: LineStyle, ascii: bool, alone: bool = False) -> str:
    if ascii:
        return (DOTTED_ASCII if style.dotted else SOLID_ASCII)[style.color % len(SOLID_ASCII)]
    if style.dotted:
        return DOT
    return LONE_POINT if alone else "hd"


def _unbroken(points: Points) -> Iterator[Points]:
    """Yield the stretches of `points` without a gap."""
    for finite, stretch in groupby(zip(*points, strict=True), key=lambda point: math.isfinite(point[1])):
        if finite:
            xs, ys = zip(*stretch, strict=True)
            yield xs, ys


def _dots(xs: Sequence[float], ys: Sequence[float], frame: _Frame) -> Points:
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


def _add_legend(cells: list[list[Cell]], frame: _Frame, series: Sequence[Series], ascii: bool) -> None:
    """Write the curves' names over the emptiest corner, unless they would hide too much even there."""
    lines = [_legend_line(number, one, ascii) for number, one in enumerate(series)]
    width, height = max(map(len, lines)), len(lines)
    if width + 1 > frame.columns or height > frame.rows:
        return
    lefts = (frame.width - width - 1, frame.width - frame.columns)
    corners = [(top, left) for left in lefts for top in (0, frame.rows - height)]

    def hidden(corner: tuple[int, int]) -> int:
        top, left = corner
        return sum(character != " " for row in cells[top : top + height] for character, _ in row[left : left + width])

    top, left = min(corners, key=hidden)
    if hidden((top, left)) <= frame.rows * frame.columns / 20:
        for row, line in enumerate(lines, top):
            cells[row][left : left + width] = line + [(" ", AXIS)] * (width - len(line))


def _legend_line(number: int, series: Series, ascii: bool) -> list[Cell]:
    line = _marker(series.style, ascii) if ascii or series.style.dotted else SOLID_SAMPLE
    shown = line + epoch_marker(series.style, ascii) + line
    cells = [(" ", AXIS), *((character, number) for character in shown)]
    for character in f" {clean(series.name)}":
        cells += [(character, AXIS)] + [("", AXIS)] * (cell_len(character) - 1)  # a wide one takes two cells
    return cells


def _stretches(row: Sequence[Cell]) -> list[Stretch]:
    return [("".join(map(itemgetter(0), cells)), curve) for curve, cells in groupby(row, key=itemgetter(1))]
