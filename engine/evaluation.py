"""From logits to loss and accuracy, and to predictions kept in files."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from engine.causes import explain
from engine.errors import RunError
from engine.regular_files import open_to_read
from engine.unpacking import unpacked

if TYPE_CHECKING:
    import numpy as np

MOST_PREDICTION_BYTES = 256 * 1024 * 1024
"""Ten float16 of each of 13 million images."""
OTHER_EPOCH = "Choose another epoch, or train again."


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


def save_predictions(path: Path, logits: np.ndarray) -> None:
    """Write the probabilities that `logits` [n, 10] stand for, as float16, atomically; makes `path`'s own folder.

    The most probable class stays that: where rounding makes another one its equal, it gets the next higher float16.
    """
    import numpy as np

    from engine.files import write_atomically

    probabilities = np.exp(log_softmax(logits)).astype(np.float16)
    answers = logits.argmax(axis=1)
    tied = np.flatnonzero(probabilities.argmax(axis=1) != answers)
    probabilities[tied, answers[tied]] = np.nextafter(probabilities[tied].max(axis=1), np.float16(np.inf))
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, lambda file: np.savez_compressed(file, probabilities=probabilities))


def load_predictions(path: Path) -> np.ndarray:
    """Return the probabilities saved at `path`, float16 [n, 10]; raise RunError when it cannot be read."""
    import numpy as np

    try:
        with open_to_read(path) as file, zipfile.ZipFile(file) as archive:
            probabilities = unpacked(archive, "probabilities", MOST_PREDICTION_BYTES)
    except FileNotFoundError as error:
        raise RunError("No predictions", f"{path} is not there.", OTHER_EPOCH) from error
    except OSError as error:
        raise RunError("Predictions not readable", *explain(error, "read", path, OTHER_EPOCH)) from error
    except MemoryError as error:
        raise RunError("Out of memory", *explain(error, "read", path)) from error
    except (ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise RunError("Predictions damaged", f"{path} cannot be read: {error}", OTHER_EPOCH) from error
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
