"""The contract between the engine and a framework.

A Backend lists its devices and builds a Learner. A Learner holds one network, its optimizer and the training
images on one device, and takes whole runs of steps at a time, so that a backend can keep the device busy without
returning to Python in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np

    from engine.config import TrainConfig
    from engine.models import State


Kernels = Literal["framework", "fused"]
"""Whose code computes a training step: the framework's own layers, or ours, which fuse several of them into one
(engine.pooling). A speed measured with fused kernels says nothing about the framework's layers."""


@dataclass(frozen=True)
class Device:
    """A device as one backend sees it. `memory_bytes` is None where it cannot be told."""

    id: str
    name: str
    memory_bytes: int | None = None


class StepResults(NamedTuple):
    """What a run of steps gave: `loss` float32 [steps], mean over each batch; `correct` int64 [steps], images.

    `warning` is what the user should know of how they were taken; it comes once.
    """

    loss: np.ndarray
    correct: np.ndarray
    warning: str = ""


class Learner(Protocol):
    """A network in training on one device.

    Attributes:
        device: the device really used.
    """

    device: Device

    @property
    def kernels(self) -> Kernels:
        """Whose code computes the training steps: `fused` where ours computes at least the first convolution."""

    def train_steps(
        self, batches: np.ndarray, learning_rates: np.ndarray, transforms: np.ndarray | None = None
    ) -> StepResults:
        """Take one optimizer step per row of `batches` and return each step's loss and correct answers.

        `batches`: int64 [steps, batch], indices into the training images. `learning_rates`: float64 [steps].
        `transforms`: float32 [steps, batch, 2, 3], for each image the affine map from a pixel (x, y, 1) of the
        augmented image to the place (x, y) in the original that it shows, or None for no augmentation.
        """

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return the logits, float32 [n, 10], of uint8 images [n, 28, 28] in evaluation mode."""

    def state(self) -> State:
        """Return weights, batch norm statistics and optimizer state in the canonical layout.

        Weights are named `<layer>.<parameter>` (see engine.models). The optimizer's are `optimizer.step` (int64,
        no axes) and, as far as the optimizer has them, `optimizer.first_moment.<weight>`,
        `optimizer.second_moment.<weight>` and `optimizer.velocity.<weight>`.
        """

    def load_state(self, state: State) -> None:
        """Take over weights, statistics and optimizer state from `state`; names and shapes fit (see checkpoint)."""


class Backend(Protocol):
    """A framework."""

    name: str
    version: str

    def devices(self) -> list[Device]:
        """Return what this framework can train on here, the CPU first."""

    def learner(self, config: TrainConfig, images: np.ndarray, labels: np.ndarray) -> Learner:
        """Build a network with its initial weights on `config.device` and put the training set beside it.

        `images`: uint8 [n, 28, 28]. `labels`: int64 [n]. Raises DeviceError when the device is not there.
        """


def cpu_name() -> str:
    """Return the processor's name as its maker gives it, with the number of cores that may be used."""
    import platform
    from pathlib import Path

    from engine.cores import usable_cores

    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cores = usable_cores()
    plural = "" if cores == 1 else "s"
    return f"{names[0] if names else platform.processor() or platform.machine()} · {cores} core{plural}"


def pick_device(wanted: str, devices: list[Device], framework: str) -> Device:
    """Return the device that the setting `wanted` names: itself, or the best one for auto.

    Raises DeviceError, which lists the devices there are, when `framework` does not see it.
    """
    from engine.errors import DeviceError

    if wanted == "auto":
        return devices[-1] if devices[-1].id == "mps" else next((d for d in devices if d.id != "cpu"), devices[0])
    canonical = "cuda:0" if wanted == "cuda" else wanted
    for device in devices:
        if device.id == canonical:
            return device
    seen = ", ".join(device.id for device in devices)
    raise DeviceError(
        "Device not available",
        f"{framework} sees no device {canonical} here; it sees: {seen}.",
        "Use --device auto, or one of those listed by: mnist-tui devices",
    )
