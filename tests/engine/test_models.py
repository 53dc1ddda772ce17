"""The architectures: their shapes, their parameters, and the weights they start with."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from engine.checkpoint import expected_shapes
from engine.models import (
    ARCHITECTURES,
    Architecture,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    MaxPool,
    ReLU,
    initial_state,
)

# Layer, output shape, trainable parameters: the first two from the tutorials.
PUBLISHED = {
    "cnn-bn": [
        ("conv1", (4, 28, 28), 40),
        ("norm1", (4, 28, 28), 8),
        ("relu1", (4, 28, 28), 0),
        ("pool1", (4, 14, 14), 0),
        ("conv2", (4, 14, 14), 148),
        ("norm2", (4, 14, 14), 8),
        ("relu2", (4, 14, 14), 0),
        ("pool2", (4, 7, 7), 0),
        ("flatten", (196,), 0),
        ("dense", (10,), 1970),
    ],
    "cnn": [
        ("conv1", (4, 26, 26), 40),
        ("relu1", (4, 26, 26), 0),
        ("pool1", (4, 13, 13), 0),
        ("conv2", (4, 11, 11), 148),
        ("relu2", (4, 11, 11), 0),
        ("pool2", (4, 5, 5), 0),
        ("flatten", (100,), 0),
        ("dense", (10,), 1010),
    ],
    "cnn-strided": [
        ("conv1", (24, 13, 13), 600),
        ("norm1", (24, 13, 13), 48),
        ("relu1", (24, 13, 13), 0),
        ("conv2", (48, 11, 11), 10_368),
        ("norm2", (48, 11, 11), 96),
        ("relu2", (48, 11, 11), 0),
        ("pool2", (48, 5, 5), 0),
        ("flatten", (1200,), 0),
        ("hidden", (128,), 153_600),
        ("norm3", (128,), 256),
        ("relu3", (128,), 0),
        ("dense", (10,), 1290),
    ],
}
# Large enough for statistics of what is drawn: 6,400 numbers in the convolution, 1.25 million in the dense layer.
WIDE = Architecture("wide", "", (Conv("conv", 256, kernel=5, padding=2), MaxPool("pool", 7), Flatten("flatten"),
                                 Dense("dense", 300)))  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_layers_are_those_published(name: str) -> None:
    rows = [(row.layer.name, row.output_shape, row.parameters) for row in ARCHITECTURES[name].table()]
    assert rows == PUBLISHED[name]


@pytest.mark.parametrize(("name", "parameters"), [("cnn-bn", 2174), ("cnn", 1198), ("cnn-strided", 166_258)])
def test_parameters_are_as_many_as_published(name: str, parameters: int) -> None:
    assert ARCHITECTURES[name].parameters == parameters


def test_names_of_layers_are_unique_and_each_row_goes_on_from_the_one_before() -> None:
    for architecture in ARCHITECTURES.values():
        table = architecture.table()
        assert len({row.layer.name for row in table}) == len(table)
        assert table[0].input_shape == (1, 28, 28)
        assert all(row.input_shape == before.output_shape for before, row in itertools.pairwise(table))
        assert table[-1].output_shape == (10,)


@pytest.mark.parametrize(
    ("layer", "shape", "parameters"),
    [
        (Conv("c", 8, kernel=5, stride=2, padding=1), (8, 13, 13), {"weight": (8, 1, 5, 5), "bias": (8,)}),
        (Conv("c", 8, kernel=3, bias=False), (8, 26, 26), {"weight": (8, 1, 3, 3)}),
        (BatchNorm("n"), (1, 28, 28), {"weight": (1,), "bias": (1,)}),
        (MaxPool("p", 3), (1, 9, 9), {}),
        (ReLU("r"), (1, 28, 28), {}),
        (Flatten("f"), (784,), {}),
    ],
    ids=repr,
)
def test_a_layer_has_the_shape_that_its_definition_gives(
    layer: Conv, shape: tuple[int, ...], parameters: dict[str, tuple[int, ...]]
) -> None:
    (row,) = Architecture("one", "", (layer,)).table()
    assert (row.output_shape, row.parameter_shapes) == (shape, parameters)


def test_a_dense_layer_without_bias_has_weights_alone() -> None:
    *_, row = Architecture("two", "", (Flatten("f"), Dense("d", 5, bias=False))).table()
    assert (row.output_shape, row.parameter_shapes, row.parameters) == ((5,), {"weight": (5, 784)}, 3920)


def test_batch_norm_of_units_needs_two_images_and_that_of_channels_one() -> None:
    assert {name: each.smallest_batch for name, each in ARCHITECTURES.items()} == {
        "cnn-bn": 1, "cnn": 1, "cnn-strided": 2
    }  # fmt: skip


class TestInitialState:
    @pytest.mark.parametrize("scheme", ["torch", "keras"])
    @pytest.mark.parametrize("name", ARCHITECTURES)
    def test_it_has_every_array_that_a_network_has(self, name: str, scheme: str) -> None:
        state = initial_state(ARCHITECTURES[name], seed=0, scheme=scheme)
        shapes = expected_shapes(ARCHITECTURES[name], "sgd")
        del shapes["optimizer.step"]
        assert {array: values.shape for array, values in state.items()} == shapes
        assert all(values.dtype == np.float32 for values in state.values())

    def test_the_seed_decides_it(self) -> None:
        first, again, other = (initial_state(ARCHITECTURES["cnn"], seed, "torch") for seed in (5, 5, 6))
        for name, values in first.items():
            assert values.tobytes() == again[name].tobytes() != other[name].tobytes()

    def test_it_is_the_same_on_every_machine(self) -> None:
        """Runs of one seed can be compared, whatever version made them."""
        weights = initial_state(ARCHITECTURES["cnn"], seed=0, scheme="torch")["conv1.weight"]
        assert weights.ravel()[:4] == pytest.approx([0.09130779, -0.1534755, -0.3060176, -0.3223149], rel=1e-6)

    @pytest.mark.parametrize(("layer", "fan_in"), [("conv", 25), ("dense", 256 * 16)])
    def test_torch_draws_weights_and_biases_within_one_over_the_root_of_the_inputs(
        self, layer: str, fan_in: int
    ) -> None:
        state = initial_state(WIDE, seed=0, scheme="torch")
        assert_uniform(state[f"{layer}.weight"], 1 / math.sqrt(fan_in))
        assert_uniform(state[f"{layer}.bias"], 1 / math.sqrt(fan_in))

    @pytest.mark.parametrize(("layer", "fans"), [("conv", 25 + 256 * 25), ("dense", 256 * 16 + 300)])
    def test_keras_draws_weights_within_glorot_s_bound_and_no_biases(self, layer: str, fans: int) -> None:
        state = initial_state(WIDE, seed=0, scheme="keras")
        assert_uniform(state[f"{layer}.weight"], math.sqrt(6 / fans))
        assert (state[f"{layer}.bias"] == 0).all()

    @pytest.mark.parametrize("scheme", ["torch", "keras"])
    def test_batch_norm_starts_as_the_identity(self, scheme: str) -> None:
        state = initial_state(ARCHITECTURES["cnn-bn"], seed=0, scheme=scheme)
        for name, value in (("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1)):
            assert (state[f"norm1.{name}"] == value).all()


def assert_uniform(values: np.ndarray, bound: float) -> None:
    """The values spread evenly from −bound to bound, as far as so many of them can tell (4 standard errors)."""
    tolerance = 4 / math.sqrt(values.size)
    assert np.abs(values).max() <= bound * (1 + 1e-6)
    assert np.abs(values).max() >= bound * (1 - 10 / values.size)
    assert abs(values.mean()) <= tolerance * bound / math.sqrt(3)
    assert values.std() == pytest.approx(bound / math.sqrt(3), rel=tolerance)
    assert np.mean(values < bound / 2) == pytest.approx(0.75, abs=tolerance)
