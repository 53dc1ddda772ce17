"""Precision, recall and F1 of each class, by scikit-learn. Slow at first: it takes a second to import."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.slow_imports import slow_import

if TYPE_CHECKING:
    import numpy as np

    from engine.answers import Answers


@dataclass(frozen=True)
class ClassScores:
    """One of each a class, from 0 to 1. `support`: the images of each class.

    None where there is nothing to divide by: the precision of a class that was never answered, the recall of one
    without images, and F1 where both are missing.
    """

    precision: tuple[float | None, ...]
    recall: tuple[float | None, ...]
    f1: tuple[float | None, ...]
    support: tuple[int, ...]


def class_scores(answers: Answers) -> ClassScores:
    """Return the scores of every class."""
    metrics = slow_import("sklearn.metrics")
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        answers.labels, answers.predicted, labels=range(answers.probabilities.shape[1]), zero_division=math.nan
    )
    return ClassScores(_defined(precision), _defined(recall), _defined(f1), tuple(map(int, support)))


def _defined(scores: np.ndarray) -> tuple[float | None, ...]:
    return tuple(None if math.isnan(score) else float(score) for score in scores)
