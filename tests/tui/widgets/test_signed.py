"""Numbers around zero as pictures: their signs and sizes are read with and without colour."""

from __future__ import annotations

import numpy as np
import pytest

from tui.terminal import PictureMode
from tui.widgets.signed import grey, short, weight_strips


@pytest.mark.parametrize(
    ("weight", "written"),
    [
        (0.424, "+.42"),
        (-0.0, "-.00"),
        (0.996, "+1.0"),
        (-1.34, "-1.3"),
        (-9.96, " -10"),
        (250.4, "+250"),
        (1e9, "+1k+"),
    ],
)
def test_a_weight_is_written_in_four_characters(weight: float, written: str) -> None:
    assert short(weight) == written


def test_a_weights_sign_is_its_hue_and_its_size_the_brightness() -> None:
    top, bottom = weight_strips([[0.5, -1.0, 0.0]], 1.0, PictureMode.HALFBLOCK, lines=2)
    assert (top.text, bottom.text) == ("+.50-1.0+.00", " " * 12)
    half, least, zero = (segment.style.bgcolor.triplet for segment in top)  # type: ignore[union-attr]
    assert half.red > half.blue == sum(zero) == 0
    assert least.blue > least.red
    assert sum(least) > sum(half)


def test_without_colour_its_sign_and_its_shade_tell() -> None:
    ramp = PictureMode.RAMP
    assert [strip.text for strip in weight_strips([[0.5, -1.0]], 1.0, ramp, lines=2)] == ["+.50-1.0", "xxxx@@@@"]
    assert [strip.text for strip in weight_strips([[0.5, -1.0]], 1.0, ramp, lines=1)] == ["+xxx-@@@"]


def test_zero_is_grey_and_the_largest_number_white() -> None:
    assert grey(np.array([-2.0, 0.0, 2.0]), 2.0).tolist() == [1, 128, 255]
    assert grey(np.zeros(2), 0.0).tolist() == [128, 128]
