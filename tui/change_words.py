"""What was changed in a run on its way, in words: `0.01 → 0.003 in epoch 3`."""

from __future__ import annotations

from dataclasses import dataclass

from engine.changes import BackendChange, Change, Extension, RateChange
from engine.config import TrainConfig
from engine.runs import Progress
from tui.formats import count

SCHEDULE_AFTER = {"hold": "rate held", "restart": "schedule restarted", None: "schedule spread anew"}
"""What the learning rate did beyond the epochs that were planned at first, where it follows a schedule."""


@dataclass(frozen=True)
class ChangeMark:
    """A change in a chart: at `x` on the axis of the epochs, where the end of epoch 1 is 1."""

    x: float
    text: str


def learning_rate_text(config: TrainConfig, progress: Progress) -> str:
    """Return the run's learning rate, and what it was changed to: `0.01`, or `0.01 → 0.003 in epoch 3`."""
    changes = progress.rate_changes
    first = changes[0].before if changes else None
    steps = "".join(f" → {change.after:g} in epoch {count(change.epoch)}" for change in changes)
    return f"{config.learning_rate if first is None else first:g}{steps}"


def backend_text(config: TrainConfig, progress: Progress) -> str:
    """Return the run's framework: `torch`, or `torch → tensorflow in epoch 6`."""
    changes = [change for change in progress.changes if isinstance(change, BackendChange)]
    first = changes[0].before if changes else config.backend
    return first + "".join(f" → {change.after} in epoch {count(change.epoch)}" for change in changes)


def epochs_text(config: TrainConfig, progress: Progress) -> str:
    """Return how many epochs the run has in all: `10`, or `10 → 20 after epoch 10 (rate held)`."""
    changes = [change for change in progress.changes if isinstance(change, Extension)]
    first = changes[0].before if changes else config.epochs
    return count(first) + "".join(f" → {_extension_text(change, config)}" for change in changes)


def changes_text(config: TrainConfig, progress: Progress) -> str:
    """Return all that was changed on the way: `rate 0.01 → 0.003 in epoch 3 · epochs 10 → 20 after epoch 10`."""
    kinds = {type(change) for change in progress.changes}
    parts = (
        f"rate {learning_rate_text(config, progress)}" if RateChange in kinds else "",
        backend_text(config, progress) if BackendChange in kinds else "",
        f"epochs {epochs_text(config, progress)}" if Extension in kinds else "",
    )
    return " · ".join(part for part in parts if part)


def _extension_text(change: Extension, config: TrainConfig) -> str:
    told = f" ({SCHEDULE_AFTER[change.schedule]})" if follows_schedule(config) and change.after > change.before else ""
    return f"{count(change.after)} after epoch {count(change.epoch)}{told}"


def follows_schedule(config: TrainConfig) -> bool:
    """Say whether the learning rate changes by itself, so that more epochs need a choice of what it does then."""
    return config.schedule != "constant"


def change_text(change: RateChange) -> str:
    """Return one change of the learning rate: `learning rate 0.01 → 0.003 from epoch 3, step 120 on`."""
    before = "" if change.before is None else f"{change.before:g} → "
    return f"learning rate {before}{change.after:g} from epoch {count(change.epoch)}, step {count(change.step)} on"


def change_marks(config: TrainConfig, progress: Progress) -> tuple[ChangeMark, ...]:
    """Return where a chart of the run marks its changes, with a few words for each."""
    images = progress.started.dataset.train_examples if progress.started else 0
    steps = max(1, -(-images // config.batch_size))
    return tuple(_mark(change, steps) for change in progress.changes)


def _mark(change: Change, steps: int) -> ChangeMark:
    match change:
        case RateChange():
            return ChangeMark(change.epoch - 1 + (change.step - 1) / steps, f"rate {change.after:g}")
        case BackendChange():
            return ChangeMark(change.epoch - 1 + (change.step - 1) / steps, change.after)
        case Extension():
            return ChangeMark(float(change.epoch), f"extended to {count(change.after)}")
