"""`python -m engine.bench_worker BACKEND DEVICE SECONDS`: the process that measures one framework on one device.

It trains on made-up digits and prints its measurements as one line of JSON.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from engine.backends import load_backend
from engine.bench import RECIPES, Measurement
from engine.config import TrainConfig
from engine.errors import EngineError, TrainingError
from engine.memory import peak_memory_bytes
from engine.models import ARCHITECTURES
from engine.postmortem import explained

if TYPE_CHECKING:
    import numpy as np

    from engine.backends.base import Learner

IMAGES = 60_000
"""As many as MNIST has to train, so that memory is what a run takes."""
SECONDS_PER_CALL = 0.1
"""How much the trainer asks for at once, too: what fits between two of its events."""


def measure_here(backend: str, device: str, seconds: float) -> list[Measurement]:
    """Train each recipe for about `seconds` in this process; where one fails, the last measurement tells why."""
    import numpy as np
    import psutil

    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (IMAGES, 28, 28), dtype=np.uint8)
    labels = generator.integers(0, 10, IMAGES)
    began = psutil.Process().create_time()
    found: list[Measurement] = []
    try:
        for recipe in RECIPES:
            config = TrainConfig.preset(recipe, backend=backend, device=device)
            found.append(_measure_recipe(config, images, labels, seconds, began))
            began = time.time()
    except EngineError as error:
        found.append(Measurement(backend=backend, device=device, error=error.message, hint=error.hint))
    except Exception as error:
        reason = explained(error)
        found.append(Measurement(backend=backend, device=device, error=reason.message, hint=reason.hint))
    return found


def _measure_recipe(
    config: TrainConfig, images: np.ndarray, labels: np.ndarray, seconds: float, began: float
) -> Measurement:
    learner = load_backend(config.backend).learner(config, images, labels)
    batches = Batches(config)
    first = batches.timed(learner, 1)
    first_step_seconds = time.time() - began
    second = batches.timed(learner, 1)
    batches.warm_up(learner, seconds / 5)
    steps = steps_per_second(learner, batches, seconds)
    weights_on, gpu_memory = _WITNESSES[config.backend](learner.device.id)
    return Measurement(
        backend=config.backend,
        device=config.device,
        device_name=learner.device.name,
        preset=config.preset_name,
        model=config.model,
        parameters=ARCHITECTURES[config.model].parameters,
        batch_size=config.batch_size,
        kernels=learner.kernels,
        images_per_second=steps * config.batch_size,
        first_step_seconds=first_step_seconds,
        build_seconds=max(0.0, first - second),
        memory_bytes=peak_memory_bytes(),
        gpu_memory_bytes=gpu_memory,
        weights_on=weights_on,
        warning=batches.warning,
    )


def steps_per_second(learner: Learner, batches: Batches, seconds: float) -> float:
    """Train for about `seconds` and return the speed. Raises TrainingError if the weights are what they were before."""
    before = learner.state()
    done, began = 0, time.perf_counter()
    while not done or time.perf_counter() - began < seconds:
        done += batches.train(learner)
    speed = done / (time.perf_counter() - began)
    after = learner.state()
    if all((after[name] == before[name]).all() for name in before if is_trained(name)):
        raise TrainingError(
            "Nothing was trained",
            f"{done:,} steps changed no weight: the device was given nothing to do, and its speed means nothing.",
            "Please report this with the versions of the framework and of the GPU's driver.",
        )
    return speed


def is_trained(name: str) -> bool:
    """Return whether `name` in a learner's state is a weight, which the optimizer changes."""
    return not name.startswith("optimizer.") and "running_" not in name


class Batches:
    """Hands a learner the batches of one epoch of made-up images, again and again."""

    def __init__(self, config: TrainConfig) -> None:
        import numpy as np

        from engine.augmentation import draw_transforms

        size = config.batch_size
        self._rows = IMAGES // size
        order = np.random.default_rng(1).permutation(IMAGES)[: self._rows * size]
        self._batches = order.reshape(self._rows, size)
        transforms = draw_transforms(config, 1, len(order))
        self._transforms = None if transforms is None else transforms.reshape(self._rows, size, 2, 3)
        self._rates = np.full(self._rows, config.learning_rate)
        self._steps = 1
        self.warning = ""
        """What the learner said of how it takes its steps."""

    def timed(self, learner: Learner, steps: int) -> float:
        """Return the seconds that a call with so many steps takes, at most an epoch's."""
        transforms = None if self._transforms is None else self._transforms[:steps]
        began = time.perf_counter()
        results = learner.train_steps(self._batches[:steps], self._rates[:steps], transforms)
        self.warning = self.warning or results.warning
        return time.perf_counter() - began

    def warm_up(self, learner: Learner, seconds: float) -> None:
        """Train for about `seconds`, to find how many steps to take at once."""
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            elapsed = self.timed(learner, self._steps)
            wanted = int(self._steps * SECONDS_PER_CALL / max(elapsed, 1e-6))
            self._steps = max(1, min(wanted, 4 * self._steps, self._rows))

    def train(self, learner: Learner) -> int:
        """Train as long as the trainer asks for at once; return the number of steps."""
        self.timed(learner, self._steps)
        return self._steps


def _torch_witness(device: str) -> tuple[tuple[str, ...], int | None]:
    """Return where the weights that PyTorch trains in this process are, and the most GPU memory it has held."""
    import gc

    import torch

    kinds = (torch.Tensor, torch.nn.Parameter)
    found = {str(one.device) for one in gc.get_objects() if type(one) in kinds and one.requires_grad and one.is_leaf}
    memory = torch.cuda.max_memory_allocated(device) if device.startswith("cuda") else None
    return tuple(sorted("mps" if place == "mps:0" else place for place in found)), memory


def _tensorflow_witness(device: str) -> tuple[tuple[str, ...], int | None]:
    """The same of TensorFlow, whose own names look like `/job:localhost/replica:0/task:0/device:GPU:0`."""
    import gc

    import tensorflow as tf

    found = {one.device for one in gc.get_objects() if issubclass(type(one), tf.Variable) and one.trainable}
    gpus = [gpu.name.rpartition(":")[2] for gpu in tf.config.get_visible_devices("GPU")]
    names = {_device_id(place.rpartition("device:")[2], gpus) for place in found}
    memory = tf.config.experimental.get_memory_info("GPU:0")["peak"] if device.startswith("cuda") else None
    return tuple(sorted(names)), memory


def _device_id(name: str, gpus: Sequence[str]) -> str:
    """Return our name for TensorFlow's: `GPU:0` is the first of the GPUs that it was let see, of these numbers."""
    kind, _, number = name.partition(":")
    return f"cuda:{gpus[int(number)]}" if kind == "GPU" else kind.lower()


_WITNESSES: dict[str, Callable[[str], tuple[tuple[str, ...], int | None]]] = {
    "torch": _torch_witness,
    "tensorflow": _tensorflow_witness,
}


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(measure_here(sys.argv[1], sys.argv[2], float(sys.argv[3]))) + b"\n")
