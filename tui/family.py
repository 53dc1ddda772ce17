"""The run on display among the runs that were launched together with it, and what they all came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from engine.backends import BACKENDS
from engine.runs import Run
from tui.formats import percent, spread_text
from tui.snapshot import RunSnapshot

if TYPE_CHECKING:
    from engine.comparison import Spread

SHORT_NAMES = {"torch": "torch", "tensorflow": "tf"}


@dataclass(frozen=True, eq=False)
class Family:
    """`display` is one of `members`, which are in the order of their launch; most runs are a family by themselves."""

    display: RunSnapshot
    members: tuple[RunSnapshot, ...]

    @cached_property
    def partner(self) -> RunSnapshot | None:
        """The run that differs from the one on display in its backend alone."""
        from engine.families import partner_of

        settings = {member.run.id: member.config for member in self.members if member.config}
        found = partner_of(self.display.run.id, settings)
        return next((member for member in self.members if member.run.id == found), None)

    @property
    def pair(self) -> dict[str, RunSnapshot]:
        """The run on display and its partner by backend, in the backends' usual order; {} where it has none."""
        both: dict[str, RunSnapshot] = {
            one.config.backend: one for one in (self.display, self.partner) if one and one.config
        }
        return {name: both[name] for name in BACKENDS} if self.partner else {}

    @property
    def training(self) -> RunSnapshot | None:
        """The member that has the device; paused, it keeps it."""
        return next((member for member in self.members if member.status in ("running", "paused")), None)

    @property
    def next_in_line(self) -> RunSnapshot | None:
        """The other member that waits for its turn, or is starting."""
        others = (member for member in self.members if member.run.id != self.display.run.id)
        return next((member for member in others if member.status == "waiting"), None)

    @property
    def after_display(self) -> RunSnapshot:
        """The member after the one on display; after the last, the first."""
        position = [member.run.id for member in self.members].index(self.display.run.id)
        return self.members[(position + 1) % len(self.members)]

    def showing(self, run: Run) -> Family | None:
        """Return the family with `run` on display, or None where it is not a member."""
        return next((Family(member, self.members) for member in self.members if member.run.id == run.id), None)

    @property
    def statuses(self) -> tuple[str, ...]:
        """The status of the run on display, then those of all members: what can be done depends on them."""
        return tuple(one.status for one in (self.display, *self.members))

    @property
    def has_seeds(self) -> bool:
        """Whether members differ in their seed."""
        return len({member.config.seed for member in self.members if member.config}) > 1

    def name_of(self, member: RunSnapshot) -> str:
        """Return what tells `member` from the others: `tf`, `seed 3`, both, or nothing where it is the only one."""
        parts = []
        if member.config and len({one.config.backend for one in self.members if one.config}) > 1:
            parts.append(SHORT_NAMES[member.config.backend])
        if self.has_seeds and member.config:
            parts.append(f"seed {member.config.seed}")
        return " ".join(parts)

    def result(self) -> list[str]:
        """Return in lines what the members came to when all have ended; [] for a run by itself."""
        if len(self.members) == 1 or any(member.live for member in self.members):
            return []
        spreads = _spreads(self.members)
        if len(spreads) == 2:
            return _contest(spreads)
        missing = len(self.members) - sum(len(spread.values) for spread in spreads.values())
        left_out = f"; {missing} did not complete" if missing else ""
        return [f"test accuracy {spread_text(spread)}{left_out}" for spread in spreads.values()]


def _spreads(members: Sequence[RunSnapshot]) -> dict[str, Spread]:
    """Return the final test accuracies of the members that completed, by backend in the usual order."""
    from engine.comparison import Spread

    accuracies: dict[str, list[float]] = {}
    for member in members:
        finished = member.progress.finished
        if finished and finished.outcome == "completed" and finished.test_accuracy is not None:
            backend = member.config.backend if member.config else member.backend
            accuracies.setdefault(backend, []).append(finished.test_accuracy)
    return {name: Spread(tuple(accuracies[name])) for name in BACKENDS if name in accuracies}


def _contest(spreads: dict[str, Spread]) -> list[str]:
    """Return both backends' accuracies, and whether the second differs from the first."""
    from engine.comparison import verdict

    (first, one), (second, other) = ((BACKENDS[name].label, spread) for name, spread in spreads.items())
    is_single = max(len(one.values), len(other.values)) == 1
    figures = [percent(spread.mean) if is_single else spread_text(spread) for spread in (one, other)]
    return [
        f"test accuracy: {first} {figures[0]}, {second} {figures[1]}",
        f"{second} against {first}: {verdict(one, other)}",
    ]
