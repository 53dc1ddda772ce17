"""What is counted while an epoch runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.backends.base import StepResults


@dataclass
class Epoch:
    """A running epoch: `step` steps done, and the sums of loss and right answers over their images.

    `seconds` is how long its steps took; `seconds_before` and `images_before` are those of the worker that a
    checkpoint comes from.
    """

    number: int
    step: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    images: int = 0
    seconds: float = 0.0
    images_before: int = 0
    seconds_before: float = 0.0

    def add(self, results: StepResults, batch_size: int) -> None:
        """Count finished steps one by one, so that the sums do not depend on how the steps were grouped."""
        for loss in results.loss.tolist():
            self.loss_sum += loss * batch_size
        self.correct += int(results.correct.sum())
        self.step += len(results.loss)
        self.images += len(results.loss) * batch_size

    @property
    def images_per_second(self) -> float:
        seconds = self.seconds - self.seconds_before
        return (self.images - self.images_before) / seconds if seconds else 0.0
