"""Random changes to the training images, drawn in NumPy so that every backend sees the same ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.config import TrainConfig
from engine.split import image_order

if TYPE_CHECKING:
    import numpy as np

MAX_SHIFT = 2
MAX_ROTATION = math.radians(10)
MAX_SCALE = 0.1
CENTRE = 13.5


def draw_transforms(config: TrainConfig, epoch: int, count: int) -> np.ndarray | None:
    """Return an affine map for each of an epoch's `count` images, float32 [count, 2, 3], or None without augmentation.

    A map takes a pixel (x, y, 1) of the augmented image to the place (x, y) in the original that it shows.
    "shift" moves by whole pixels, up to 2 each way; "affine" also turns by up to 10° and scales by up to 10 %
    about the image's centre. The maps depend on seed and epoch alone.
    """
    import numpy as np

    if config.augmentation == "none":
        return None
    generator = np.random.default_rng([config.seed, 2, epoch])
    shifts = generator.integers(-MAX_SHIFT, MAX_SHIFT + 1, (count, 2)).astype(np.float64)
    linear = np.broadcast_to(np.eye(2), (count, 2, 2)).copy()
    if config.augmentation == "affine":
        angles = generator.uniform(-MAX_ROTATION, MAX_ROTATION, count)
        scales = generator.uniform(1 - MAX_SCALE, 1 + MAX_SCALE, count)
        cosines, sines = scales * np.cos(angles), scales * np.sin(angles)
        linear = np.stack([cosines, -sines, sines, cosines], axis=1).reshape(count, 2, 2)
    offsets = CENTRE - linear.sum(axis=2) * CENTRE + shifts
    return np.concatenate([linear, offsets[..., np.newaxis]], axis=2).astype(np.float32)


def transforms_of_image(config: TrainConfig, index: int, training_images: int, epochs: int) -> np.ndarray | None:
    """Return what a run does to its training image `index`, one of so many, in each of its first `epochs` epochs.

    Maps as those of `draw_transforms`, float32 [epochs, 2, 3], or None without augmentation.
    """
    import numpy as np

    found = []
    for epoch in range(1, epochs + 1):
        transforms = draw_transforms(config, epoch, training_images)
        if transforms is None:
            return None
        found.append(transforms[np.flatnonzero(image_order(config, epoch, training_images) == index)[0]])
    return np.stack(found)


def whole_pixel_shifts(transforms: np.ndarray) -> np.ndarray | None:
    """Return what `transforms` [..., 2, 3] add to each pixel's (x, y), int64 [..., 2], where they do nothing else.

    None where one of them turns, scales, or moves by more than `MAX_SHIFT` or by a part of a pixel. A shift by whole
    pixels copies them; resampling them, which gives the same, takes 5 to 10 times as long.
    """
    import numpy as np

    linear, offsets = transforms[..., :2], transforms[..., 2]
    shifts: np.ndarray = np.rint(offsets).astype(np.int64)
    is_whole = (linear == np.eye(2)).all() and (shifts == offsets).all() and (abs(shifts) <= MAX_SHIFT).all()
    return shifts if is_whole else None


def warp(images: np.ndarray, transforms: np.ndarray, fill: float) -> np.ndarray:
    """Resample `images` [n, 1, h, w] bilinearly through `transforms` [n, 2, 3]; outside them is `fill`.

    In the precision of `images`; the backends do the same on their device.
    """
    import numpy as np

    height, width = images.shape[2:]
    rows, columns = np.mgrid[:height, :width]
    pixels = np.stack([columns.ravel(), rows.ravel(), np.ones(height * width)])
    sources = transforms.astype(np.float64) @ pixels  # [n, 2, h·w]
    # Two pixels of `fill` on every side take up whatever lies outside.
    padded = np.pad(images[:, 0] - fill, [(0, 0), (2, 2), (2, 2)])
    x = np.clip(sources[:, 0] + 2, 0, width + 2.999)
    y = np.clip(sources[:, 1] + 2, 0, height + 2.999)
    left, top = x.astype(int), y.astype(int)
    image = np.arange(len(images))[:, np.newaxis]
    upper = padded[image, top, left] * (left + 1 - x) + padded[image, top, left + 1] * (x - left)
    lower = padded[image, top + 1, left] * (left + 1 - x) + padded[image, top + 1, left + 1] * (x - left)
    mixed = upper * (top + 1 - y) + lower * (y - top)
    resampled: np.ndarray = (mixed.reshape(images.shape) + fill).astype(images.dtype)
    return resampled
