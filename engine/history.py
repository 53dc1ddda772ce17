"""What a network answered after each epoch of its run: images just learnt, just forgotten, and never right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from engine.answers import Answers


@dataclass(frozen=True)
class Moment:
    """What was answered for one image after `epoch`; probabilities from 0 to 1."""

    epoch: int
    predicted: int
    confidence: float
    label_probability: float


@dataclass(frozen=True, eq=False)
class History:
    """`answers` by epoch, the epochs ascending; all for the same images. Its findings are int64 indices, ascending."""

    answers: Mapping[int, Answers]

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs there are answers of."""
        return tuple(self.answers)

    @cached_property
    def wrong(self) -> np.ndarray:
        """Whether each image was wrong after each epoch, bool [epochs, n]."""
        import numpy as np

        return np.array([answers.wrong for answers in self.answers.values()])

    def newly_right(self, epoch: int) -> np.ndarray:
        """Return the images that are right after `epoch` and were wrong after the one before; none for the first."""
        return self._changed(epoch, now_wrong=False)

    def newly_wrong(self, epoch: int) -> np.ndarray:
        """Return the images that are wrong after `epoch` and were right after the one before; none for the first."""
        return self._changed(epoch, now_wrong=True)

    @cached_property
    def always_wrong(self) -> np.ndarray:
        """The images that were right after no epoch."""
        import numpy as np

        return np.flatnonzero(self.wrong.all(axis=0))

    def of_image(self, index: int) -> list[Moment]:
        """Return what was answered for one image, epoch by epoch."""
        return [
            Moment(
                epoch,
                int(answers.predicted[index]),
                float(answers.confidence[index]),
                float(answers.label_probability[index]),
            )
            for epoch, answers in self.answers.items()
        ]

    def _changed(self, epoch: int, now_wrong: bool) -> np.ndarray:
        position = self.epochs.index(epoch)
        before, now = self.wrong[max(0, position - 1)], self.wrong[position]
        return _where((now if now_wrong else ~now) & (before ^ now))


def _where(condition: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.flatnonzero(condition)
