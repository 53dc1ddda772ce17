"""Every architecture once, framework-neutral: its layers, their shapes and parameters, and its initial weights.

A backend builds its network from `Architecture.layers`. Tensors are named `<layer>.<parameter>` and kept in
PyTorch's layout everywhere outside a backend: convolution weights [out, in, height, width], dense weights
[out, in], images flattened channel-major.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    State = dict[str, np.ndarray]

IMAGE_SHAPE = (1, 28, 28)
CLASSES = 10


@dataclass(frozen=True)
class Conv:
    """A square convolution with `filters` output channels and `padding` zeros on every side."""

    name: str
    filters: int
    kernel: int
    stride: int = 1
    padding: int = 0
    bias: bool = True


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalisation over all but the channel (or unit) axis, with a learnt scale and shift."""

    name: str


@dataclass(frozen=True)
class ReLU:
    """max(0, x)."""

    name: str


@dataclass(frozen=True)
class MaxPool:
    """The maximum of each `size`×`size` block; what is left over at the right and bottom is dropped."""

    name: str
    size: int = 2


@dataclass(frozen=True)
class Flatten:
    """[channels, height, width] → [channels · height · width], channel-major."""

    name: str


@dataclass(frozen=True)
class Dense:
    """A fully connected layer with `units` outputs."""

    name: str
    units: int
    bias: bool = True


Layer = Conv | BatchNorm | ReLU | MaxPool | Flatten | Dense


@dataclass(frozen=True)
class LayerRow:
    """One row of the layer table. `output_shape` is without the batch axis; [channels, height, width] or [units]."""

    layer: Layer
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameter_shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def parameters(self) -> int:
        """How many trainable numbers the layer has."""
        return sum(math.prod(shape) for shape in self.parameter_shapes.values())


@dataclass(frozen=True)
class Architecture:
    """A network: its name, one line about it, and its layers from input to logits."""

    name: str
    summary: str
    layers: tuple[Layer, ...]

    @property
    def parameters(self) -> int:
        """How many trainable numbers the network has."""
        return sum(row.parameters for row in self.table())

    @property
    def smallest_batch(self) -> int:
        """How many images a step of training needs: two, where batch norm has no more than one value of each."""
        is_of_units = (isinstance(row.layer, BatchNorm) and len(row.input_shape) == 1 for row in self.table())
        return 2 if any(is_of_units) else 1

    def table(self) -> tuple[LayerRow, ...]:
        """Return the layers with their shapes, from the input image to the ten logits."""
        return tuple(self._rows())

    def _rows(self) -> Iterator[LayerRow]:
        shape: tuple[int, ...] = IMAGE_SHAPE
        for layer in self.layers:
            output, parameters = _shapes(layer, shape)
            yield LayerRow(layer, shape, output, parameters)
            shape = output


def _shapes(layer: Layer, shape: tuple[int, ...]) -> tuple[tuple[int, ...], dict[str, tuple[int, ...]]]:
    """Return a layer's output shape and its parameters' shapes for an input of `shape`."""
    match layer:
        case Conv(filters=filters, kernel=kernel, stride=stride, padding=padding):
            channels, height, width = shape
            weights: dict[str, tuple[int, ...]] = {"weight": (filters, channels, kernel, kernel)}
            size = [(side + 2 * padding - kernel) // stride + 1 for side in (height, width)]
            return (filters, *size), weights | ({"bias": (filters,)} if layer.bias else {})
        case BatchNorm():
            return shape, {"weight": shape[:1], "bias": shape[:1]}
        case MaxPool(size=size):
            channels, height, width = shape
            return (channels, height // size, width // size), {}
        case Flatten():
            return (math.prod(shape),), {}
        case Dense(units=units):
            weights = {"weight": (units, shape[0])}
            return (units,), weights | ({"bias": (units,)} if layer.bias else {})
        case ReLU():
            return shape, {}


def _block(number: int, filters: int, padding: int, batch_norm: bool) -> tuple[Layer, ...]:
    conv = Conv(f"conv{number}", filters, kernel=3, padding=padding)
    norm = (BatchNorm(f"norm{number}"),) if batch_norm else ()
    return (conv, *norm, ReLU(f"relu{number}"), MaxPool(f"pool{number}"))


ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            "cnn-bn",
            "The PyTorch tutorial's: two padded 3×3 convolutions with batch norm",
            (
                *_block(1, 4, padding=1, batch_norm=True),
                *_block(2, 4, padding=1, batch_norm=True),
                Flatten("flatten"),
                Dense("dense", CLASSES),
            ),
        ),
        Architecture(
            "cnn",
            "The TensorFlow tutorial's: two unpadded 3×3 convolutions",
            (
                *_block(1, 4, padding=0, batch_norm=False),
                *_block(2, 4, padding=0, batch_norm=False),
                Flatten("flatten"),
                Dense("dense", CLASSES),
            ),
        ),
        Architecture(
            "cnn-strided",
            "Two convolutions and a hidden layer, with batch norm",
            (
                Conv("conv1", 24, kernel=5, stride=2, padding=1, bias=False),
                BatchNorm("norm1"),
                ReLU("relu1"),
                Conv("conv2", 48, kernel=3, bias=False),
                BatchNorm("norm2"),
                ReLU("relu2"),
                MaxPool("pool2"),
                Flatten("flatten"),
                Dense("hidden", 128, bias=False),
                BatchNorm("norm3"),
                ReLU("relu3"),
                Dense("dense", CLASSES),
            ),
        ),
    )
}


def initial_state(architecture: Architecture, seed: int, scheme: str) -> State:
    """Draw a network's initial float32 weights from `seed`, the same for every backend.

    `scheme` is "torch" (weights and biases uniform within ±1/√fan_in: PyTorch's kaiming_uniform with a = √5) or
    "keras" (weights Glorot uniform, within ±√(6/(fan_in + fan_out)); biases zero). Batch norm starts as the
    identity with running mean 0 and variance 1 in both.
    """
    import numpy as np

    generator = np.random.default_rng([seed, 0])
    state: State = {}
    for row in architecture.table():
        name = row.layer.name
        if isinstance(row.layer, BatchNorm):
            (channels,) = row.parameter_shapes["weight"]
            state[f"{name}.weight"] = np.ones(channels, np.float32)
            state[f"{name}.bias"] = np.zeros(channels, np.float32)
            state[f"{name}.running_mean"] = np.zeros(channels, np.float32)
            state[f"{name}.running_var"] = np.ones(channels, np.float32)
            continue
        for parameter, shape in row.parameter_shapes.items():
            bound = _uniform_bound(row.parameter_shapes["weight"], scheme, is_bias=parameter == "bias")
            values = generator.uniform(-bound, bound, shape)
            state[f"{name}.{parameter}"] = values.astype(np.float32)
    return state


def _uniform_bound(weight_shape: tuple[int, ...], scheme: str, is_bias: bool) -> float:
    receptive_field = math.prod(weight_shape[2:])
    fan_out, fan_in = weight_shape[0] * receptive_field, weight_shape[1] * receptive_field
    if scheme == "torch":
        return 1 / math.sqrt(fan_in)
    return 0.0 if is_bias else math.sqrt(6 / (fan_in + fan_out))
