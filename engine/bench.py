"""How each framework does on each device of this machine, asked in a process of its own (see bench_worker)."""

from __future__ import annotations

import shutil
import subprocess
import sys

import msgspec

from engine.backends import BACKENDS
from engine.causes import explain, working_folder
from engine.gpus import machine_gpus
from engine.import_failures import died
from engine.presets import PRESETS
from engine.process import python_command, python_environment

RECIPES = tuple(name for name in ("pytorch-tutorial", "accurate") if name in PRESETS)
"""The tutorial's small network, whose steps are mostly overhead, and one that gives a device something to do."""
PATIENCE = 120.0
"""Seconds for a framework to start and to build its networks; a cold disk is slow."""


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One recipe on one backend and device. `error` is empty when it was measured; if not, all figures are 0.

    `kernels` says whose code was timed (see events.RunStarted).
    `first_step_seconds` is the time from the start of the process to the end of its first step, for the first
    recipe of the process, else from building the network on. `build_seconds` is what the first step took beyond a
    later one: building a graph, choosing algorithms. `weights_on` names the device of every trained array, as the
    framework tells it. `warning` says why the steps were taken in a slower way than usual. `memory_bytes` is the most
    that the process has held of this machine's memory so far, and `gpu_memory_bytes` the most of the GPU's.
    """

    backend: str
    device: str
    device_name: str = ""
    preset: str = ""
    model: str = ""
    parameters: int = 0
    batch_size: int = 0
    kernels: str | None = None
    images_per_second: float = 0.0
    first_step_seconds: float = 0.0
    build_seconds: float = 0.0
    memory_bytes: int = 0
    gpu_memory_bytes: int | None = None
    weights_on: tuple[str, ...] = ()
    warning: str = ""
    error: str = ""
    hint: str = ""

    @property
    def is_on_device(self) -> bool:
        """Whether the device that was asked for has all of the weights, and of a GPU some memory."""
        holds_memory = self.gpu_memory_bytes is None or self.gpu_memory_bytes > 0
        return not self.error and self.weights_on == (self.device,) and holds_memory


def measure(backend: str, device: str, seconds: float) -> list[Measurement]:
    """Train each recipe for about `seconds` in a new process; where that fails, one measurement tells why."""
    label = BACKENDS[backend].label
    limit = PATIENCE + 2 * seconds * len(RECIPES)
    command = python_command("engine.bench_worker", backend, device, str(seconds))
    try:
        answer = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit,
            env=python_environment(),
            cwd=working_folder(),
        )
        return msgspec.json.decode(answer.stdout.splitlines()[-1], type=list[Measurement])
    except subprocess.TimeoutExpired:
        error, hint = f"{label} did not end within {limit:.0f} s", ""
    except (OSError, MemoryError) as problem:
        error, hint = explain(problem, "started", sys.executable)
    except (IndexError, msgspec.DecodeError):
        error, hint = died(answer, label, BACKENDS[backend].package, BACKENDS[backend].install_command)
    return [Measurement(backend=backend, device=device, error=error, hint=hint)]


def has_nvidia_gpu() -> bool:
    """Return whether this machine has an NVIDIA GPU, whatever the frameworks see of it."""
    if machine_gpus():
        return True
    if (tool := shutil.which("nvidia-smi")) is None:
        return False
    try:
        listed = subprocess.run([tool, "-L"], stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and b"GPU 0" in listed.stdout
