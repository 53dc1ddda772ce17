"""Figures as people read them: thousands separators, per cent, durations, sizes."""

from __future__ import annotations

import math
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.comparison import Spread
    from engine.turns import Place


LONGEST = 1e9
"""Seconds, thirty years."""


def count(number: float) -> str:
    """`60000` → `60,000`."""
    return f"{number:,.0f}"


def short_count(number: float) -> str:
    """Return a count in at most four characters: `980`, `1.1k` for 1,118, `12k`, `999k`, `1.2M`."""
    unit = ""
    for larger_unit in ("k", "M", "G"):
        if number < 999.5:
            break
        number, unit = number / 1000, larger_unit
    return f"{number:.1f}{unit}" if unit and number < 9.95 else f"{number:.0f}{unit}"


def figure(value: float | None, width: int = 9) -> str:
    """`0.17085` → `0.1709`; in fewer digits, and at last as `2e+06`, what would not fit into `width` cells."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return str(value)
    for text in (f"{value:.4f}", f"{value:.2f}", f"{value:.0f}", f"{value:.2e}", f"{value:.1e}"):
        if len(text) <= width:
            return text
    return f"{value:.0e}"


def percent(share: float, digits: int = 2) -> str:
    """`0.9763` → `97.63 %`."""
    return f"{share * 100:.{digits}f} %"


def duration(seconds: float) -> str:
    """`2.94` → `2.9 s`, `75` → `1:15`, `3675` → `1:01:15`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return clock(seconds)


def clock(seconds: float) -> str:
    """`22` → `0:22`, `3675` → `1:01:15`; `–` for what cannot be, as a damaged log may say."""
    if not abs(seconds) < LONGEST:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def examples(number: int) -> str:
    """A number of images, short: `60000` → `60k`, `4500` → `4,500`."""
    return f"{number // 1000}k" if number >= 1000 and number % 1000 == 0 else count(number)


def megabytes(size: int) -> str:
    """`9912422` → `9.9 MB`."""
    return f"{size / 1e6:.1f} MB"


def memory_size(size: int, digits: int = 1) -> str:
    """`1300000000` → `1.2 GB`: memory is counted in powers of two, a card's 80 GB too."""
    return f"{size / 2**30:.{digits}f} GB"


def spread_text(spread: Spread) -> str:
    """`0.9733 ± 0.0021 over 5 seeds`: mean and standard deviation."""
    if len(spread.values) == 1:
        return f"{spread.mean:.4f} on one seed"
    return f"{spread.mean:.4f} ± {spread.deviation:.4f} over {len(spread.values)} seeds"


def ordinal(number: int) -> str:
    """`1` → `1st`, `12` → `12th`, `22` → `22nd`."""
    ending = "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def place_text(place: Place) -> str:
    """`2nd in line for cpu, behind my run`."""
    return f"{ordinal(place.number)} in line for {place.device}, behind {place.behind}"


def from_home(text: str) -> str:
    """`IDX files in /home/ada/mnist` → `IDX files in ~/mnist`, where the home folder is /home/ada."""
    home = os.path.expanduser("~")  # noqa: PTH111 - unlike Path.home, it does not raise where there is none
    return re.sub(rf"(?<!\S){re.escape(home)}(?={os.sep})", "~", text) if len(home) > 1 else text


def text_of(value: object) -> str:
    """Return a setting's value as a person reads it, and could give it to its flag: `0.0` → `0`; `True` → `yes`."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
