"""Several runs side by side: their figures, the settings that differ, and what their seeds make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.repeats import identity_of
from tui.duel import duel_between
from tui.facts import fact_text, facts_of, label_of
from tui.formats import clock, count, percent, spread_text
from tui.judging import judged
from tui.kernels import kernels_phrase
from tui.snapshot import RunSnapshot

LETTERS = tuple("ABCDEFGHIJKL")
"""What the runs are called where there is no room for their names."""
NUMBERS = tuple(map(str, range(1, 13)))
"""The same where the marks on the curves are letters themselves."""
UNKNOWN = "–"
UNREADABLE = "?"
FIGURES = ("best", "epoch", "last", "mistakes", "time", "median img/s")
HEADINGS = frozenset({"name"})
"""Facts that tell which run it is, rather than how it was trained."""


@dataclass(frozen=True)
class Difference:
    """A setting that is not the same in all runs, and its value in each."""

    label: str
    values: tuple[str, ...]


def figures_of(snapshot: RunSnapshot) -> tuple[str, ...]:
    """Return what a run came to, or has come to so far: its FIGURES, accuracies being those on the test set.

    Mistakes are those after the last epoch; the speed is the median of the epochs'.
    """
    progress = snapshot.progress
    if progress.best is None:
        return (UNKNOWN,) * len(FIGURES)
    mistakes = dict(snapshot.mistakes).get(progress.epochs[-1].epoch)
    return (
        percent(progress.best.test_accuracy),
        count(progress.best.epoch),
        percent(progress.epochs[-1].test_accuracy),
        UNKNOWN if mistakes is None else count(mistakes),
        clock(progress.seconds),
        count(progress.images_per_second or 0),
    )


def differences_of(snapshots: Sequence[RunSnapshot]) -> tuple[Difference, ...]:
    """Return what differs between the runs' settings, their framework's conventions, and what they ran on."""
    facts = [_facts(snapshot) for snapshot in snapshots]
    known = [each for each in facts if each is not None]
    if len(known) < 2:
        return ()
    differing = [key for key in known[0] if key not in HEADINGS and len({each[key] for each in known}) > 1]
    return tuple(
        Difference(label_of(key), tuple(UNREADABLE if each is None else fact_text(key, each[key]) for each in facts))
        for key in differing
    )


def kernels_line(snapshots: Sequence[RunSnapshot], names: Sequence[str]) -> str:
    """Say whose kernels the times and speeds are those of: `A B with mnist-tui's fused kernels`; empty if unknown."""
    found: dict[str, list[str]] = {}
    for name, snapshot in zip(names, snapshots, strict=False):
        if started := snapshot.progress.started:
            told = kernels_phrase(started.kernels, started.backend) or "with kernels that were not recorded"
            found.setdefault(told, []).append(name)
    told = ", ".join(f"{' '.join(called)} {phrase}" for phrase, called in found.items())
    return f"Trained: {told}" if told else ""


def seeds_of(snapshots: Sequence[RunSnapshot], names: Sequence[str], store: Sequence[RunSnapshot]) -> list[str]:
    """Return in lines what the recipes came to over several seeds, and where two are compared, the verdict.

    All completed repeats in the `store` count, as everywhere else, whether they are among `snapshots` or not. For
    background threads only: the verdict reads the runs' answers.
    """
    groups: dict[Any, list[tuple[str, RunSnapshot]]] = {}
    for name, snapshot in zip(names, snapshots, strict=False):
        if snapshot.config:
            identity = identity_of(snapshot.config, snapshot.progress)
            groups.setdefault(identity or snapshot.run.id, []).append((name, snapshot))
    lines = [line for members in groups.values() if (line := _over_seeds(members, store))]
    pair = [(" ".join(name for name, _ in members), members[0][1]) for members in groups.values()]
    if len(groups) == 1 and len(snapshots) == 2:
        pair = list(zip(names, snapshots, strict=False))
    if len(pair) == 2:
        (first, one), (second, other) = pair
        found = judged(one, other, store, (first, second))
        lines += [*found.conclusion.on_accuracy, *found.conclusion.on_time] if found else []
    return lines


def _over_seeds(members: Sequence[tuple[str, RunSnapshot]], store: Sequence[RunSnapshot]) -> str:
    """Return a line on the accuracy of a recipe over its seeds; empty where there is one seed only."""
    duel = duel_between(members[0][1], members[0][1], store)
    spread = duel.first.spread("test_accuracy") if duel else None
    if duel is None or spread is None or len(spread.values) < 2:
        return ""
    counted = {entry.run_id for entry in duel.first.counted}
    shown = {snapshot.run.id for _, snapshot in members}
    more = f" and {len(counted - shown)} more" if counted - shown else ""
    missing = f"; {len(shown - counted)} not counted: not completed, or the same seed" if shown - counted else ""
    return f"{' '.join(name for name, _ in members)}{more}: test accuracy {spread_text(spread)}{missing}"


def _facts(snapshot: RunSnapshot) -> dict[str, Any] | None:
    return facts_of(snapshot.config, snapshot.progress, snapshot.name) if snapshot.config else None
