"""A run's plan: how many epochs it trains, and the learning rate of each of its steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.changes import Change, Extension
from engine.events import ExtensionSchedule
from engine.optimization import learning_rates

if TYPE_CHECKING:
    import numpy as np

    from engine.config import TrainConfig

HOLD = "hold"


@dataclass(frozen=True)
class Stage:
    """The epochs after `begin` up to `end`, with a schedule of their own; `hold` keeps the last rate before them."""

    begin: int
    end: int
    schedule: str


@dataclass(frozen=True)
class Plan:
    """`epochs` in all; the learning rate follows `stages`, which come one after the other and reach at least that far.

    The stages are those of the settings and of every extension, whatever was trained when. So a run that was killed,
    or that goes on from an older checkpoint, takes every step with the rate that it would have had anyway.
    """

    epochs: int
    stages: tuple[Stage, ...]

    @classmethod
    def of(cls, config: TrainConfig, changes: Iterable[Change] = ()) -> Plan:
        """Return the plan of a run with `config`, as its `changes` on the way extended it.

        Earlier versions wrote the new number of epochs into the settings instead.
        """
        plan = cls(config.epochs, (Stage(0, config.epochs, config.schedule),))
        for change in changes:
            if isinstance(change, Extension) and change.schedule:
                plan = plan.extended(change.after, change.schedule)
        return plan

    def extended(self, epochs: int, schedule: ExtensionSchedule) -> Plan:
        """Return the plan with `epochs` in all. Those beyond the last stage `hold` the rate or `restart` the schedule.

        With fewer epochs than before the stages stay: the run ends on the way of its schedule.
        """
        if epochs <= self.planned:
            return Plan(epochs, self.stages)
        stage = Stage(self.planned, epochs, HOLD if schedule == "hold" else self.stages[0].schedule)
        return Plan(epochs, (*self.stages, stage))

    @property
    def planned(self) -> int:
        """How many epochs the stages reach; more than `epochs` for a run that was shortened."""
        return self.stages[-1].end

    def rates(self, peak: float, epoch: int, step: int, count: int, steps: int) -> np.ndarray:
        """Return the learning rates, float64 [count], of an epoch's steps from `step` (from 0) on.

        `epoch` counts from 1, and has `steps`. `peak` is the base rate in force.
        """
        import numpy as np

        stage = next(stage for stage in self.stages if epoch <= stage.end)
        if stage.schedule == HOLD:
            earlier = (one for one in reversed(self.stages) if one.end <= stage.begin and one.schedule != HOLD)
            last = next(earlier)
            return np.repeat(_scheduled(last, peak, last.end, steps - 1, 1, steps), count)
        return _scheduled(stage, peak, epoch, step, count, steps)


def _scheduled(stage: Stage, peak: float, epoch: int, step: int, count: int, steps: int) -> np.ndarray:
    first = (epoch - stage.begin - 1) * steps + step
    return learning_rates(stage.schedule, peak, first, count, (stage.end - stage.begin) * steps)
