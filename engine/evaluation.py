"""From a network's answers to what a person wants to know of them: losses, accuracy, mistakes."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import RunError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Mistake:
    """A test image that the network gets wrong. `probabilities`: the ten of them, by class."""

    index: int
    label: int
    predicted: int
    probabilities: tuple[float, ...]

    @property
    def confidence(self) -> float:
        """The probability given to the wrong answer."""
        return self.probabilities[self.predicted]

    @property
    def loss(self) -> float:
        """The cross entropy of this image, −ln p(label); p is kept in half precision, so at most 18."""
        import math

        return -math.log(max(self.probabilities[self.label], 2.0**-26))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return the log probabilities, float64 [n, classes], of `logits` [n, classes]."""
    import numpy as np

    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    log_probabilities: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return log_probabilities


def score(logits: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return mean cross entropy and accuracy (0 to 1) of `logits` [n, classes] against `labels` [n].

    Computed in float64 in the same way for every backend. NaN logits give a NaN loss.
    """
    import numpy as np

    log_probabilities = log_softmax(logits)
    loss = -log_probabilities[np.arange(len(labels)), labels].mean()
    return float(loss), float((logits.argmax(axis=1) == labels).mean())


def find_mistakes(probabilities: np.ndarray, labels: np.ndarray) -> list[Mistake]:
    """Return the images whose most probable class is not their label, by index."""
    import numpy as np

    predicted = probabilities.argmax(axis=1)
    return [
        Mistake(int(i), int(labels[i]), int(predicted[i]), tuple(float(p) for p in probabilities[i]))
        for i in np.flatnonzero(predicted != labels)
    ]


def save_predictions(path: Path, logits: np.ndarray) -> None:
    """Write the probabilities that `logits` [n, 10] stand for, as float16, atomically."""
    import numpy as np

    from engine.files import write_atomically

    probabilities = np.exp(log_softmax(logits)).astype(np.float16)
    write_atomically(path, lambda file: np.savez_compressed(file, probabilities=probabilities))


def load_predictions(path: Path) -> np.ndarray:
    """Return the probabilities saved at `path`, float16 [n, 10]; raise RunError when it cannot be read."""
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as archive:
            probabilities: np.ndarray = archive["probabilities"]
    except FileNotFoundError as error:
        raise RunError("No predictions", f"{path} is not there.", "Choose another epoch, or train again.") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise RunError(
            "Predictions damaged", f"{path} cannot be read: {error}", "Choose another epoch, or train again."
        ) from error
    if probabilities.ndim != 2 or probabilities.shape[1] != 10 or probabilities.dtype != np.float16:
        raise RunError("Predictions damaged", f"{path} holds no table of ten probabilities an image.")
    return probabilities


def predictions_path(folder: Path, epoch: int) -> Path:
    """Return where the predictions after `epoch` are kept inside a run's predictions folder."""
    return folder / f"epoch-{epoch:04d}.npz"


def predicted_epochs(folder: Path) -> list[int]:
    """Return the epochs that have predictions in a run's predictions folder, in order."""
    names = (path.stem.removeprefix("epoch-") for path in folder.glob("epoch-*.npz"))
    return sorted(int(name) for name in names if name.isdigit())
