"""Training a run for more epochs: what its learning rate does in them, in words."""

from __future__ import annotations

from engine.config import TrainConfig
from engine.events import ExtensionSchedule
from engine.plan import Plan
from engine.runs import Progress
from tui.change_words import follows_schedule
from tui.formats import count

SCHEDULE_CHOICES: tuple[ExtensionSchedule, ...] = ("hold", "restart")
LITTLE = 0.01
"""Below this share of the base learning rate, a network hardly changes any more."""


def base_rate(config: TrainConfig, progress: Progress) -> float:
    """Return the learning rate that the schedule is scaled to: the setting, or what the user changed it to."""
    return progress.rate_change.after if progress.rate_change else config.learning_rate


def needs_choice(config: TrainConfig, progress: Progress, epochs: int) -> bool:
    """Say whether `epochs` in all go beyond the run's schedule, so that somebody has to say what happens then."""
    return follows_schedule(config) and epochs > Plan.of(config, progress.changes).planned


def outlook(config: TrainConfig, progress: Progress, epochs: int, schedule: ExtensionSchedule) -> str:
    """Say what the learning rate does if the run is given `epochs` in all."""
    plan, rate = Plan.of(config, progress.changes), base_rate(config, progress)
    if not follows_schedule(config):
        return f"The learning rate stays {rate:g}."
    if epochs <= plan.planned:
        return f"The learning rate goes on with its {config.schedule} schedule over {count(plan.planned)} epochs."
    more = _range(plan.planned + 1, epochs)
    if schedule == "restart":
        way = "up to" if config.schedule == "onecycle" else "from"
        return f"{more} a {config.schedule} schedule of their own, {way} {rate:g}."
    held = _held_rate(plan, rate, epochs, config, progress)
    little = " That changes little." if held < LITTLE * rate else ""
    return f"{more} the last learning rate of the {config.schedule} schedule, {held:.2g}.{little}"


def _range(first: int, last: int) -> str:
    return f"Epoch {count(first)} has" if first == last else f"Epochs {count(first)} to {count(last)} have"


def _held_rate(plan: Plan, rate: float, epochs: int, config: TrainConfig, progress: Progress) -> float:
    images = progress.started.dataset.train_examples if progress.started else config.batch_size
    steps = max(1, -(-images // config.batch_size))
    return float(plan.extended(epochs, "hold").rates(rate, plan.planned + 1, 0, 1, steps)[0])
