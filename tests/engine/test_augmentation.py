"""The maps that change training images, and which of them are shifts by whole pixels."""

from __future__ import annotations

import numpy as np
import pytest

from engine.augmentation import MAX_SHIFT, draw_transforms, whole_pixel_shifts
from engine.config import TrainConfig


def drawn(augmentation: str, epoch: int = 1) -> np.ndarray:
    """The maps of 2,000 images."""
    transforms = draw_transforms(TrainConfig.create(augmentation=augmentation, seed=3), epoch, 2000)
    assert transforms is not None
    return transforms


def test_shifts_are_every_move_of_up_to_two_pixels_each_way_equally_often() -> None:
    shifts = whole_pixel_shifts(drawn("shift"))
    assert shifts is not None
    moves, counts = np.unique(shifts, axis=0, return_counts=True)
    assert moves.tolist() == [[x, y] for x in range(-2, 3) for y in range(-2, 3)]
    assert counts.min() >= 80 - 5 * 80**0.5
    assert counts.max() <= 80 + 5 * 80**0.5


def test_shifts_are_others_in_every_epoch_and_keep_the_shape_of_a_run_of_steps() -> None:
    first, second = (whole_pixel_shifts(drawn("shift", epoch).reshape(20, 100, 2, 3)) for epoch in (1, 2))
    assert first is not None
    assert second is not None
    assert first.shape == (20, 100, 2)
    assert (first != second).any()


def test_maps_that_also_turn_and_scale_are_no_shifts() -> None:
    assert whole_pixel_shifts(drawn("affine")) is None


@pytest.mark.parametrize(
    ("move", "expected"), [((MAX_SHIFT, -1), (2, -1)), ((MAX_SHIFT + 1, 0), None), ((0.5, 0), None)]
)
def test_a_move_counts_as_a_shift_when_it_is_small_and_whole(
    move: tuple[float, float], expected: tuple[int, int] | None
) -> None:
    transform = np.array([[[1, 0, move[0]], [0, 1, move[1]]]], np.float32)
    shifts = whole_pixel_shifts(transform)
    assert (None if shifts is None else tuple(shifts[0].tolist())) == expected


def test_without_augmentation_there_are_no_maps() -> None:
    assert draw_transforms(TrainConfig.create(), 1, 10) is None
