"""Comparing runs honestly: which settings differ, and whether a difference is more than the seeds' spread."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from engine.config import TrainConfig
from engine.conventions import conventions_of

# What may differ between runs that repeat one another.
INCIDENTAL = frozenset({"seed", "name", "data", "device", "threads", "preset_name"})


@dataclass(frozen=True)
class Spread:
    """Figures of runs that differ in their seed alone; `deviation` is the sample's, 0 for a single run."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The arithmetic mean."""
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float:
        """The standard deviation with n − 1."""
        return statistics.stdev(self.values) if len(self.values) > 1 else 0.0

    @property
    def standard_error(self) -> float:
        """The standard deviation of the mean."""
        return self.deviation / math.sqrt(len(self.values))


def every_setting(config: TrainConfig) -> dict[str, Any]:
    """Return the settings and, spelt out, what the framework's conventions add to them."""
    return msgspec.structs.asdict(config) | asdict(conventions_of(config))


def differing_settings(configs: Sequence[TrainConfig]) -> dict[str, tuple[Any, ...]]:
    """Return the settings that are not the same in all of `configs`, with each one's value, defaults included."""
    settings = [every_setting(config) for config in configs]
    values = {name: tuple(one[name] for one in settings) for name in settings[0]}
    return {name: found for name, found in values.items() if len(set(found)) > 1}


def repeats_of(config: TrainConfig, others: Iterable[TrainConfig]) -> list[int]:
    """Return the positions in `others` of configs that differ from `config` in nothing but the seed."""
    return [
        position for position, other in enumerate(others) if not differing_settings([config, other]).keys() - INCIDENTAL
    ]


def verdict(first: Spread, second: Spread) -> str:
    """Say in a sentence whether two sets of accuracies (0 to 1) differ by more than their seeds do.

    The bar is two standard errors of the difference (Welch's t statistic at 2, about 95 % for five seeds or more).
    """
    difference = second.mean - first.mean
    shown = f"{100 * difference:+.2f} percentage points"
    if min(len(first.values), len(second.values)) < 2:
        return f"{shown} on one seed: train more seeds (--repeats 5) to know whether it means anything"
    error = math.hypot(first.standard_error, second.standard_error)
    if abs(difference) <= 2 * error:
        return f"{shown}, within the seeds' spread (± {100 * 2 * error:.2f}): no real difference"
    return f"{shown}, more than the seeds' spread (± {100 * 2 * error:.2f})"
