"""What would end a run at its start, found before the run is created: framework, device, and settings that do not fit.

No framework is imported: that takes seconds. What only a framework can tell still ends the run when it starts.
"""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys
from pathlib import Path

from engine import data
from engine.backends import BACKENDS, require_installed
from engine.config import TrainConfig
from engine.errors import DataError, DeviceError
from engine.gpus import machine_gpus, visible_gpus
from engine.split import check_split

GPU_NODES = ("dxg", "nvmap", "nvhost-ctrl", "kfd")
"""What is in /dev where frameworks may see a GPU that NVIDIA's library does not tell of: WSL's, Jetson's, AMD's."""


def check_start(config: TrainConfig) -> None:
    """Raise BackendError, DeviceError or ConfigError where a run with `config` cannot start on this machine.

    Data that cannot be read are left to the run, which says so.
    """
    require_installed(config.backend)
    if problem := device_problem(config.device, config.backend):
        raise DeviceError("Device not available", problem, "Use --device auto, or one that mnist-tui devices lists.")
    try:
        images = data.training_images(config.data)
    except DataError:
        return
    if images is not None:
        check_split(images, config.model, config.batch_size, config.validation, config.limit)


def device_problem(device: str, backend: str) -> str:
    """Say why `device` is not there for `backend`, as far as can be told without a framework; "" otherwise."""
    label = BACKENDS[backend].label
    if device == "mps":
        is_apple = sys.platform == "darwin" and platform.machine() == "arm64"
        if backend != "torch":
            return f"{label} does not train on mps; PyTorch does."
        return "" if is_apple else "This machine has no Apple GPU (mps)."
    if not (found := re.fullmatch(r"cuda(?::([0-9]+))?", device)):
        return ""
    if _is_for_cpu_alone(BACKENDS[backend].package):
        return f"This {label} is built for the CPU alone, so there is no {device}."
    if not machine_gpus():
        is_possible = sys.platform != "darwin" and any(any(Path("/dev").glob(pattern)) for pattern in GPU_NODES)
        return "" if is_possible else f"This machine has no GPU for {device}."
    number, count = int(found[1] or 0), len(visible_gpus())
    if number < count:
        return ""
    seen = {0: "no GPU is visible", 1: "there is 1 GPU, cuda:0"}.get(count, f"there are {count} GPUs, from cuda:0 on")
    return f"There is no {device} here: {seen}."


def _is_for_cpu_alone(package: str) -> bool:
    """Return whether the installed build says so in its version, as PyTorch's wheels do: 2.9.1+cpu."""
    try:
        return importlib.metadata.version(package).endswith("+cpu")
    except importlib.metadata.PackageNotFoundError:
        return False
