"""The run on display among the runs that were launched together with it, and what they all came to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from engine.backends import BACKENDS
from engine.runs import Run
from tui.snapshot import RunSnapshot

SHORT_NAMES = {"torch": "torch", "tensorflow": "tf"}


@dataclass(frozen=True, eq=False)
class Family:
    """`display` is one of `members`, which are in the order of their launch; most runs are a family by themselves.

    `repeats` are the other completed runs of the store with the settings of a member, but for the seed; they are looked
    for once no member is live any more.
    """

    display: RunSnapshot
    members: tuple[RunSnapshot, ...]
    repeats: tuple[RunSnapshot, ...] = ()

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
        return next((replace(self, display=member) for member in self.members if member.run.id == run.id), None)

    @property
    def statuses(self) -> tuple[str, ...]:
        """The status of the run on display, then those of all members: what can be done depends on them."""
        return tuple(one.status for one in (self.display, *self.members))

    @property
    def has_result(self) -> bool:
        """Whether several members have all ended, so that there is something to say of them together."""
        return len(self.members) > 1 and not any(member.live for member in self.members)

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


def repeats_among(leads: Iterable[RunSnapshot], store: Iterable[RunSnapshot]) -> tuple[RunSnapshot, ...]:
    """Return the completed runs of `store` with the recipe of one of `leads`."""
    from engine.repeats import recipe_of

    recipes = {recipe_of(one.config) for one in leads if one.config}
    return tuple(one for one in store if one.status == "completed" and one.config and recipe_of(one.config) in recipes)
