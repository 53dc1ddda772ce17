"""Which images a run trains on and in which order, chooses its best epoch by, and is tested on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import ConfigError
from engine.models import ARCHITECTURES

if TYPE_CHECKING:
    import numpy as np

    from engine.config import TrainConfig
    from engine.data import Dataset


@dataclass
class Split:
    """The examples a run uses: `train_*` for the steps, `validation_*` to choose the best epoch, `test_*` to report."""

    train_images: np.ndarray
    train_labels: np.ndarray
    validation_images: np.ndarray
    validation_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray

    @classmethod
    def of(cls, dataset: Dataset, config: TrainConfig) -> Split:
        """Hold out the last `config.validation` training images, then keep the first `config.limit` of the rest."""
        count = len(dataset.train_labels)
        check_split(count, config.model, config.batch_size, config.validation, config.limit)
        rest, used = count - config.validation, trained_on(config, count)
        return cls(
            dataset.train_images[:used],
            dataset.train_labels[:used],
            dataset.train_images[rest:],
            dataset.train_labels[rest:],
            dataset.test_images,
            dataset.test_labels,
        )


def check_split(count: int, model: str, batch_size: int, validation: int, limit: int) -> None:
    """Raise ConfigError where these settings do not go together with a dataset of `count` training images."""
    if validation >= count:
        raise ConfigError("validation", f"Validation must leave some of the {count:,} training images.")
    used = min(limit or count, count - validation)
    if batch_size > used:
        raise ConfigError("batch_size", f"Batch size must be at most the {used:,} training images of this run.")
    if problem := last_batch_problem(model, used, batch_size):
        raise ConfigError("batch_size", problem, "Use another batch size.")


def trained_on(config: TrainConfig, count: int) -> int:
    """Return how many of a dataset's `count` training images a run trains on: the first so many."""
    rest = max(0, count - config.validation)
    return min(config.limit, rest) if config.limit else rest


def image_order(config: TrainConfig, epoch: int, count: int) -> np.ndarray:
    """Return the order of `count` training images in `epoch` (from 1), int64; it depends on seed and epoch alone."""
    import numpy as np

    if not config.shuffle:
        return np.arange(count)
    return np.random.default_rng([config.seed, 1, epoch]).permutation(count)


def last_batch_problem(model: str, images: int, batch_size: int) -> str:
    """Say why `model` cannot train on `images` in batches of `batch_size`, the last of which may be smaller, or ""."""
    if (images % batch_size or batch_size) >= ARCHITECTURES[model].smallest_batch:
        return ""
    return (
        f"Batches of {batch_size:,} of {images:,} training images leave a last one of a single image, "
        f"which {model} cannot normalise."
    )
