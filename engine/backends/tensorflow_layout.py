"""Between the canonical layout of a state, which is PyTorch's, and TensorFlow's."""

from __future__ import annotations

import numpy as np

from engine.models import Architecture, Flatten


def to_native(architecture: Architecture, name: str, values: np.ndarray) -> np.ndarray:
    """From the canonical layout to TensorFlow's: OIHW → HWIO, [out, in] → [in, out] with pixels before channels."""
    if values.ndim == 4:
        return np.ascontiguousarray(values.transpose(2, 3, 1, 0))
    if values.ndim == 2:
        channels, height, width = _dense_image(architecture, name)
        cubes = values.reshape(-1, channels, height, width).transpose(2, 3, 1, 0)
        return np.ascontiguousarray(cubes.reshape(channels * height * width, -1))
    return values


def to_canonical(architecture: Architecture, name: str, values: np.ndarray) -> np.ndarray:
    """The inverse of `to_native`."""
    if values.ndim == 4:
        return np.ascontiguousarray(values.transpose(3, 2, 0, 1))
    if values.ndim == 2:
        channels, height, width = _dense_image(architecture, name)
        cubes = values.reshape(height, width, channels, -1).transpose(3, 2, 0, 1)
        return np.ascontiguousarray(cubes.reshape(-1, channels * height * width))
    return values


def _dense_image(architecture: Architecture, name: str) -> tuple[int, int, int]:
    """Return the shape [channels, height, width] that the inputs of a dense layer's weight had before Flatten."""
    layer = name.split(".")[-2]
    table = architecture.table()
    position = next(i for i, row in enumerate(table) if row.layer.name == layer)
    before = table[position - 1]
    if isinstance(before.layer, Flatten):
        channels, height, width = before.input_shape
        return channels, height, width
    return table[position].input_shape[0], 1, 1
