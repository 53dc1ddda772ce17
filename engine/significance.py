"""Tests of significance: Student's t for the means of a few seeds, and how a p value is judged and written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.slow_imports import slow_import

SIGNIFICANT = 0.05
"""A difference is called one below this p, not at it. Between equals, that happens by chance in 5 % of cases."""
CONFIDENCE = 1 - SIGNIFICANT
NO_SPREAD = 1e-9
"""A spread below this part of the values is rounding: it says nothing about how far seeds differ."""


def is_significant(p_value: float) -> bool:
    """Say whether a difference with this p is called one."""
    return p_value < SIGNIFICANT


def p_text(p_value: float) -> str:
    """`0.4123` → `= 0.41`, `0.0461` → `= 0.046`, `0.0004` → `< 0.001`.

    Rounding never moves a p to the other side of SIGNIFICANT, nor onto it: `0.04996` → `= 0.04996`.
    """
    if p_value < 0.001:
        return "< 0.001"
    digits = 2 if p_value >= 0.1 else 3
    while digits < 15 and p_value != SIGNIFICANT and round(p_value, digits) == SIGNIFICANT:
        digits += 1
    return f"= {p_value:.{digits}f}"


@dataclass(frozen=True)
class MeanDifference:
    """How far the mean of a second sample lies above that of a first, and what chance has to do with it.

    `sizes` are those of the samples that were compared. `margin` is half of the 95 % confidence interval around
    `difference`. Both `margin` and `p_value` are None where the samples show no spread to judge by, or one of them is a
    single value.
    """

    difference: float
    sizes: tuple[int, int]
    is_paired: bool = False
    margin: float | None = None
    p_value: float | None = None

    @property
    def is_significant(self) -> bool:
        """Whether the difference is more than chance; not where nobody can tell."""
        return self.p_value is not None and is_significant(self.p_value)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % confidence interval."""
        return None if self.margin is None else (self.difference - self.margin, self.difference + self.margin)


def compare_seeds(first: Mapping[int, float], second: Mapping[int, float]) -> MeanDifference:
    """Compare one figure of two recipes, given by seed.

    Where one side has all seeds of the other, and these are at least two, the test is paired and the other seeds are
    left out: pairs are exact with samples of any size, and the same seed means the same images in the same order.
    """
    common = sorted(first.keys() & second.keys())
    if len(common) == min(len(first), len(second)) and len(common) > 1:
        return paired([first[seed] for seed in common], [second[seed] for seed in common])
    return welch(list(first.values()), list(second.values()))


def paired(first: Sequence[float], second: Sequence[float]) -> MeanDifference:
    """Compare the means of two samples, value by value, by Student's t test. Slow at first: it imports SciPy."""
    differences = [after - before for before, after in zip(first, second, strict=True)]
    sizes, error = (len(first), len(second)), _standard_error(differences, max(map(abs, [*first, *second])))
    return _judged(_mean(second) - _mean(first), sizes, error, len(differences) - 1, is_paired=True)


def welch(first: Sequence[float], second: Sequence[float]) -> MeanDifference:
    """Compare the means of two samples by Welch's t test. Slow at first: it imports SciPy.

    Its degrees of freedom are Satterthwaite's where both samples have the same size. Otherwise these are too many: of
    equals, 2 values beside 10 would differ "significantly" in 10 % of cases. There they are the smaller sample's n − 1,
    which never claims too much (Mickey and Brown 1966).
    """
    sizes = len(first), len(second)
    if min(sizes) < 2:
        return MeanDifference(_mean(second) - _mean(first), sizes)
    one, other = (_standard_error(sample) ** 2 for sample in (first, second))
    freedom = float(min(sizes) - 1)
    if sizes[0] == sizes[1] and one + other:
        freedom *= (one + other) ** 2 / (one**2 + other**2)
    return _judged(_mean(second) - _mean(first), sizes, math.sqrt(one + other), freedom, is_paired=False)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _standard_error(values: Sequence[float], scale: float | None = None) -> float:
    """Return the standard error of the mean; 0 where the values, of this `scale`, differ by rounding alone."""
    scale = max(map(abs, values)) if scale is None else scale
    if max(values) - min(values) <= NO_SPREAD * scale:
        return 0.0
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))


def _judged(difference: float, sizes: tuple[int, int], error: float, freedom: float, is_paired: bool) -> MeanDifference:
    """Return what Student's t with so many degrees of freedom says of a difference with this standard error."""
    if not error:
        return MeanDifference(0.0 if abs(difference) <= NO_SPREAD else difference, sizes, is_paired)
    p_value = 2 * float(slow_import("scipy.special").stdtr(freedom, -abs(difference) / error))
    return MeanDifference(difference, sizes, is_paired, _quantile(freedom) * error, p_value)


def _quantile(freedom: float) -> float:
    """Return within how many standard errors Student's t lies in 95 % of cases."""
    return float(slow_import("scipy.special").stdtrit(freedom, (1 + CONFIDENCE) / 2))
