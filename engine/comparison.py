"""Comparing runs honestly: which settings differ, and whether a difference is more than the seeds' spread."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from engine.config import TrainConfig
from engine.conventions import conventions_in_use
from engine.errors import RunError
from engine.runs import Run

# What may differ between runs that repeat one another.
INCIDENTAL = frozenset({"seed", "name", "data", "device", "threads", "preset_name"})


@dataclass(frozen=True)
class Spread:
    """Figures of runs that differ in their seed alone; `deviation` is the sample's, 0 for a single run."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The arithmetic mean."""
        import statistics  # takes 12 ms, which the app's first frame can do without

        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float:
        """The standard deviation with n − 1."""
        import statistics

        return statistics.stdev(self.values) if len(self.values) > 1 else 0.0

    @property
    def standard_error(self) -> float:
        """The standard deviation of the mean."""
        return self.deviation / math.sqrt(len(self.values))


def differing_settings(configs: Sequence[TrainConfig]) -> dict[str, tuple[Any, ...]]:
    """Return the settings that are not the same in all of `configs`, with each one's value.

    The defaults that each framework brings count: they are spelt out (see engine.conventions), and whether they were
    pinned or came with the backend does not matter.
    """
    settings = [_spelt_out(config) for config in configs]
    values = {name: tuple(one[name] for one in settings) for name in settings[0]}
    return {name: found for name, found in values.items() if len(set(found)) > 1}


def recipe_of(config: TrainConfig) -> frozenset[tuple[str, Any]]:
    """Return what runs that repeat one another have in common: the settings, as above, that are not incidental."""
    return frozenset(item for item in _spelt_out(config).items() if item[0] not in INCIDENTAL)


def _spelt_out(config: TrainConfig) -> dict[str, Any]:
    settings = msgspec.structs.asdict(config) | conventions_in_use(config)
    del settings["conventions"]
    return settings


def seed_spread(run: Run, runs: Iterable[Run]) -> Spread | None:
    """Return the final test accuracies of `run` and of those `runs` that differ from it in nothing but the seed.

    Runs that did not complete do not count, and of a repeated seed one run does. None when `run` is not completed.
    """
    if _final_accuracy(run) is None:
        return None
    accuracies: dict[int, float] = {}
    for other in [run, *runs]:
        try:
            differing = differing_settings([run.config, other.config]).keys()
        except RunError:  # its settings are damaged
            continue
        accuracy = None if differing - INCIDENTAL else _final_accuracy(other)
        if accuracy is not None:
            accuracies.setdefault(other.config.seed, accuracy)
    return Spread(tuple(accuracies.values()))


def _final_accuracy(run: Run) -> float | None:
    finished = run.progress().finished
    return finished.test_accuracy if finished and finished.outcome == "completed" else None


def verdict(first: Spread, second: Spread) -> str:
    """Say in a sentence whether two sets of accuracies (0 to 1) differ by more than their seeds do.

    The bar is two standard errors of the difference (Welch's t statistic at 2, about 95 % for five seeds or more).
    """
    difference = second.mean - first.mean
    shown = f"{100 * difference:+.2f} percentage points"
    if min(len(first.values), len(second.values)) < 2:
        if not difference:
            return "the same accuracy, on one seed"
        return f"{shown} on one seed: only more repeats can tell whether it means anything"
    error = math.hypot(first.standard_error, second.standard_error)
    if abs(difference) <= 2 * error:
        return f"{shown}, within the seeds' spread (± {100 * 2 * error:.2f}): no real difference"
    return f"{shown}, more than the seeds' spread (± {100 * 2 * error:.2f})"
