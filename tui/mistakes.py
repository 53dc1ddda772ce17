"""The mistakes of a run after an epoch, put together from its predictions and its dataset. Background threads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from engine.errors import DataError, EngineError
from engine.evaluation import Mistake, find_mistakes, load_predictions, predictions_path
from tui.datasets import dataset_at
from tui.snapshot import RunSnapshot

if TYPE_CHECKING:
    import numpy as np


@dataclass
class MistakesFound(Message):
    """The wrong answers of a run after `epoch`, with the test images uint8 [n, 28, 28] that they index."""

    run_id: str
    epoch: int
    mistakes: list[Mistake]
    images: np.ndarray
    class_names: tuple[str, ...]


@dataclass
class MistakesMissing(Message):
    """Why the mistakes of a run after `epoch` cannot be shown."""

    run_id: str
    epoch: int
    error: EngineError


def load_mistakes(snapshot: RunSnapshot, epoch: int) -> Message:
    """Return MistakesFound, or MistakesMissing with the reason."""
    try:
        return _load(snapshot, epoch)
    except EngineError as error:
        return MistakesMissing(snapshot.run.id, epoch, error)


def _load(snapshot: RunSnapshot, epoch: int) -> MistakesFound:
    started, config = snapshot.progress.started, snapshot.config
    probabilities = load_predictions(predictions_path(snapshot.run.predictions_path, epoch))
    dataset = dataset_at(config.data if config else "", sample=bool(started and started.dataset.sample))
    if started and dataset.info.fingerprint != started.dataset.fingerprint:
        raise DataError(
            "Another dataset",
            f"The run was tested on {started.dataset.name} from {started.dataset.source}; what is found now is "
            f"{dataset.info.name} from {dataset.info.source}, with other images.",
            "Put the run's dataset back, or start with --data or MNIST_TUI_DATA pointing to it.",
        )
    if len(probabilities) != len(dataset.test_labels):
        raise DataError(
            "Predictions do not fit",
            f"There are {len(probabilities):,} predictions for {len(dataset.test_labels):,} test images.",
            "Choose another epoch, or train again.",
        )
    mistakes = find_mistakes(probabilities, dataset.test_labels)
    return MistakesFound(snapshot.run.id, epoch, mistakes, dataset.test_images, dataset.info.class_names)
