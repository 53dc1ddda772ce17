"""Two runs judged from their files: for the command line and for background threads, as it reads and imports a lot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.duel import Duel
from engine.errors import EngineError
from engine.overlay import Agreement
from tui.duel import agreed_epochs, duel_between, duel_of, find_agreement
from tui.duel_verdict import Conclusion, conclude
from tui.family import Family
from tui.formats import spread_text
from tui.snapshot import RunSnapshot

NO_ANSWERS = "there are no predictions of both after the same epoch"


@dataclass(frozen=True)
class Judged:
    """A duel with what came of it. `problem` says why the answers of the two are not compared, and is else empty."""

    duel: Duel
    agreement: Agreement | None
    problem: str
    conclusion: Conclusion

    @property
    def accuracies(self) -> list[str]:
        """A line with the accuracies of both recipes over their seeds; none where the verdict names single figures."""
        verdict = self.conclusion.verdict
        if verdict is None or verdict.about != "recipes":
            return []
        spreads = [(side.name, side.spread("test_accuracy")) for side in self.duel.sides]
        return ["test accuracy: " + ", ".join(f"{name} {spread_text(spread)}" for name, spread in spreads if spread)]


def judged(
    first: RunSnapshot, second: RunSnapshot, store: Sequence[RunSnapshot], names: tuple[str, str] | None = None
) -> Judged | None:
    """Compare two runs among those of their `store`, called as in a duel; None where settings are damaged."""
    duel = duel_between(first, second, store, names)
    return _judged(duel, first, second) if duel else None


def _judged(duel: Duel, first: RunSnapshot, second: RunSnapshot) -> Judged:
    agreement, problem = None, NO_ANSWERS
    if epochs := agreed_epochs(first, second):
        try:
            agreement, problem = find_agreement(first, second, epochs), ""
        except EngineError as error:
            problem = error.message
    return Judged(duel, agreement, problem, conclude(duel, agreement, problem))


def result_of(family: Family) -> list[str]:
    """Return in lines what the members came to when all have ended; [] for a run by itself.

    Of runs on both backends, their accuracies and the verdict; else the accuracy over the seeds.
    """
    if not family.has_result:
        return []
    duel = duel_of(family)
    if duel is None:
        return _over_seeds(family)
    found = _judged(duel, *family.pair.values())
    return [*found.accuracies, " ".join(found.conclusion.on_accuracy)]


def _over_seeds(family: Family) -> list[str]:
    """Return the accuracy of the seeds that repeat the run on display, and how many do not count."""
    duel = duel_between(family.display, family.display, [*family.members, *family.repeats])
    side = duel.first if duel else None
    spread = side.spread("test_accuracy") if side else None
    if side is None or spread is None:
        return []
    reasons = sorted(set(side.left_out.values()))
    left_out = f"; {len(side.left_out)} left out: {'; '.join(reasons)}" if reasons else ""
    alone = f"; alone, as {side.alone}" if side.alone else ""
    return [f"test accuracy {spread_text(spread)}{left_out}{alone}"]
