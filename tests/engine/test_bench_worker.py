"""A speed counts only if something was trained at it."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backends.base import StepResults
from engine.bench_worker import Batches, steps_per_second
from engine.config import TrainConfig
from engine.errors import TrainingError
from tests.reference import ReferenceLearner


class Learner(ReferenceLearner):
    """Takes steps that change what `changes` names, and says `warning` of them."""

    def __init__(self, changes: str, warning: str = "") -> None:
        names = ("conv1.weight", "bn1.running_mean", "optimizer.step", "optimizer.velocity.conv1.weight")
        self._arrays = {name: np.zeros(3) for name in names}
        self._changes = changes
        self._warning = warning

    def train_steps(
        self, batches: np.ndarray, learning_rates: np.ndarray, transforms: np.ndarray | None = None
    ) -> StepResults:
        self._arrays[self._changes] += 1
        return StepResults(np.zeros(len(batches), np.float32), np.zeros(len(batches), np.int64), self._warning)

    def state(self) -> dict[str, np.ndarray]:
        return {name: values.copy() for name, values in self._arrays.items()}


@pytest.fixture(scope="module")
def batches() -> Batches:
    """The batches that the smallest recipe is measured with."""
    return Batches(TrainConfig.preset("pytorch-tutorial"))


def test_steps_that_change_weights_have_a_speed(batches: Batches) -> None:
    assert steps_per_second(Learner("conv1.weight"), batches, 0.001) > 0


@pytest.mark.parametrize("changes", ["bn1.running_mean", "optimizer.step", "optimizer.velocity.conv1.weight"])
def test_steps_that_change_no_weight_are_a_failure(batches: Batches, changes: str) -> None:
    with pytest.raises(TrainingError, match="changed no weight"):
        steps_per_second(Learner(changes), batches, 0.001)


def test_what_a_learner_says_of_its_steps_is_kept(batches: Batches) -> None:
    steps_per_second(Learner("conv1.weight", "one by one"), batches, 0.001)
    assert batches.warning == "one by one"
