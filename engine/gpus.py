"""Which NVIDIA GPUs a process can use, told without a framework: by the driver's library and CUDA_VISIBLE_DEVICES."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def visible_gpus() -> list[str]:
    """Return a name for each GPU that CUDA would show as 0, 1, …: its UUID, which is the same for every process."""
    return choose(machine_gpus(), os.environ.get("CUDA_VISIBLE_DEVICES"))


def machine_gpus() -> list[str]:
    """Return the UUIDs of the GPUs that the driver shows here, in the order of their PCI bus ids.

    In a container these are the container's. Where the driver's library is missing, device files stand for the GPUs.
    """
    try:
        import pynvml
    except ImportError:
        return _device_files()
    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError, OSError):
        return _device_files()
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(pynvml.nvmlDeviceGetCount())]
        return [str(pynvml.nvmlDeviceGetUUID(handle)) for handle in handles]
    except pynvml.NVMLError:
        return _device_files()
    finally:
        pynvml.nvmlShutdown()


def choose(gpus: Sequence[str], chosen: str | None) -> list[str]:
    """Return those of `gpus` that `chosen`, a value of CUDA_VISIBLE_DEVICES, lets a process see, in its order.

    As CUDA reads it: a list of numbers and of beginnings of UUIDs, which ends before the first that fits no GPU; None,
    for a variable that is not set, leaves all. A partition of a GPU (MIG) goes by its own UUID. The numbers are those
    of nvidia-smi, because python_environment sets CUDA_DEVICE_ORDER unless the user has.
    """
    if chosen is None or not gpus:
        return list(gpus)
    found: list[str] = []
    for part in (part.strip() for part in chosen.split(",")):
        fitting = [gpu for gpu in gpus if part and gpu.startswith(part)]
        if part.isdecimal() and int(part) < len(gpus):
            found.append(gpus[int(part)])
        elif part.startswith("MIG-") or (part.startswith("GPU-") and not gpus[0].startswith("GPU-")):
            found.append(part)
        elif part.startswith("GPU-") and len(fitting) == 1:
            found.append(fitting[0])
        else:
            break
    return found


def _device_files() -> list[str]:
    """Return the names of the GPUs' device files, such as nvidia3."""
    return sorted((path.name for path in Path("/dev").glob("nvidia[0-9]*")), key=lambda name: int(name[6:]))
