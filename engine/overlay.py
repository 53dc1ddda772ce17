"""Two networks' answers to the same images: who is wrong where, and whether the difference means anything."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from engine.slow_imports import slow_import

if TYPE_CHECKING:
    import numpy as np

    from engine.answers import Answers

SIGNIFICANT = 0.05


@dataclass(frozen=True, eq=False)
class Overlay:
    """`first` and `second` answered the same images. What it finds are int64 indices, ascending."""

    first: Answers
    second: Answers

    @cached_property
    def both_wrong(self) -> np.ndarray:
        """The images that both get wrong."""
        return _where(self.first.wrong & self.second.wrong)

    @cached_property
    def only_first_wrong(self) -> np.ndarray:
        """The images that the first gets wrong and the second right."""
        return _where(self.first.wrong & ~self.second.wrong)

    @cached_property
    def only_second_wrong(self) -> np.ndarray:
        """The images that the second gets wrong and the first right."""
        return _where(~self.first.wrong & self.second.wrong)

    @cached_property
    def p_value(self) -> float:
        """McNemar's exact test: how probable so uneven a split of the one-sided mistakes is between equals, 0 to 1.

        Between equals, each image that only one gets wrong is either's with the same chance: SciPy's
        binomial test.
        """
        only_first, only_second = len(self.only_first_wrong), len(self.only_second_wrong)
        if only_first == only_second:
            return 1.0
        return float(slow_import("scipy.stats").binomtest(only_first, only_first + only_second, 0.5).pvalue)

    def verdict(self, first: str = "the first", second: str = "the second") -> str:
        """Say which of the two is better, called `first` and `second`, or that they do not really differ."""
        if self.p_value > SIGNIFICANT:
            return f"no real difference: p {p_text(self.p_value)}"
        better = second if len(self.only_first_wrong) > len(self.only_second_wrong) else first
        return f"{better} is better: p {p_text(self.p_value)}"


def p_text(p_value: float) -> str:
    """`0.4123` → `= 0.41`, `0.0031` → `= 0.003`, anything less than 0.001 → `< 0.001`."""
    if p_value < 0.001:
        return "< 0.001"
    return f"= {p_value:.2f}" if p_value >= 0.01 else f"= {p_value:.3f}"


def _where(condition: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.flatnonzero(condition)
