"""Which of a network's answers to look at, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    import numpy as np

    from engine.answers import Answers

Order = Literal["loss", "confidence", "index", "spread"]
ORDERS: tuple[Order, ...] = get_args(Order)


@dataclass(frozen=True)
class Cell:
    """A part of the confusion matrix: one cell, a row (`true` alone), a column (`predicted` alone), or all of it.

    With `diagonal`, only right answers count.
    """

    true: int | None = None
    predicted: int | None = None
    diagonal: bool = False

    @property
    def holds_right_answers(self) -> bool:
        """Whether what is in here is right rather than wrong."""
        return self.diagonal or (self.true is not None and self.true == self.predicted)


EVERYTHING = Cell()


def select(answers: Answers, cell: Cell = EVERYTHING, among: np.ndarray | None = None) -> np.ndarray:
    """Return the images in `cell`, int64 indices, ascending.

    Without `among` (indices), they are mistakes, unless the cell lies on the diagonal: then they are right answers.
    """
    import numpy as np

    if among is None:
        among = np.flatnonzero(~answers.wrong) if cell.holds_right_answers else answers.mistakes
    elif cell.diagonal:
        among = among[~answers.wrong[among]]
    if cell.true is not None:
        among = among[answers.labels[among] == cell.true]
    if cell.predicted is not None:
        among = among[answers.predicted[among] == cell.predicted]
    return among


def in_order(answers: Answers, indices: np.ndarray, order: Order) -> np.ndarray:
    """Return `indices` by falling loss, by falling confidence, by index, or spread; equals by index.

    Spread takes the pairs of label and answer in turns, the worst of each pair first, so that a frequent pair does
    not crowd out the rest.
    """
    import numpy as np

    if order == "index":
        return np.sort(indices)
    if order == "confidence":
        return _sorted(indices, -answers.confidence[indices])
    worst_first = _sorted(indices, -answers.loss[indices])
    if order == "loss":
        return worst_first
    pairs = answers.labels[worst_first] * answers.probabilities.shape[1] + answers.predicted[worst_first]
    return worst_first[np.argsort(_turns(pairs), kind="stable")]


def _sorted(indices: np.ndarray, keys: np.ndarray) -> np.ndarray:
    import numpy as np

    ordered: np.ndarray = indices[np.lexsort((indices, keys))]
    return ordered


def _turns(groups: np.ndarray) -> np.ndarray:
    """Return for each element how many of the same group come before it."""
    import numpy as np

    by_group = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[by_group], prepend=-1))
    sizes = np.diff(starts, append=len(groups))
    turns = np.empty(len(groups), np.int64)
    turns[by_group] = np.arange(len(groups)) - np.repeat(starts, sizes)
    return turns
