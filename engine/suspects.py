"""Labels that may be wrong: test images that every run, sure of itself, takes for something else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.answers import Answers, load_answers
from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.data import Dataset
    from engine.runs import Run

SURE = 0.9
"""The confidence from which on a wrong answer speaks against the label."""


@dataclass(frozen=True)
class Suspect:
    """A test image whose label every run doubts. `predicted` and `confidences`: by run."""

    index: int
    label: int
    predicted: tuple[int, ...]
    confidences: tuple[float, ...]

    @property
    def confidence(self) -> float:
        """That of the run that is the least sure."""
        return min(self.confidences)


@dataclass(frozen=True)
class Inquest:
    """`suspects`, those first whose least sure run is the surest; the ids of the runs `asked`, and of those not."""

    suspects: tuple[Suspect, ...]
    asked: tuple[str, ...]
    left_out: tuple[str, ...]


def find_suspects(runs: Iterable[Run], dataset: Dataset, sure: float = SURE) -> Inquest:
    """Return the test images of `dataset` that all `runs` get wrong with a confidence of at least `sure`.

    Each run answers with its last epoch. Runs on other images, and those without readable predictions, are left out.
    """
    answers: dict[str, Answers] = {}
    left_out = []
    for run in runs:
        try:
            answers[run.id] = _last_answers(run, dataset)
        except (EngineError, _NotAsked):
            left_out.append(run.id)
    suspects = _suspects(list(answers.values()), sure)
    return Inquest(tuple(suspects), tuple(answers), tuple(left_out))


class _NotAsked(Exception):
    pass


def _last_answers(run: Run, dataset: Dataset) -> Answers:
    progress = run.progress()
    epochs, started = run.predicted_epochs(progress), progress.started
    if not epochs or started is None or started.dataset.fingerprint != dataset.info.fingerprint:
        raise _NotAsked
    return load_answers(run, epochs[-1], dataset)


def _suspects(answers: list[Answers], sure: float) -> list[Suspect]:
    import numpy as np

    if not answers:
        return []
    doubted = np.all([one.wrong & (one.confidence >= sure) for one in answers], axis=0)
    suspects = [
        Suspect(
            int(index),
            int(answers[0].labels[index]),
            tuple(int(one.predicted[index]) for one in answers),
            tuple(float(one.confidence[index]) for one in answers),
        )
        for index in np.flatnonzero(doubted)
    ]
    return sorted(suspects, key=lambda suspect: (-suspect.confidence, suspect.index))
