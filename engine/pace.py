"""How long two sides of a duel took to train, in a unit that compares, and whether they differ by more than chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.significance import welch

if TYPE_CHECKING:
    from engine.duel import Duel, Entry

Unit = Literal["run", "epoch", "image"]


@dataclass(frozen=True)
class Pace:
    """Seconds of training per `unit` on both sides, means: of whole runs only where these are equally long.

    `samples` says between what their spread was judged: `runs`, or where a side has one run only, its `epochs`.
    """

    unit: Unit
    seconds: tuple[float, float]
    samples: Literal["runs", "epochs"]
    sizes: tuple[int, int]
    is_difference: bool

    @property
    def ratio(self) -> float:
        """The faster side's time as a share of the slower's."""
        return min(self.seconds) / max(self.seconds) if max(self.seconds) else 1.0


def pace_of(duel: Duel) -> Pace | None:
    """Return how the times of the two sides compare; None before both have an epoch. Slow at first: imports SciPy."""
    runs = [side.counted or (side.lead,) for side in duel.sides]
    examples = duel.first.example, duel.second.example
    if not all(entry.progress.epochs and entry.progress.started for entries in runs for entry in entries):
        return None
    unit = _unit(examples)
    by_run = [[_seconds(entry, unit) for entry in entries] for entries in runs]
    is_by_run = min(map(len, by_run)) > 1
    one, other = by_run if is_by_run else [_by_epoch(example) for example in examples]
    means = sum(by_run[0]) / len(by_run[0]), sum(by_run[1]) / len(by_run[1])
    return Pace(
        unit, means, "runs" if is_by_run else "epochs", (len(one), len(other)), welch(one, other).is_significant
    )


def _unit(examples: tuple[Entry, Entry]) -> Unit:
    if len({_images(entry) for entry in examples}) > 1:
        return "image"
    return "run" if len({len(entry.progress.epochs) for entry in examples}) == 1 else "epoch"


def _images(entry: Entry) -> int:
    """Return how many images the run trains on in an epoch."""
    return max(1, entry.progress.started.dataset.train_examples) if entry.progress.started else 1


def _seconds(entry: Entry, unit: Unit) -> float:
    progress = entry.progress
    match unit:
        case "run":
            return progress.seconds
        case "epoch":
            return progress.seconds / len(progress.epochs)
        case "image":
            return progress.seconds / len(progress.epochs) / _images(entry)


def _by_epoch(entry: Entry) -> list[float]:
    """Return the seconds of the run's epochs, for each of its images."""
    return [epoch.seconds / _images(entry) for epoch in entry.progress.epochs]
