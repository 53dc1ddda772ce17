"""The networks of engine.models in NumPy, layer by layer: for looking inside one without starting its framework.

It computes in whatever precision the weights and images have. Arrays are laid out as everywhere outside the
backends: images [n, channels, height, width], units [n, units].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.models import Architecture, BatchNorm, Conv, Dense, Flatten, Layer, MaxPool, ReLU

if TYPE_CHECKING:
    import numpy as np

    from engine.models import State


def layer_outputs(
    architecture: Architecture, state: State, images: np.ndarray, batch_norm_epsilon: float
) -> dict[str, np.ndarray]:
    """Return what every layer answers, in evaluation mode, by the layer's name; the last one's are the logits.

    `images` are normalised, [n, 1, 28, 28]; `state` is the network's, see engine.models.
    """
    outputs: dict[str, np.ndarray] = {}
    values = images
    for layer in architecture.layers:
        values = outputs[layer.name] = apply(layer, values, parameters_of(layer, state), batch_norm_epsilon)
    return outputs


def parameters_of(layer: Layer, state: State) -> State:
    """Return the arrays of `state` that are the layer's, by their names within it."""
    prefix = f"{layer.name}."
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}


def apply(layer: Layer, values: np.ndarray, parameters: State, batch_norm_epsilon: float) -> np.ndarray:
    """Return what `layer` answers to `values` in evaluation mode."""
    import numpy as np

    answers: np.ndarray
    match layer:
        case Conv():
            answers = convolve(layer, patches(layer, values), parameters)
        case BatchNorm():
            mean, variance = parameters["running_mean"], parameters["running_var"]
            deviation = np.sqrt(variance + np.asarray(batch_norm_epsilon, variance.dtype))
            scale, offset = parameters["weight"] / deviation, parameters["bias"]
            centred = values - over_channels(mean, values)
            answers = centred * over_channels(scale, values) + over_channels(offset, values)
        case ReLU():
            answers = np.maximum(values, 0)
        case MaxPool(size=size):
            answers = pool_windows(values, size).max(axis=-1)
        case Flatten():
            answers = values.reshape(len(values), -1)
        case Dense():
            answers = values @ parameters["weight"].T + parameters.get("bias", 0)
    return answers


def patches(layer: Conv, images: np.ndarray) -> np.ndarray:
    """Return what each place of `layer` sees of `images`: [n, height, width, in · kernel²]."""
    import numpy as np

    kernel, stride, padding = layer.kernel, layer.stride, layer.padding
    padded = np.pad(images, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(len(images), *windows.shape[2:4], -1)


def convolve(layer: Conv, seen: np.ndarray, parameters: State) -> np.ndarray:
    """Return the answers [n, filters, height, width] of `layer` to the patches that it has `seen`."""
    matrix = parameters["weight"].reshape(layer.filters, -1)
    answers: np.ndarray = seen.reshape(-1, matrix.shape[1]) @ matrix.T + parameters.get("bias", 0)
    return answers.reshape(*seen.shape[:3], layer.filters).transpose(0, 3, 1, 2)


def pool_windows(images: np.ndarray, size: int) -> np.ndarray:
    """Return the values that each place of a max pool chooses from: [n, channels, height, width, size²]."""
    count, channels, height, width = images.shape
    rows, columns = height // size, width // size
    blocks = images[:, :, : rows * size, : columns * size].reshape(count, channels, rows, size, columns, size)
    return blocks.transpose(0, 1, 2, 4, 3, 5).reshape(count, channels, rows, columns, size * size)


def over_channels(of_each: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Shape `of_each` [channels] to go with images [n, channels, h, w] or units [n, channels]."""
    return of_each.reshape(-1, *[1] * (values.ndim - 2))
