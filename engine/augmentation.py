"""Random changes to the training images, drawn in NumPy so that every backend sees the same ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.config import TrainConfig

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
