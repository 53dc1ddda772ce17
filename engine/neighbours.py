"""The training digits that look most like a given one, by scikit-learn. Slow at first: it takes a second to import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.slow_imports import slow_import

if TYPE_CHECKING:
    import numpy as np

POOL = 2
"""Pixels are averaged in squares of this side: a stroke that lies a pixel away still counts as near."""


class NearestDigits:
    """Finds those of `images`, uint8 [n, 28, 28], with the least Euclidean distance in pixels at half resolution."""

    def __init__(self, images: np.ndarray) -> None:
        neighbors = slow_import("sklearn.neighbors")
        self._neighbours: Any = neighbors.NearestNeighbors(algorithm="brute").fit(_features(images))

    def find(self, image: np.ndarray, count: int) -> tuple[int, ...]:
        """Return the indices of the `count` images nearest to `image` [28, 28], the nearest first."""
        from threadpoolctl import threadpool_limits

        count = min(count, self._neighbours.n_samples_fit_)
        with threadpool_limits(1):  # the other processors are for the screen, and for training
            found = self._neighbours.kneighbors(_features(image[None]), n_neighbors=count, return_distance=False)
        return tuple(int(index) for index in found[0])


def _features(images: np.ndarray) -> np.ndarray:
    """Return what is compared, float32 [n, 196], of `images` [n, 28, 28]."""
    import numpy as np

    side = images.shape[1] // POOL
    features: np.ndarray = images.reshape(-1, side, POOL, side, POOL).mean(axis=(2, 4), dtype=np.float32)
    return features.reshape(len(images), -1)
