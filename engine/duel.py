"""Two recipes trained against each other, each over one seed or several: their figures, and what else differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from engine.comparison import Spread, differing_settings
from engine.conventions import conventions_in_use
from engine.repeats import INCIDENTAL, Identity, identity_of, why_alone

if TYPE_CHECKING:
    from engine.config import TrainConfig
    from engine.runs import Progress, Status

OWN_DEFAULTS = "framework's own defaults"
OTHER_IMAGES = "images"


@dataclass(frozen=True)
class Entry:
    """A run in a duel, with its events so far."""

    run_id: str
    config: TrainConfig
    status: Status
    progress: Progress

    @cached_property
    def identity(self) -> Identity | None:
        """What it has in common with its repeats; None for a run that nothing repeats."""
        return identity_of(self.config, self.progress)

    @property
    def is_live(self) -> bool:
        """Whether it may still train."""
        return self.status in ("waiting", "running", "paused")

    def repeats(self, lead: Entry) -> bool:
        """Whether it has completed and repeats `lead`, but for the seed."""
        return self.status == "completed" and self.identity is not None and self.identity == lead.identity

    def until(self, epoch: int) -> Entry:
        """Return the run as it was after `epoch`."""
        epochs = tuple(one for one in self.progress.epochs if one.epoch <= epoch)
        return replace(self, progress=replace(self.progress, epochs=epochs, finished=None))

    @property
    def accuracy(self) -> float | None:
        """The run's test accuracy (0 to 1): that after its last epoch so far."""
        return self.progress.test_accuracy


@dataclass(frozen=True)
class Side:
    """Runs called `name` with one recipe; `lead` is the one of them that is looked at.

    `entries` are the lead, the runs that were launched together with it, and the other completed runs that repeat it.
    """

    name: str
    lead: Entry
    entries: tuple[Entry, ...]

    @cached_property
    def counted(self) -> tuple[Entry, ...]:
        """The completed runs that repeat the lead, one for each seed, in the order of the seeds.

        The lead itself counts wherever it is completed, even if nothing repeats it. Where it is not, no other run
        stands in for its seed: what is said of it would be the other's.
        """
        found = {self.lead.config.seed: self.lead}
        for entry in self.entries:
            if entry.repeats(self.lead):
                found.setdefault(entry.config.seed, entry)
        return tuple(found[seed] for seed in sorted(found) if found[seed].status == "completed")

    @property
    def example(self) -> Entry:
        """The run whose length and epochs stand for those that count: the lead, if it is completed."""
        return self.lead if self.lead.status == "completed" or not self.counted else self.counted[0]

    @property
    def seeds(self) -> frozenset[int]:
        """The seeds of all entries."""
        return frozenset(entry.config.seed for entry in self.entries)

    @property
    def alone(self) -> str:
        """Why nothing repeats the lead; empty where something may."""
        return why_alone(self.lead.progress)

    @property
    def left_out(self) -> dict[int, str]:
        """Why seeds do not count, by seed; empty where the lead stands for itself alone."""
        counted = {entry.config.seed for entry in self.counted}
        entries = () if self.alone else (*self.entries, self.lead)
        return {one.config.seed: _reason(one) for one in entries if one.config.seed not in counted}

    def by_seed(self, figure: str) -> dict[int, float]:
        """Return one of FIGURES of the runs that count, by seed, as far as it is known."""
        values = {entry.config.seed: FIGURES[figure](entry) for entry in self.counted}
        return {seed: value for seed, value in values.items() if value is not None}

    def spread(self, figure: str, epoch: int | None = None) -> Spread | None:
        """Return one of FIGURES of the runs that count; with an `epoch`, that of the lead after it."""
        if epoch is None:
            values = tuple(self.by_seed(figure).values())
        else:
            value = FIGURES[figure](self.lead.until(epoch))
            values = () if value is None else (value,)
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
    def leads(self) -> tuple[Entry, Entry]:
        """The run of each side that is looked at."""
        return self.first.lead, self.second.lead

    @property
    def has_both_backends(self) -> bool:
        """Whether each side has a framework of its own."""
        return self.first.lead.config.backend != self.second.lead.config.backend

    @property
    def is_decided(self) -> bool:
        """Whether both sides have a result and none of their runs may still add to it.

        The result of a lead that was not completed is that of its recipe alone, which takes several seeds of both.
        """
        if any(entry.is_live for side in self.sides for entry in side.entries):
            return False
        if self.same_recipe and self.epoch is not None:
            return False
        least = 1 if self.epoch is None else 2
        return all(len(side.counted) >= least for side in self.sides)

    @property
    def epoch(self) -> int | None:
        """The last epoch that both leads have finished, while one is not completed; None where both are.

        0 while one of them has not finished any.
        """
        if all(lead.status == "completed" for lead in self.leads):
            return None
        return min((lead.progress.epochs[-1].epoch if lead.progress.epochs else 0) for lead in self.leads)

    @property
    def same_recipe(self) -> bool:
        """Whether the two repeat one another."""
        one, other = (lead.identity for lead in self.leads)
        return one is not None and one == other

    @property
    def differences(self) -> tuple[str, ...]:
        """What else than the backend may make the difference, in words; the defaults of a framework count as one."""
        one, other = self.leads
        names = differing_settings([one.config, other.config]).keys() - INCIDENTAL - {"backend"}
        defaults = conventions_in_use(one.config).keys()
        found = [name.replace("_", " ") for name in sorted(names - defaults)]
        if names & defaults:
            found.append(OWN_DEFAULTS)
        seeds = [{entry.config.seed for entry in side.counted or (side.lead,)} for side in self.sides]
        if seeds[0] != seeds[1]:
            found.append("seed" if max(map(len, seeds)) == 1 else "seeds")
        return (*found, *self._trained_differently())

    def _trained_differently(self) -> list[str]:
        """Say in which way the leads were trained differently, besides their settings."""
        one, other = (lead.progress.started for lead in self.leads)
        found = []
        if one and other:
            if not self.shares_images:
                found.append(OTHER_IMAGES)
            if not self.has_both_backends and one.framework_version != other.framework_version:
                found.append("framework version")
            if one.device.partition(":")[0] != other.device.partition(":")[0]:
                found.append("device")
            if one.kernels != other.kernels:
                found.append("kernels")
        return found

    @property
    def shares_images(self) -> bool:
        """Whether both leads were tested on the same images, as far as that is known."""
        fingerprints = {at.dataset.fingerprint for lead in self.leads if (at := lead.progress.started)}
        return len(fingerprints) < 2

    @property
    def shares_device(self) -> bool:
        """Whether both trained on the same device, so that their times compare."""
        devices = {(at.device, at.device_name) for lead in self.leads if (at := lead.progress.started)}
        return len(devices) == 1


def _reason(entry: Entry) -> str:
    if entry.status != "completed":
        return "not finished"
    return why_alone(entry.progress) or "trained on other images, or with another version, device or kernels"


def _peak_memory(entry: Entry) -> float | None:
    return max((e.peak_memory_bytes for e in entry.progress.epochs if e.peak_memory_bytes is not None), default=None)


def _mistakes(entry: Entry) -> float | None:
    epochs = entry.progress.epochs
    return dict(entry.progress.mistakes).get(epochs[-1].epoch) if epochs else None


FIGURES: dict[str, Callable[[Entry], float | None]] = {
    "test_accuracy": lambda entry: entry.accuracy,
    "best_test_accuracy": lambda entry: entry.progress.best.test_accuracy if entry.progress.best else None,
    "test_loss": lambda entry: entry.progress.epochs[-1].test_loss if entry.progress.epochs else None,
    "mistakes": _mistakes,
    "seconds": lambda entry: entry.progress.seconds if entry.progress.epochs else None,
    "images_per_second": lambda entry: entry.progress.images_per_second,
    "peak_memory_bytes": _peak_memory,
}
"""What is compared: accuracies from 0 to 1, and seconds of training without the tests. None where it is not known."""
