"""Precision, recall and F1 of each class, by scikit-learn. Slow at first: it takes a second to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.data import CLASSES
from engine.slow_imports import slow_import

if TYPE_CHECKING:
    from engine.answers import Answers


@dataclass(frozen=True)
class ClassScores:
    """Ten of each, from 0 to 1; 0 where there is nothing to divide by. `support`: the images of each class."""

    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f1: tuple[float, ...]
    support: tuple[int, ...]


def class_scores(answers: Answers) -> ClassScores:
    """Return the scores of every class."""
    metrics = slow_import("sklearn.metrics")
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        answers.labels, answers.predicted, labels=range(CLASSES), zero_division=0.0
    )
    return ClassScores(
        tuple(map(float, precision)), tuple(map(float, recall)), tuple(map(float, f1)), tuple(map(int, support))
    )
