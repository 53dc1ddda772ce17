"""What surrounds curves: the bounds of the axes, and where their ticks are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from tui.terminal import clean

FARTHEST = 1e200  # from zero; beyond it, sums and powers of ten might not be finite
ROOM_FOR_AXIS_LINE = 9  # rows
SETTLED = 0.05
"""The share of the x axis from which on a curve has to fit in: it may begin far above what it comes to."""
COLUMNS_PER_MARK = 3
Points = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class Frame:
    """Sizes in cells, the axes' bounds, and their ticks (position → label). `columns` and `rows` are the curves'."""

    width: int
    height: int
    rows: int
    columns: int
    left: float
    right: float
    low: float
    high: float
    x_ticks: dict[float, str]
    y_ticks: dict[float, str]

    @property
    def has_axis_line(self) -> bool:
        """Whether there is a line below the curves, above its labels."""
        return self.height - self.rows > 1

    @property
    def first_column(self) -> int:
        """The cells left of the curves."""
        return self.width - self.columns

    def across(self, x: float) -> float:
        """Return where `x` is, in columns from the middle of the first one with curves."""
        return (x - self.left) / (self.right - self.left) * (self.columns - 1)

    def up(self, y: float) -> float:
        """Return where `y` is, in rows from the middle of the lowest one with curves."""
        return (y - self.low) / (self.high - self.low) * (self.rows - 1)

    def column(self, x: float) -> int:
        """Return in which column of the chart `x` is."""
        return self.first_column + math.floor(self.across(x) + 0.5)

    def row(self, y: float) -> int:
        """Return in which row from the top `y` is."""
        return self.rows - 1 - math.floor(self.up(y) + 0.5)


def frame_of(
    curves: Sequence[Points],
    width: int,
    height: int,
    *,
    start: float = math.inf,
    end: float = 0.0,
    y_format: Callable[[float], str] | None = None,
    log_scale: bool = False,
) -> Frame | None:
    """Lay out the axes around `curves`, the x axis from `start` to `end` at least; None where nothing can be drawn."""
    finite = [[(x, y) for x, y in zip(*curve, strict=True) if math.isfinite(y)] for curve in curves]
    if not any(finite):
        return None
    ends = [x for xs, _ in curves if xs for x in (xs[0], xs[-1])]
    left = math.floor(min(*ends, start))
    right = max(math.ceil(max(*ends, end)), left + 1)
    low, high = _padded(*_extent(finite, left + SETTLED * (right - left)), log_scale)

    rows = height - (2 if height >= ROOM_FOR_AXIS_LINE else 1)
    y_ticks = _y_ticks(low, high, rows, y_format, log_scale)
    label_cells = max(map(cell_len, y_ticks.values()), default=0)
    if label_cells > width // 2:
        y_ticks, label_cells = {}, 0
    columns = width - label_cells - 1
    return Frame(width, height, rows, columns, left, right, low, high, _x_ticks(left, right, columns), y_ticks)


def epoch_ends(points: Points, frame: Frame) -> Points:
    """Return the points at the end of an epoch: of as many epochs as stand apart."""
    epochs = frame.right - frame.left
    step = next(step for step in _steps(0) if step * frame.columns >= COLUMNS_PER_MARK * epochs)
    ends = [(x, y) for x, y in zip(*points, strict=True) if x % step == 0]
    return [x for x, _ in ends], [y for _, y in ends]


def scaled(points: Points, log_scale: bool) -> Points:
    """Return the points with y as the axis is linear in it; a y that cannot be drawn is NaN."""
    drawable = [(x, y) for x, y in zip(*points, strict=True) if -FARTHEST < x < FARTHEST]
    xs, ys = [x for x, _ in drawable], [y for _, y in drawable]
    if log_scale:
        return xs, [math.log10(y) if 1 / FARTHEST < y < FARTHEST else math.nan for y in ys]
    return xs, [y if -FARTHEST < y < FARTHEST else math.nan for y in ys]


def _extent(curves: Sequence[Sequence[tuple[float, float]]], settled: float) -> tuple[float, float]:
    """Return the lowest and the highest value at `settled` and after, and at the end of any epoch.

    Of a curve within the epochs, the first values are many times the rest, which would be a flat line below them.
    """
    values = [y for curve in curves for x, y in curve if x >= settled or x % 1 == 0]
    values = values or [y for curve in curves for _, y in curve]
    return min(values), max(values)


def _padded(low: float, high: float, log_scale: bool) -> tuple[float, float]:
    """Return the y axis's bounds: a twentieth beyond the values, but not below zero where they are not."""
    if log_scale:
        padding = max(high - low, 0.1) / 20
        return low - padding, high + padding
    if high - low <= 1e-9 * abs(high):  # a level line is halfway between zero and twice its value
        low, high = low - 0.95 * abs(low), high + 0.95 * abs(high)
    spread = high - low
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
    """Return round values between `low` and `high`, few enough for a line from each; each label once."""
    most = max(min(3, rows), rows * 2 // 5)
    if not log_scale:
        ticks = _round_values(low, high, most)
        if len(ticks) < 2:  # one value alone is no scale
            ticks = _round_values(low, high, max(most, rows // 2 + 1))
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
