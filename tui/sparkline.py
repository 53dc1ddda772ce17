"""A row of bars, one character each, that shows how a figure moved."""

from __future__ import annotations

import math
from collections.abc import Sequence

BARS, ASCII_BARS = "▁▂▃▄▅▆▇█", "_.-~=+*#"
"""From low to high."""


def sparkline(
    values: Sequence[float], width: int, ascii: bool = False, scale: tuple[float, float] | None = None
) -> str:
    """Return at most `width` bars for `values`; where there are more, every so many.

    `scale` gives the values of the lowest bar and of the highest; by default the lowest and the highest of `values`.
    A value that is not finite leaves a gap. The last one is always shown.
    """
    if len(values) > width:
        values = [values[(number + 1) * len(values) // width - 1] for number in range(width)]
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return " " * len(values)
    bars = ASCII_BARS if ascii else BARS
    low, high = scale or (min(finite), max(finite))
    step = (len(bars) - 1) / (high - low) if high > low else 0.0
    # Values without a difference stand in the middle.
    start = 0.0 if step else len(bars) // 2
    places = (
        round(start + (min(max(value, low), high) - low) * step) if math.isfinite(value) else -1 for value in values
    )
    return "".join(bars[place] if place >= 0 else " " for place in places)
