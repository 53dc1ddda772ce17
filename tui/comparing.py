"""Several runs side by side: their figures, the settings that differ, and what their seeds make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.comparison import Spread, recipe_of, verdict
from tui.facts import fact_text, facts_of, label_of
from tui.formats import clock, count, percent, spread_text
from tui.snapshot import RunSnapshot

LETTERS = tuple("ABCDEFGHIJKL")
"""What the runs are called where there is no room for their names."""
NUMBERS = tuple(map(str, range(1, 13)))
"""The same where the marks on the curves are letters themselves."""
UNKNOWN = "–"
UNREADABLE = "?"
FIGURES = ("best", "epoch", "last", "mistakes", "time", "images/s")
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


def seeds_of(snapshots: Sequence[RunSnapshot], names: Sequence[str]) -> list[str]:
    """Return in lines what runs that differ in their seed alone came to, and between two such recipes, a verdict."""
    groups: dict[Any, list[int]] = {}
    for position, snapshot in enumerate(snapshots):
        if snapshot.config:
            groups.setdefault(recipe_of(snapshot.config), []).append(position)
    lines, spreads = [], []
    for positions in groups.values():
        spread, called = _spread([snapshots[at] for at in positions]), " ".join(names[at] for at in positions)
        if spread.values:
            spreads.append((called, spread))
        if len(positions) > 1 and spread.values:
            missing = len(positions) - len(spread.values)
            left_out = f"; {missing} not counted: not completed, or the same seed" if missing else ""
            lines.append(f"{called}: test accuracy {spread_text(spread)}{left_out}")
    if len(groups) == len(spreads) == 2:
        (first, one), (second, other) = spreads
        lines.append(f"{second} against {first}: {verdict(one, other)}")
    return lines


def _facts(snapshot: RunSnapshot) -> dict[str, Any] | None:
    return facts_of(snapshot.config, snapshot.progress, snapshot.name) if snapshot.config else None


def _spread(snapshots: Sequence[RunSnapshot]) -> Spread:
    """Return the final test accuracies of those that completed; of a repeated seed, one counts."""
    accuracies: dict[int, float] = {}
    for snapshot in snapshots:
        finished = snapshot.progress.finished
        if snapshot.config and finished and finished.outcome == "completed" and finished.test_accuracy is not None:
            accuracies.setdefault(snapshot.config.seed, finished.test_accuracy)
    return Spread(tuple(accuracies.values()))
