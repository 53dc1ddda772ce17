"""What is compared between runs: a figure over several seeds, and the settings that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from engine.conventions import conventions_in_use

if TYPE_CHECKING:
    from engine.config import TrainConfig


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


def differing_settings(configs: Sequence[TrainConfig]) -> dict[str, tuple[Any, ...]]:
    """Return the settings that are not the same in all of `configs`, with each one's value.

    The defaults that each framework brings count: they are spelt out (see engine.conventions), and whether they were
    pinned or came with the backend does not matter.
    """
    settings = [spelt_out(config) for config in configs]
    values = {name: tuple(one[name] for one in settings) for name in settings[0]}
    return {name: found for name, found in values.items() if len(set(found)) > 1}


def spelt_out(config: TrainConfig) -> dict[str, Any]:
    """Return the settings with the defaults that the framework brings in place of whose they are."""
    settings = msgspec.structs.asdict(config) | conventions_in_use(config)
    del settings["conventions"]
    return settings
