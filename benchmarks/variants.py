"""Other ways to compute a step than the backends', in turns with theirs: bfloat16, channels last, XLA.

`python -m benchmarks.variants [--device auto] [--models cnn-bn cnn cnn-strided] [--rounds 5] [--steps 300]`. Within a
framework all variants train in one process, one after the other in each round, so that a drift of the machine's speed
meets all of them; a figure is how many times as fast as the backend's own step, by rounds. What wins on a device by
more than its spread belongs into the backend. On the CPU PyTorch's variants compute layer by layer, so the baseline
does too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.terminal import load, spread
from engine.backends import load_backend
from engine.config import TrainConfig

if TYPE_CHECKING:
    from engine.backends.base import Learner

Change = Callable[[Any], None]
"""Makes a variant of the backend's learner."""


def main() -> None:
    """Measure each framework in a process of its own, and print a line a variant."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--models", nargs="+", default=["cnn-bn", "cnn", "cnn-strided"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--backend", choices=VARIANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.backend:
        for model in options.models:
            measure(options.backend, model, options)
        return
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ}
    for backend in VARIANTS:
        command = [sys.executable, "-m", "benchmarks.variants", *sys.argv[1:], "--backend", backend]
        subprocess.run(command, check=True, env=quiet)


def measure(backend: str, model: str, options: argparse.Namespace) -> None:
    """Train `model` with each variant of `backend` in turns, and print how their speeds compare."""
    config = TrainConfig(
        backend=backend, model=model, device=options.device, batch_size=options.batch, learning_rate=0.001
    )
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (6000, 28, 28), np.uint8)
    labels = generator.integers(0, 10, 6000)
    learners: dict[str, Learner] = {}
    for name, change in VARIANTS[backend].items():
        learners[name] = load_backend(backend).learner(config, images, labels)
        change(learners[name])
        images_per_second(learners[name], options)  # traced, compiled, captured
    speeds: dict[str, list[float]] = {name: [] for name in learners}
    for _ in range(options.rounds):
        for name, learner in learners.items():
            speeds[name].append(images_per_second(learner, options))
    plain = speeds["as it is"]
    print(f"{backend}, {model}, batch {options.batch}, {learners['as it is'].device.id}; {load()}")
    for name, figures in speeds.items():
        ratios = [figure / other for figure, other in zip(figures, plain, strict=True)]
        kernels = learners[name].kernels
        print(f"  {name:24} {kernels:9} {spread(figures, 0):>30} images/s   {spread(ratios)} × as fast", flush=True)


def images_per_second(learner: Learner, options: argparse.Namespace) -> float:
    """Return how fast `learner` takes so many steps."""
    batches = np.random.default_rng(1).integers(0, 6000, (options.steps, options.batch))
    began = time.perf_counter()
    learner.train_steps(batches, np.full(options.steps, 0.001))
    return batches.size / (time.perf_counter() - began)


def as_it_is(learner: Any) -> None:
    """Leave the backend's step, but on the CPU layer by layer for PyTorch."""
    learner._blocks = ()


def channels_last(learner: Any) -> None:
    """Keep PyTorch's images and weights with the channels innermost."""
    import torch

    as_it_is(learner)
    learner._network.to(memory_format=torch.channels_last)
    before = learner._batch
    learner._batch = lambda indices: before(indices).contiguous(memory_format=torch.channels_last)


def bfloat16(learner: Any) -> None:
    """Compute PyTorch's layers in bfloat16 where autocast does, the loss and the update in float32."""
    import torch

    as_it_is(learner)
    forward = torch.autocast(learner._torch_device.type, torch.bfloat16, cache_enabled=False)(learner._network.forward)
    learner._network.forward = lambda images: forward(images).float()


def both(learner: Any) -> None:
    """Do both."""
    channels_last(learner)
    bfloat16(learner)


def unchanged(learner: Any) -> None:
    """Leave TensorFlow's step."""


def xla(learner: Any) -> None:
    """Have TensorFlow's steps compiled by XLA."""
    import tensorflow as tf

    trace = learner._trace

    def compiled(*key: Any) -> Any:
        graph = trace(*key)
        return tf.function(
            graph.python_function, input_signature=graph.input_signature, autograph=False, jit_compile=True
        )

    learner._trace = compiled


VARIANTS: dict[str, dict[str, Change]] = {
    "torch": {
        "as it is": as_it_is, "channels last": channels_last, "bfloat16": bfloat16, "both": both,
    },
    "tensorflow": {"as it is": unchanged, "XLA": xla},
}  # fmt: skip


if __name__ == "__main__":
    main()
