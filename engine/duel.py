"""Two recipes trained against each other, each over one seed or several: their figures, and how far they agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.comparison import INCIDENTAL, Spread, differing_settings
from engine.conventions import conventions_in_use

if TYPE_CHECKING:
    from engine.config import TrainConfig
    from engine.overlay import Overlay
    from engine.runs import Progress, Status

OWN_DEFAULTS = "framework's own defaults"
OTHER_IMAGES = "images"
RATE_CHANGED = "learning rate changed on the way"


@dataclass(frozen=True)
class Entry:
    """A run in a duel; `mistakes` is how many test images it got wrong after its last epoch, where that is known."""

    run_id: str
    config: TrainConfig
    status: Status
    progress: Progress
    mistakes: int | None = None


@dataclass(frozen=True)
class Side:
    """Runs called `name` that differ in nothing but their seed; `lead` is the one of them that is looked at."""

    name: str
    lead: Entry
    entries: tuple[Entry, ...]

    @property
    def completed(self) -> tuple[Entry, ...]:
        """The runs that have trained to their end."""
        return tuple(entry for entry in self.entries if entry.status == "completed")

    @property
    def seeds(self) -> frozenset[int]:
        """The seeds of the runs."""
        return frozenset(entry.config.seed for entry in self.entries)

    def spread(self, figure: str) -> Spread | None:
        """Return one of FIGURES of the completed runs; while there is none, of the lead's epochs so far."""
        values = tuple(
            value for entry in self.completed or (self.lead,) if (value := FIGURES[figure](entry)) is not None
        )
        return Spread(values) if values else None


@dataclass(frozen=True)
class Duel:
    """Two sides, which mostly are one recipe on both backends."""

    first: Side
    second: Side

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both."""
        return self.first, self.second

    @property
    def has_both_backends(self) -> bool:
        """Whether each side has a framework of its own."""
        return self.first.lead.config.backend != self.second.lead.config.backend

    @property
    def differences(self) -> tuple[str, ...]:
        """What else than the backend may make the difference, in words; the defaults of a framework count as one."""
        one, other = self.first.lead, self.second.lead
        names = differing_settings([one.config, other.config]).keys() - INCIDENTAL - {"backend"}
        defaults = conventions_in_use(one.config).keys()
        found = [name.replace("_", " ") for name in sorted(names - defaults)]
        if names & defaults:
            found.append(OWN_DEFAULTS)
        if self.first.seeds != self.second.seeds:
            found.append("seed")
        started = [entry.progress.started for entry in (one, other)]
        if started[0] and started[1] and started[0].dataset.fingerprint != started[1].dataset.fingerprint:
            found.append(OTHER_IMAGES)
        if any(entry.progress.rate_change for side in self.sides for entry in side.entries):
            found.append(RATE_CHANGED)
        return tuple(found)

    @property
    def shares_device(self) -> bool:
        """Whether both trained on the same device, so that their times compare."""
        devices = {(at.device, at.device_name) for side in self.sides if (at := side.lead.progress.started)}
        return len(devices) == 1

    @property
    def times(self) -> tuple[Spread, Spread] | None:
        """Both sides' seconds by run, or where one has a single run by epoch; None before both have an epoch."""
        by_run = [[entry.progress.seconds for entry in side.completed] for side in self.sides]
        by_epoch = [[epoch.seconds for epoch in side.lead.progress.epochs] for side in self.sides]
        one, other = by_run if min(map(len, by_run)) > 1 else by_epoch
        return (Spread(tuple(one)), Spread(tuple(other))) if one and other else None


@dataclass(frozen=True)
class Agreement:
    """How two networks answered the `tested` images after `epochs`, the first's and the second's.

    `alike` counts the images that both took for the same class, rightly or not. `p_value` is McNemar's.
    """

    epochs: tuple[int, int]
    tested: int
    alike: int
    both_wrong: int
    only_first_wrong: int
    only_second_wrong: int
    p_value: float

    @classmethod
    def of(cls, overlay: Overlay, epochs: tuple[int, int]) -> Agreement:
        """Return the counts of `overlay`. The first time this may take a second: see Overlay.p_value."""
        return cls(
            epochs=epochs,
            tested=len(overlay.first.labels),
            alike=int((overlay.first.predicted == overlay.second.predicted).sum()),
            both_wrong=len(overlay.both_wrong),
            only_first_wrong=len(overlay.only_first_wrong),
            only_second_wrong=len(overlay.only_second_wrong),
            p_value=overlay.p_value,
        )

    @property
    def both_right(self) -> int:
        """How many images both got right."""
        return self.tested - self.both_wrong - self.only_first_wrong - self.only_second_wrong


def _peak_memory(entry: Entry) -> float | None:
    return max((e.peak_memory_bytes for e in entry.progress.epochs if e.peak_memory_bytes is not None), default=None)


FIGURES: dict[str, Callable[[Entry], float | None]] = {
    "test_accuracy": lambda entry: entry.progress.epochs[-1].test_accuracy if entry.progress.epochs else None,
    "best_test_accuracy": lambda entry: entry.progress.best.test_accuracy if entry.progress.best else None,
    "test_loss": lambda entry: entry.progress.epochs[-1].test_loss if entry.progress.epochs else None,
    "mistakes": lambda entry: entry.mistakes,
    "seconds": lambda entry: entry.progress.seconds if entry.progress.epochs else None,
    "images_per_second": lambda entry: entry.progress.images_per_second,
    "peak_memory_bytes": _peak_memory,
}
"""What is compared: accuracies from 0 to 1, and seconds of training without the tests. None where it is not known."""
