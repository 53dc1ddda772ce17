"""What the Data screen shows, worked out on background threads: functions that return a message with findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.message import Message

from engine.errors import EngineError
from tui.datasets import dataset_at

if TYPE_CHECKING:
    import numpy as np

    from engine.config import TrainConfig
    from engine.data import Dataset

DRAWS = 8

Part = Literal["train", "test"]
PARTS: tuple[Part, ...] = ("train", "test")


@dataclass
class ImagesFound(Message):
    """The images that the setting `data` leads to."""

    data: str
    dataset: Dataset


@dataclass
class ImagesMissing(Message):
    """Why there are no images to show."""

    data: str
    error: EngineError


@dataclass(frozen=True, eq=False)
class Figures:
    """What an image's pixels range over, and their mean and standard deviation."""

    least: float
    greatest: float
    mean: float
    deviation: float

    @classmethod
    def of(cls, pixels: np.ndarray) -> Figures:
        """Return those of `pixels`."""
        return cls(float(pixels.min()), float(pixels.max()), float(pixels.mean()), float(pixels.std()))


@dataclass
class InputFound(Message):
    """What a network trained with `config` is fed of the image `index`.

    `pixels`: float32 [28, 28], normalised. `draws`: the same as the run's first epochs change it, float32
    [epochs, 28, 28], None where nothing is changed; `reason` says why that is.
    """

    part: Part
    index: int
    config: TrainConfig
    stored: Figures
    pixels: np.ndarray
    normalised: Figures
    draws: np.ndarray | None
    reason: str


def images_of(dataset: Dataset, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Return the images and the labels of one of the two sets."""
    if part == "train":
        return dataset.train_images, dataset.train_labels
    return dataset.test_images, dataset.test_labels


def find_images(data: str, sample: bool = False) -> Message:
    """Read the images that the setting `data` leads to, or those of the embedded sample in their stead."""
    try:
        return ImagesFound(data, dataset_at(data, sample))
    except EngineError as error:
        return ImagesMissing(data, error)


def find_input(dataset: Dataset, part: Part, index: int, config: TrainConfig) -> Message:
    """Work out what a network trained with `config` is fed of an image."""
    from engine.pixels import normalise

    image = images_of(dataset, part)[0][index]
    pixels = normalise(image, config.normalisation)
    draws, reason = _draws(dataset, part, index, config)
    return InputFound(part, index, config, Figures.of(image), pixels, Figures.of(pixels), draws, reason)


def _draws(dataset: Dataset, part: Part, index: int, config: TrainConfig) -> tuple[np.ndarray | None, str]:
    import numpy as np

    from engine.augmentation import transforms_of_image, warp
    from engine.pixels import normalise
    from engine.split import trained_on

    if config.augmentation == "none":
        return None, "To choose another: 1, then Augmentation behind More."
    if part == "test":
        return None, "Test images are never changed. {show} goes to the training images."
    used = trained_on(config, len(dataset.train_labels))
    if index >= used:
        return None, f"The form's run does not train on this image: only on the first {used:,}."
    transforms = transforms_of_image(config, index, used, DRAWS)
    assert transforms is not None
    images = np.repeat(normalise(dataset.train_images[index], config.normalisation)[None, None], DRAWS, axis=0)
    outside = float(normalise(np.zeros(1, np.uint8), config.normalisation)[0])
    return warp(images, transforms, outside)[:, 0], ""
