"""TensorFlow: builds the networks of engine.models from tf.nn and trains them many steps to one graph call."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from engine import models
from engine.augmentation import whole_pixel_shifts
from engine.backends.base import Device, Kernels, StepResults, cpu_name, pick_device
from engine.backends.tensorflow_augmentation import shift, warp
from engine.backends.tensorflow_layout import to_canonical, to_native
from engine.backends.tensorflow_pooled import PooledConvolution
from engine.config import TrainConfig
from engine.conventions import conventions_of
from engine.errors import BackendError
from engine.models import ARCHITECTURES
from engine.optimization import BETAS, SLOTS, adam_step_sizes
from engine.pixels import normalise
from engine.pooling import PLACES, default_threads, pooled_blocks

if TYPE_CHECKING:
    from engine.models import State

PREDICT_BATCH = 1000


class TensorFlowBackend:
    """See engine.backends.base.Backend."""

    name = "tensorflow"
    version = tf.__version__

    def __init__(self) -> None:
        for gpu in tf.config.list_physical_devices("GPU"):
            # Before anything else: otherwise TensorFlow takes all of the device's memory.
            tf.config.experimental.set_memory_growth(gpu, True)

    def devices(self) -> list[Device]:
        """Return the CPU, then each GPU."""
        found = [Device("cpu", cpu_name())]
        for number, gpu in enumerate(tf.config.list_physical_devices("GPU")):
            details = tf.config.experimental.get_device_details(gpu)
            found.append(Device(f"cuda:{number}", details.get("device_name", gpu.name)))
        return found

    def learner(self, config: TrainConfig, images: np.ndarray, labels: np.ndarray) -> TensorFlowLearner:
        """Build the network with its initial weights and put the training set on the device."""
        device = pick_device(config.device, self.devices(), "TensorFlow")
        _use_threads(config)
        if config.deterministic:
            tf.config.experimental.enable_op_determinism()
        return TensorFlowLearner(config, device, images, labels)


class TensorFlowLearner:
    """See engine.backends.base.Learner."""

    def __init__(self, config: TrainConfig, device: Device, images: np.ndarray, labels: np.ndarray) -> None:
        self.device = device
        self._config = config
        self._conventions = conventions_of(config)
        self._architecture = ARCHITECTURES[config.model]
        self._placement = _see_only(device)
        self._step = 0
        self._graphs: dict[tuple[int, str], Callable[..., Any]] = {}
        with tf.device(self._placement):
            initial = models.initial_state(self._architecture, config.seed, self._conventions.initialisation)
            self._weights = {
                name: tf.Variable(to_native(self._architecture, name, values)) for name, values in initial.items()
            }
            self._trained = [name for name in self._weights if "running_" not in name]
            self._slots = {
                f"optimizer.{slot}.{name}": tf.Variable(tf.zeros_like(self._weights[name]))
                for slot in SLOTS[config.optimizer]
                for name in self._trained
            }
            self._blocks = [
                (block, PooledConvolution(block, self._conventions.batch_norm_epsilon))
                for block in (pooled_blocks(self._architecture) if device.id == "cpu" else ())
            ]
            # As numbers on a GPU, too: TensorFlow has no kernel there that gathers bytes.
            self._images = tf.constant(self._prepare(images))
            self._labels = tf.constant(labels)
            self._predict = tf.function(
                lambda images: self._network(images, training=False)[0],
                autograph=False,
                input_signature=[tf.TensorSpec([None, 28, 28, 1], tf.float32)],
            )

    @property
    def kernels(self) -> Kernels:
        """Whose code computes the training steps."""
        return "fused" if self._blocks else "framework"

    def train_steps(
        self, batches: np.ndarray, learning_rates: np.ndarray, transforms: np.ndarray | None = None
    ) -> StepResults:
        """Take one optimizer step per row of `batches`, all of them in one call of a graph."""
        shifts = None if transforms is None else whole_pixel_shifts(transforms)
        key = batches.shape[1], "none" if transforms is None else "warp" if shifts is None else "shift"
        if key not in self._graphs:
            self._graphs[key] = self._trace(*key)
        first = self._step + 1
        sizes, epsilons = adam_step_sizes(learning_rates, first, self._conventions)
        arguments = [batches, np.float32(learning_rates), sizes, epsilons]
        if transforms is not None:
            arguments.append(transforms if shifts is None else shifts)
        with tf.device(self._placement):
            losses, correct = self._graphs[key](*[tf.constant(argument) for argument in arguments])
        self._step += len(batches)
        return StepResults(losses.numpy(), correct.numpy())

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return the logits, float32 [n, 10], of uint8 images [n, 28, 28] in evaluation mode."""
        batches = (images[start : start + PREDICT_BATCH] for start in range(0, len(images), PREDICT_BATCH))
        with tf.device(self._placement):
            return np.concatenate([self._predict(tf.constant(self._prepare(batch))).numpy() for batch in batches])

    def state(self) -> State:
        """Return copies of the weights, batch norm statistics and optimizer state in the canonical layout."""
        variables = self._weights | self._slots
        state = {name: to_canonical(self._architecture, name, variable.numpy()) for name, variable in variables.items()}
        return state | {"optimizer.step": np.array(self._step, np.int64)}

    def load_state(self, state: State) -> None:
        """Take over `state`; an optimizer state that is not in it starts from zero."""
        self._step = int(state.get("optimizer.step", 0))
        for name, variable in (self._weights | self._slots).items():
            if name in state:
                variable.assign(to_native(self._architecture, name, state[name]))
            elif name in self._slots:
                variable.assign(tf.zeros_like(variable))

    def _trace(self, batch_size: int, augmentation: str) -> Callable[..., Any]:
        """Return a graph that takes any number of steps of `batch_size` images; `augmentation`: none, warp or shift."""
        signature = [tf.TensorSpec([None, batch_size], tf.int64), *[tf.TensorSpec([None], tf.float32)] * 3]
        if augmentation == "warp":
            signature.append(tf.TensorSpec([None, batch_size, 2, 3], tf.float32))
        elif augmentation == "shift":
            signature.append(tf.TensorSpec([None, batch_size, 2], tf.int64))
        change = shift if augmentation == "shift" else warp

        def steps(
            batches: tf.Tensor, rates: tf.Tensor, sizes: tf.Tensor, epsilons: tf.Tensor, *transforms: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor]:
            count = tf.shape(batches)[0]

            def body(
                number: tf.Tensor, losses: tf.TensorArray, corrects: tf.TensorArray
            ) -> tuple[tf.Tensor, tf.TensorArray, tf.TensorArray]:
                images = tf.gather(self._images, batches[number])
                labels = tf.gather(self._labels, batches[number])
                for transform in transforms:
                    images = change(images, transform[number], self._background)
                loss, correct = self._step_once(images, labels, rates[number], sizes[number], epsilons[number])
                return number + 1, losses.write(number, loss), corrects.write(number, correct)

            start = (0, tf.TensorArray(tf.float32, count), tf.TensorArray(tf.int64, count))
            _, losses, corrects = tf.while_loop(lambda number, *_: number < count, body, start, parallel_iterations=1)
            return losses.stack(), corrects.stack()

        return tf.function(steps, input_signature=signature, autograph=False)

    def _step_once(
        self, images: tf.Tensor, labels: tf.Tensor, rate: tf.Tensor, size: tf.Tensor, epsilon: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([self._weights[name] for name in self._trained])
            logits, statistics = self._network(images, training=True)
            loss = tf.reduce_mean(self._cross_entropy(logits, labels))
        gradients = tape.gradient(loss, [self._weights[name] for name in self._trained])
        for name, gradient in zip(self._trained, gradients, strict=True):
            self._update(name, gradient, rate, size, epsilon)
        for name, batch_value in statistics.items():
            running = self._weights[name]
            running.assign_add(self._conventions.batch_norm_momentum * (batch_value - running))
        correct = tf.reduce_sum(tf.cast(tf.argmax(logits, 1) == labels, tf.int64))
        return loss, correct

    def _cross_entropy(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        smoothing = self._config.label_smoothing
        if not smoothing:
            return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        targets = tf.one_hot(labels, models.CLASSES) * (1 - smoothing) + smoothing / models.CLASSES
        return tf.nn.softmax_cross_entropy_with_logits(targets, logits)

    def _update(self, name: str, gradient: tf.Tensor, rate: tf.Tensor, size: tf.Tensor, epsilon: tf.Tensor) -> None:
        weight, decay, optimizer = self._weights[name], self._config.weight_decay, self._config.optimizer
        if decay and optimizer == "adamw":
            weight.assign_sub(rate * decay * weight)
        elif decay:
            gradient += decay * weight
        match optimizer:
            case "adam" | "adamw":
                first, second = (self._slots[f"optimizer.{slot}.{name}"] for slot in SLOTS[optimizer])
                # The bias correction is in `size` and `epsilon` already, hence the zero powers.
                tf.raw_ops.ResourceApplyAdam(
                    var=weight.handle, m=first.handle, v=second.handle, beta1_power=0.0, beta2_power=0.0, lr=size,
                    beta1=BETAS[0], beta2=BETAS[1], epsilon=epsilon, grad=gradient,
                )  # fmt: skip
            case "momentum" | "nesterov":
                velocity = self._slots[f"optimizer.velocity.{name}"]
                tf.raw_ops.ResourceApplyMomentum(
                    var=weight.handle, accum=velocity.handle, lr=rate, grad=gradient, momentum=self._config.momentum,
                    use_nesterov=optimizer == "nesterov",
                )  # fmt: skip
            case "sgd":
                weight.assign_sub(rate * gradient)

    def _network(self, images: tf.Tensor, training: bool) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Return the logits of `images` [n, 28, 28, 1], and in training each batch norm's batch statistics."""
        values = images
        layers = self._architecture.layers
        statistics: dict[str, tf.Tensor] = {}
        if training and self._blocks:
            values, statistics = self._pooled(images)
            layers = layers[sum(block.layers for block, _ in self._blocks) :]
        for layer in layers:
            match layer:
                case models.Conv():
                    values = self._convolve(layer, values)
                case models.BatchNorm(name=name):
                    count = tf.size(values) // values.shape[-1]
                    values, mean, variance = self._batch_norm(name, values, training)
                    if training:
                        statistics |= self._statistics(name, mean, variance, count)
                case models.ReLU():
                    values = tf.nn.relu(values)
                case models.MaxPool(size=size):
                    values = tf.nn.max_pool2d(values, size, size, "VALID")
                case models.Flatten():
                    values = tf.reshape(values, [-1, int(np.prod(values.shape[1:]))])
                case models.Dense(name=name, bias=bias):
                    values = values @ self._weights[f"{name}.weight"]
                    values = values + self._weights[f"{name}.bias"] if bias else values
        return values, statistics

    def _pooled(self, images: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Return the output [n, h, w, c] of the network's pooled blocks, and their batch statistics."""
        count = tf.shape(images)[0]
        values = tf.transpose(tf.reshape(images, [count, -1]))
        statistics: dict[str, tf.Tensor] = {}
        for block, operation in self._blocks:
            weight, bias = (self._weights[f"{block.conv.name}.{part}"] for part in ("weight", "bias"))
            if block.norm is None:
                values = operation(values, weight, bias)
            else:
                name = block.norm.name
                scale, offset = (self._weights[f"{name}.{part}"] for part in ("weight", "bias"))
                values, mean, variance = operation.normalised(values, weight, bias, scale, offset)
                seen = count * PLACES * int(np.prod(block.output_size))
                statistics |= self._statistics(name, mean, variance, seen)
        shape = [block.conv.filters, *block.output_size, count]
        return tf.transpose(tf.reshape(values, shape), [3, 1, 2, 0]), statistics

    def _convolve(self, layer: models.Conv, images: tf.Tensor) -> tf.Tensor:
        is_same = layer.stride == 1 and layer.kernel == 2 * layer.padding + 1
        if layer.padding and not is_same:
            sides = [layer.padding, layer.padding]
            images = tf.pad(images, [[0, 0], sides, sides, [0, 0]])
        padding = "SAME" if is_same else "VALID"
        output = tf.nn.conv2d(images, self._weights[f"{layer.name}.weight"], layer.stride, padding)
        return tf.nn.bias_add(output, self._weights[f"{layer.name}.bias"]) if layer.bias else output

    def _batch_norm(self, name: str, values: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Return `values` [n, h, w, c] or [n, c] normalised, and its mean and biased variance, [c]."""
        scale, offset, mean, variance = (
            self._weights[f"{name}.{parameter}"] for parameter in ("weight", "bias", "running_mean", "running_var")
        )

        def for_each_image(of_channels: tf.Tensor) -> tf.Tensor:
            ones = [1] * (len(values.shape) - 2)
            return tf.broadcast_to(of_channels, [tf.shape(values)[0], *ones, values.shape[-1]])

        # Neither the fused operation nor tf.nn.moments: on the CPU both add 50,000 pixels one after the other in
        # float32, which costs the gradients three digits. Axis by axis, sums stay short, forward and backward.
        if training:
            mean = _channel_means(values)
        centred = values - for_each_image(mean)
        if training:
            variance = _channel_means(tf.square(centred))
        factor = scale * tf.math.rsqrt(variance + self._conventions.batch_norm_epsilon)
        return centred * for_each_image(factor) + for_each_image(offset), mean, variance

    def _statistics(self, name: str, mean: tf.Tensor, variance: tf.Tensor, count: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return what a batch norm is to remember of a batch in which it saw `count` values of each channel."""
        if self._conventions.batch_norm_unbiased:
            variance *= tf.cast(count, tf.float32) / tf.cast(count - 1, tf.float32)
        return {f"{name}.running_mean": mean, f"{name}.running_var": variance}

    def _prepare(self, images: np.ndarray) -> np.ndarray:
        return normalise(images, self._config.normalisation)[..., np.newaxis]

    @property
    def _background(self) -> float:
        return float(normalise(np.zeros(1, np.uint8), self._config.normalisation)[0])


def _see_only(device: Device) -> str:
    """Let TensorFlow see no GPU but `device`, and return the name by which it then knows that: `/GPU:0` or `/CPU:0`.

    Otherwise it would start on every GPU of the machine. What it sees is settled once it computes in this process:
    raises BackendError when it does not see `device` then.
    """
    gpus = tf.config.list_physical_devices("GPU")
    wanted = [gpus[int(device.id.partition(":")[2])]] if device.id.startswith("cuda") else []
    with contextlib.suppress(RuntimeError):  # it computes already
        tf.config.set_visible_devices(wanted, "GPU")
    if not wanted:
        return "/CPU:0"
    visible = tf.config.get_visible_devices("GPU")
    if wanted[0] not in visible:
        message = f"TensorFlow in this process computes on another device and cannot use {device.id} as well."
        raise BackendError("Device is settled", message, "Use one device in each process.")
    return f"/GPU:{visible.index(wanted[0])}"


def _use_threads(config: TrainConfig) -> None:
    """Compute with as many threads as `config` says or fit its network.

    Once TensorFlow computes in this process, that is settled: raises BackendError when `config` says another number.
    """
    count = config.threads or default_threads(ARCHITECTURES[config.model])
    if count == tf.config.threading.get_intra_op_parallelism_threads():
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
    except RuntimeError as error:
        if config.threads:
            raise BackendError(
                "Threads are set already",
                f"TensorFlow in this process computes with other than {count} threads and cannot change that.",
                "Keep one number of threads a process, or leave it 0.",
            ) from error


def _channel_means(values: tf.Tensor) -> tf.Tensor:
    """Return the means, [c], of `values` [n, h, w, c] over columns, then rows, then images; of [n, c] over images."""
    for axis in reversed(range(len(values.shape) - 1)):
        values = tf.reduce_mean(values, axis)
    return values


BACKEND = TensorFlowBackend()
