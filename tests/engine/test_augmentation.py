"""The maps that change training images, and which of them are shifts by whole pixels."""

from __future__ import annotations

import numpy as np
import pytest

from engine.augmentation import MAX_SHIFT, draw_transforms, transforms_of_image, warp, whole_pixel_shifts
from engine.config import TrainConfig
from engine.split import image_order


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


def test_an_image_is_told_what_each_epoch_does_to_it() -> None:
    config = TrainConfig.create(augmentation="affine", seed=3)
    found = transforms_of_image(config, index=7, training_images=100, epochs=2)
    assert found is not None
    for epoch, transform in enumerate(found, start=1):
        of_all = draw_transforms(config, epoch, 100)
        assert of_all is not None
        assert (transform == of_all[image_order(config, epoch, 100).tolist().index(7)]).all()
    assert transforms_of_image(TrainConfig.create(), index=7, training_images=100, epochs=2) is None


def test_warping_by_whole_pixels_moves_the_image_and_fills_the_gap() -> None:
    image = np.arange(1, 785, dtype=np.float64).reshape(1, 1, 28, 28)
    two_left_one_down = np.array([[[1, 0, 2], [0, 1, -1]]], np.float32)
    moved = warp(image, two_left_one_down, fill=-1.0)[0, 0]
    assert (moved[1:, :-2] == image[0, 0, :-1, 2:]).all()
    assert (moved[0] == -1).all()
    assert (moved[:, -2:] == -1).all()
