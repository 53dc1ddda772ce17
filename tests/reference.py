"""The networks of engine.models in plain NumPy: what every backend must agree with, and a light stand-in for one.

In float64 it is the reference; in float32 a checkpoint keeps all of its state, so that resuming is exact.
Sources: Ioffe and Szegedy, 2015 (batch norm); Kingma and Ba, 2015 (Adam); Sutskever et al., 2013 (momentum);
Loshchilov and Hutter, 2019 (AdamW).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from engine import models
from engine.augmentation import warp
from engine.backends.base import Device, Kernels, StepResults, pick_device
from engine.config import TrainConfig
from engine.conventions import conventions_of
from engine.forward import convolve, over_channels, parameters_of, patches, pool_windows
from engine.models import ARCHITECTURES, initial_state

State = dict[str, np.ndarray]

CPU = Device("cpu", "NumPy")
OPTIMIZER_SLOTS = {
    "sgd": (),
    "momentum": ("velocity",),
    "nesterov": ("velocity",),
    "adam": ("first_moment", "second_moment"),
    "adamw": ("first_moment", "second_moment"),
}
NORMALISATION = {"unit": (0.0, 1.0), "symmetric": (0.5, 0.5), "standard": (0.1307, 0.3081)}
BETA1, BETA2 = 0.9, 0.999

# From the gradient of a layer's output to those of its input and of its parameters.
Backward = Callable[[np.ndarray], tuple[np.ndarray, State]]


@dataclass
class ReferenceBackend:
    """See engine.backends.base.Backend. `name` is the backend that it stands for."""

    name: str = "torch"
    dtype: type[np.floating] = np.float64
    version: str = np.__version__

    def devices(self) -> list[Device]:
        return [CPU]

    def learner(self, config: TrainConfig, images: np.ndarray, labels: np.ndarray) -> ReferenceLearner:
        device = pick_device(config.device, self.devices(), "NumPy")
        return ReferenceLearner(config, images, labels, device, self.dtype)


class ReferenceLearner:
    """See engine.backends.base.Learner.

    Attributes:
        weights: weights and batch norm statistics by name, in full precision.
    """

    def __init__(
        self,
        config: TrainConfig,
        images: np.ndarray,
        labels: np.ndarray,
        device: Device = CPU,
        dtype: type[np.floating] = np.float64,
    ) -> None:
        self.device = device
        self._config = config
        self._conventions = conventions_of(config)
        self._images, self._labels, self._dtype = images, labels, dtype
        self._step = 0
        initial = initial_state(ARCHITECTURES[config.model], config.seed, self._conventions.initialisation)
        self.weights = {name: values.astype(dtype) for name, values in initial.items()}
        self._slots = {
            f"optimizer.{slot}.{name}": np.zeros_like(values)
            for slot in OPTIMIZER_SLOTS[config.optimizer]
            for name, values in self.weights.items()
            if "running_" not in name
        }

    @property
    def kernels(self) -> Kernels:
        return "framework"

    def train_steps(
        self, batches: np.ndarray, learning_rates: np.ndarray, transforms: np.ndarray | None = None
    ) -> StepResults:
        losses, corrects = [], []
        for number, indices in enumerate(batches):
            images = self._prepare(self._images[indices])
            if transforms is not None:
                images = warp(images, transforms[number], self._prepare(np.zeros(1, np.uint8)))
            loss, correct = self._take_step(images, self._labels[indices], learning_rates[number])
            losses.append(loss)
            corrects.append(correct)
        return StepResults(np.array(losses, np.float32), np.array(corrects, np.int64))

    def predict(self, images: np.ndarray) -> np.ndarray:
        logits = [self._forward(self._prepare(batch), training=False)[0] for batch in _slices(images, 500)]
        return np.concatenate(logits).astype(np.float32)

    def state(self) -> State:
        arrays = {name: values.astype(np.float32) for name, values in (self.weights | self._slots).items()}
        return arrays | {"optimizer.step": np.array(self._step, np.int64)}

    def load_state(self, state: State) -> None:
        self._step = int(state.get("optimizer.step", 0))
        for name in self.weights:
            self.weights[name] = state[name].astype(self._dtype)
        for name, values in self._slots.items():
            self._slots[name] = state.get(name, np.zeros_like(values)).astype(self._dtype)

    def loss(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Return the training loss of uint8 `images` [n, 28, 28], in training mode; changes nothing."""
        logits, _, _ = self._forward(self._prepare(images), training=True)
        return self._cross_entropy(logits, labels)[0]

    def gradients(self, images: np.ndarray, labels: np.ndarray) -> State:
        """Return the derivatives of `loss` by every trained weight, without weight decay; changes nothing."""
        logits, backwards, _ = self._forward(self._prepare(images), training=True)
        return self._backward(backwards, self._cross_entropy(logits, labels)[1])

    def _take_step(self, images: np.ndarray, labels: np.ndarray, rate: float) -> tuple[float, int]:
        with np.errstate(all="ignore"):  # A run that diverges overflows.
            logits, backwards, statistics = self._forward(images, training=True)
            loss, logits_gradient = self._cross_entropy(logits, labels)
            gradients = self._backward(backwards, logits_gradient)
            self._step += 1
            for name, gradient in gradients.items():
                self.weights[name] = self._updated(name, gradient, rate).astype(self._dtype)
            for name, batch_value in statistics.items():
                share = self._conventions.batch_norm_momentum
                self.weights[name] = ((1 - share) * self.weights[name] + share * batch_value).astype(self._dtype)
        return loss, int((logits.argmax(axis=1) == labels).sum())

    def _updated(self, name: str, gradient: np.ndarray, rate: float) -> np.ndarray:
        """Return the weight called `name` after one step of the optimizer along `gradient`."""
        weight, config = self.weights[name], self._config
        if config.optimizer == "adamw":
            weight = weight - rate * config.weight_decay * weight
        else:
            gradient = gradient + config.weight_decay * weight
        match config.optimizer:
            case "sgd":
                return weight - rate * gradient
            case "momentum":
                return weight - rate * self._accumulate("velocity", name, config.momentum, gradient)
            case "nesterov":
                velocity = self._accumulate("velocity", name, config.momentum, gradient)
                return weight - rate * (gradient + config.momentum * velocity)
        first = self._accumulate("first_moment", name, BETA1, (1 - BETA1) * gradient)
        second = self._accumulate("second_moment", name, BETA2, (1 - BETA2) * gradient**2)
        correction1, correction2 = 1 - BETA1**self._step, 1 - BETA2**self._step
        epsilon = self._conventions.adam_epsilon
        if self._conventions.adam_epsilon_corrected:
            return weight - rate * (first / correction1) / (np.sqrt(second / correction2) + epsilon)
        return weight - rate * np.sqrt(correction2) / correction1 * first / (np.sqrt(second) + epsilon)

    def _accumulate(self, slot: str, name: str, decay: float, addition: np.ndarray) -> np.ndarray:
        key = f"optimizer.{slot}.{name}"
        self._slots[key] = (decay * self._slots[key] + addition).astype(self._dtype)
        return self._slots[key]

    def _forward(self, images: np.ndarray, training: bool) -> tuple[np.ndarray, list[Backward], State]:
        """Return the logits of `images` [n, 1, 28, 28], each layer's way back, and what batch norm has to remember."""
        backwards: list[Backward] = []
        statistics: State = {}
        values = images
        for layer in ARCHITECTURES[self._config.model].layers:
            parameters = parameters_of(layer, self.weights)
            if isinstance(layer, models.BatchNorm) and training:
                statistics |= self._batch_statistics(layer.name, values)
            values, backward = self._apply(layer, values, parameters, training)
            backwards.append(_named(backward, layer.name))
        return values, backwards, statistics

    def _apply(
        self, layer: models.Layer, values: np.ndarray, parameters: State, training: bool
    ) -> tuple[np.ndarray, Backward]:
        match layer:
            case models.Conv():
                return _convolve(layer, values, parameters)
            case models.BatchNorm():
                return _batch_norm(values, parameters, self._conventions.batch_norm_epsilon, training)
            case models.ReLU():
                return np.maximum(values, 0), lambda gradient: (gradient * (values > 0), {})
            case models.MaxPool(size=size):
                return _max_pool(values, size)
            case models.Flatten():
                return values.reshape(len(values), -1), lambda gradient: (gradient.reshape(values.shape), {})
            case models.Dense():
                return _dense(values, parameters)

    def _batch_statistics(self, name: str, values: np.ndarray) -> State:
        count = values.size // values.shape[1]
        axes = _all_but_channels(values)
        divisor = count - 1 if self._conventions.batch_norm_unbiased else count
        mean, variance = values.mean(axis=axes), values.var(axis=axes) * count / divisor
        return {f"{name}.running_mean": mean, f"{name}.running_var": variance}

    def _backward(self, backwards: list[Backward], gradient: np.ndarray) -> State:
        gradients: State = {}
        for backward in reversed(backwards):
            gradient, of_parameters = backward(gradient)
            gradients |= of_parameters
        return gradients

    def _cross_entropy(self, logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the mean cross entropy with smoothed labels, and its gradient by the logits."""
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        smoothing = self._config.label_smoothing
        targets = (1 - smoothing) * np.eye(models.CLASSES, dtype=self._dtype)[labels] + smoothing / models.CLASSES
        loss = -(targets * log_probabilities).sum(axis=1).mean()
        return float(loss), ((np.exp(log_probabilities) - targets) / len(labels)).astype(self._dtype)

    def _prepare(self, images: np.ndarray) -> np.ndarray:
        offset, scale = NORMALISATION[self._config.normalisation]
        pixels = (images.astype(np.float64) / 255 - offset) / scale
        return pixels[:, np.newaxis].astype(self._dtype) if images.ndim == 3 else pixels.astype(self._dtype)


def _convolve(layer: models.Conv, images: np.ndarray, parameters: State) -> tuple[np.ndarray, Backward]:
    kernel, stride, padding = layer.kernel, layer.stride, layer.padding
    seen = patches(layer, images)
    count, height, width, _ = seen.shape
    matrix = parameters["weight"].reshape(layer.filters, -1)

    def backward(gradient: np.ndarray) -> tuple[np.ndarray, State]:
        flat_gradient = gradient.transpose(0, 2, 3, 1).reshape(-1, layer.filters)
        of_weight = (flat_gradient.T @ seen.reshape(len(flat_gradient), -1)).reshape(parameters["weight"].shape)
        of_bias = {"bias": flat_gradient.sum(axis=0)} if layer.bias else {}
        of_patches = (flat_gradient @ matrix).reshape(count, height, width, -1, kernel, kernel)
        of_padded = np.pad(np.zeros_like(images), [(0, 0), (0, 0), (padding, padding), (padding, padding)])
        for row in range(kernel):
            for column in range(kernel):
                rows = slice(row, row + stride * height, stride)
                columns = slice(column, column + stride * width, stride)
                of_padded[:, :, rows, columns] += of_patches[..., row, column].transpose(0, 3, 1, 2)
        inside = slice(padding, -padding or None)
        return of_padded[:, :, inside, inside], {"weight": of_weight} | of_bias

    return convolve(layer, seen, parameters), backward


def _batch_norm(values: np.ndarray, parameters: State, epsilon: float, training: bool) -> tuple[np.ndarray, Backward]:
    axes = _all_but_channels(values)
    mean, variance = parameters["running_mean"], parameters["running_var"]
    if training:
        mean, variance = values.mean(axis=axes), values.var(axis=axes)

    deviation = over_channels(np.sqrt(variance + epsilon), values)
    normalised = (values - over_channels(mean, values)) / deviation

    def backward(gradient: np.ndarray) -> tuple[np.ndarray, State]:
        of_weight, of_bias = (gradient * normalised).sum(axis=axes), gradient.sum(axis=axes)
        count = values.size // values.shape[1]
        spread = normalised * over_channels(of_weight / count, values)
        centred = gradient - over_channels(of_bias / count, values) - spread
        scale = over_channels(parameters["weight"], values) / deviation
        return scale * centred, {"weight": of_weight, "bias": of_bias}

    scale, offset = (over_channels(parameters[name], values) for name in ("weight", "bias"))
    return scale * normalised + offset, backward


def _max_pool(images: np.ndarray, size: int) -> tuple[np.ndarray, Backward]:
    blocks = pool_windows(images, size)
    count, channels, rows, columns, _ = blocks.shape
    chosen = blocks.argmax(axis=-1)[..., np.newaxis]

    def backward(gradient: np.ndarray) -> tuple[np.ndarray, State]:
        of_blocks = np.zeros_like(blocks)
        np.put_along_axis(of_blocks, chosen, gradient[..., np.newaxis], axis=-1)
        of_blocks = of_blocks.reshape(count, channels, rows, columns, size, size).transpose(0, 1, 2, 4, 3, 5)
        of_images = np.zeros_like(images)
        of_images[:, :, : rows * size, : columns * size] = of_blocks.reshape(
            count, channels, rows * size, columns * size
        )
        return of_images, {}

    return np.take_along_axis(blocks, chosen, axis=-1)[..., 0], backward


def _dense(values: np.ndarray, parameters: State) -> tuple[np.ndarray, Backward]:
    def backward(gradient: np.ndarray) -> tuple[np.ndarray, State]:
        of_bias = {"bias": gradient.sum(axis=0)} if "bias" in parameters else {}
        return gradient @ parameters["weight"], {"weight": gradient.T @ values} | of_bias

    return values @ parameters["weight"].T + parameters.get("bias", 0), backward


def _named(backward: Backward, layer: str) -> Backward:
    """Give the parameters in what `backward` returns their full names."""

    def named(gradient: np.ndarray) -> tuple[np.ndarray, State]:
        of_input, of_parameters = backward(gradient)
        return of_input, {f"{layer}.{parameter}": values for parameter, values in of_parameters.items()}

    return named


def _all_but_channels(values: np.ndarray) -> tuple[int, ...]:
    """Return the axes of images [n, c, h, w] or units [n, c] over which batch norm takes its statistics."""
    return (0, *range(2, values.ndim))


def _slices(values: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (values[start : start + size] for start in range(0, len(values), size))
