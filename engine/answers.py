"""What a network answered for every test image after an epoch: which are wrong, how sure it was, and at what loss."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from engine.data import CLASSES
from engine.errors import DataError, RunError
from engine.evaluation import load_predictions, predictions_path
from engine.runs import LIVE

if TYPE_CHECKING:
    import numpy as np

    from engine.data import Dataset
    from engine.events import RunStarted
    from engine.runs import Run

SMALLEST_PROBABILITY = 2.0**-26
"""Below the least that half precision can hold, 2⁻²⁴: a loss of at most 18 stands for a probability kept as 0."""


@dataclass(frozen=True, eq=False)
class Answers:
    """`probabilities`: float16 [n, 10], by image and class; `labels`: int64 [n], the true classes."""

    probabilities: np.ndarray
    labels: np.ndarray

    @cached_property
    def predicted(self) -> np.ndarray:
        """The most probable class of each image, int64 [n]; of equals the first."""
        predicted: np.ndarray = self.probabilities.argmax(axis=1)
        return predicted

    @cached_property
    def wrong(self) -> np.ndarray:
        """Whether the answer is not the label, bool [n]."""
        wrong: np.ndarray = self.predicted != self.labels
        return wrong

    @cached_property
    def mistakes(self) -> np.ndarray:
        """The indices of the images that are wrong, int64, ascending."""
        import numpy as np

        return np.flatnonzero(self.wrong)

    @cached_property
    def confidence(self) -> np.ndarray:
        """The probability given to each answer, float32 [n]."""
        return self._probability_of(self.predicted)

    @cached_property
    def label_probability(self) -> np.ndarray:
        """The probability given to each label, float32 [n]."""
        return self._probability_of(self.labels)

    @cached_property
    def loss(self) -> np.ndarray:
        """The cross entropy of each image, −ln p(label), float32 [n]."""
        import numpy as np

        loss: np.ndarray = -np.log(np.maximum(self.label_probability, SMALLEST_PROBABILITY))
        return loss

    @cached_property
    def confusion_matrix(self) -> np.ndarray:
        """How many images of each true class (rows) got each answer (columns), int64 [10, 10]."""
        import numpy as np

        counts = np.bincount(self.labels * CLASSES + self.predicted, minlength=CLASSES * CLASSES)
        return counts.reshape(CLASSES, CLASSES)

    def _probability_of(self, classes: np.ndarray) -> np.ndarray:
        import numpy as np

        chosen: np.ndarray = self.probabilities[np.arange(len(classes)), classes].astype(np.float32)
        return chosen


def load_answers(run: Run, epoch: int, dataset: Dataset) -> Answers:
    """Return what `run` answered after `epoch` for the test images of `dataset`.

    Raises RunError where the predictions are missing or damaged, DataError where they are not for these images.
    """
    probabilities = load_predictions(predictions_path(run.predictions_path, epoch))
    if len(probabilities) != len(dataset.test_labels):
        raise DataError(
            "Predictions do not fit",
            f"There are {len(probabilities):,} predictions for {len(dataset.test_labels):,} test images.",
            "Choose another epoch, or train again.",
        )
    return Answers(probabilities, dataset.test_labels)


def check_dataset(started: RunStarted | None, dataset: Dataset) -> None:
    """Raise DataError unless `dataset` is the one that the run tested on, by its fingerprint."""
    if started and dataset.info.fingerprint != started.dataset.fingerprint:
        raise DataError(
            "Another dataset",
            f"The run was tested on {started.dataset.name} from {started.dataset.source}; what is found now is "
            f"{dataset.info.name} from {dataset.info.source}, with other images.",
            "Put the run's dataset back, or start with --data or MNIST_TUI_DATA pointing to it.",
        )


def no_predictions(run: Run, epochs: list[int], epoch: int | None = None) -> RunError:
    """Return the error that `run` has no predictions, or none of `epoch`; `epochs` are those that it has."""
    if not epochs and run.status() not in LIVE:
        ended = "was stopped" if run.status() == "stopped" else "ended"
        return RunError(
            "No predictions",
            f"Run {run.id} {ended} before its first epoch ended, and predictions are saved after every epoch.",
            f"Let it go on with: mnist-tui resume {run.id}, or choose another run: mnist-tui runs",
        )
    if not epochs:
        return RunError(
            "No predictions yet",
            f"Run {run.id} has none: they are saved after every epoch.",
            "Wait for its first epoch, or choose another run: mnist-tui runs",
        )
    return RunError("No such epoch", f"Run {run.id} has predictions of epochs {_ranges(epochs)}, not of epoch {epoch}.")


def _ranges(numbers: list[int]) -> str:
    """`[1, 2, 3, 5]` → `1–3, 5`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)
