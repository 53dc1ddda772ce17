"""Which networks are trained by the pooled blocks, and what those are computed from."""

from __future__ import annotations

import numpy as np
import pytest

from engine.models import ARCHITECTURES, Architecture, Conv, Dense, Flatten, MaxPool, ReLU
from engine.pooling import is_blocks_and_dense, pooled_blocks, rows_of_pixels, window_rows

BLOCK = (Conv("conv", 1, kernel=3, padding=1), ReLU("relu"), MaxPool("pool"))


@pytest.mark.parametrize(("name", "by_hand"), [("cnn-bn", True), ("cnn", True), ("cnn-strided", False)])
def test_the_tutorials_networks_are_blocks_and_one_dense_layer(name: str, by_hand: bool) -> None:
    assert is_blocks_and_dense(ARCHITECTURES[name]) is by_hand


@pytest.mark.parametrize(
    "rest", [(Dense("hidden", 32), ReLU("relu2"), Dense("dense", 10)), (Dense("dense", 10, bias=False),)]
)
def test_a_network_that_goes_on_otherwise_is_not(rest: tuple[Dense | ReLU, ...]) -> None:
    network = Architecture("other", "", (*BLOCK, Flatten("flatten"), *rest))
    assert pooled_blocks(network)
    assert not is_blocks_and_dense(network)


def test_pixels_are_found_where_the_windows_take_them() -> None:
    (block,) = pooled_blocks(Architecture("other", "", (*BLOCK, Flatten("flatten"), Dense("dense", 10))))
    taken, places = window_rows(block).ravel(), rows_of_pixels(block)
    assert places.shape == (28 * 28, 4)
    for pixel in (0, 29, 783):
        found = places[pixel][places[pixel] < taken.size]
        assert np.array_equal(np.sort(found), np.flatnonzero(taken == pixel))
