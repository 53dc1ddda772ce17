"""A row of bars, one character each, that shows how a figure moved."""

from __future__ import annotations

import math
from collections.abc import Sequence

BARS, ASCII_BARS = "▁▂▃▄▅▆▇█", "_.-~=+*#"
"""From low to high."""


def sparkline(values: Sequence[float], width: int, ascii: bool = False) -> str:
    """Return at most `width` bars from the lowest of `values` to the highest; where there are more, every so many.

    A value that is not finite leaves a gap. The last one is always shown.
    """
    if len(values) > width:
        values = [values[(number + 1) * len(values) // width - 1] for number in range(width)]
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return " " * len(values)
    bars, low, high = ASCII_BARS if ascii else BARS, min(finite), max(finite)
    scale = (len(bars) - 1) / (high - low) if high > low else 0.0
    # Values without a difference stand in the middle.
    start = 0.0 if scale else len(bars) // 2
    return "".join(bars[round(start + (value - low) * scale)] if math.isfinite(value) else " " for value in values)
