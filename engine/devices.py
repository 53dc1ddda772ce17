"""What each backend can use on this machine, asked in a process of its own so that no framework is imported here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass

import msgspec

from engine.backends import BACKENDS, load_backend
from engine.backends.base import Device, pick_device
from engine.causes import explain, working_folder
from engine.errors import EngineError
from engine.gpus import visible_gpus
from engine.import_failures import died
from engine.process import give_way, python_command, python_environment

PROBE_SECONDS = 300.0
"""A framework is loaded in 3 to 6; a machine that trains on all its processors lets it wait."""


class BackendReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one backend says of this machine. `error` is empty when it works; `devices` then has the CPU at least."""

    backend: str
    label: str
    installed: bool
    version: str = ""
    devices: tuple[Device, ...] = ()
    error: str = ""
    hint: str = ""


def probe(name: str, niceness: int = 0) -> BackendReport:
    """Ask the backend called `name` for its devices, in a process of its own: some seconds for the import.

    With a `niceness` (0 to 19) neither who asks nor a run in training need wait for that.
    """
    info = BACKENDS[name]
    if not info.installed:
        return BackendReport(
            backend=name, label=info.label, installed=False, error="not installed", hint=info.install_command
        )
    try:
        answer = subprocess.run(
            python_command("engine.devices", name, str(niceness)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_SECONDS,
            env=python_environment(),
            cwd=working_folder(),
        )
        return msgspec.json.decode(answer.stdout.splitlines()[-1], type=BackendReport)
    except subprocess.TimeoutExpired:
        error, hint = f"{info.label} did not answer within {PROBE_SECONDS:.0f} s", ""
    except (OSError, MemoryError) as problem:
        error, hint = explain(problem, "started", sys.executable)
    except (IndexError, msgspec.DecodeError):
        error, hint = died(answer, info.label, info.package, info.install_command)
    return BackendReport(
        backend=name, label=info.label, installed=True, version=info.version or "", error=error, hint=hint
    )


def _report(name: str) -> BackendReport:
    info = BACKENDS[name]
    try:
        backend = load_backend(name)
        devices = tuple(backend.devices())
    except EngineError as error:
        return BackendReport(
            backend=name, label=info.label, installed=info.installed, error=error.message, hint=error.hint
        )
    return BackendReport(backend=name, label=info.label, installed=True, version=backend.version, devices=devices)


@dataclass(frozen=True)
class Queue:
    """Where runs wait for a device. `device` is its id in their process, `key` names the device itself.

    `cuda:1` of one process and `cuda:0` of another that sees only that GPU (CUDA_VISIBLE_DEVICES=1) have one key.
    """

    device: str
    key: str

    @classmethod
    def of(cls, device: str) -> Queue:
        """Return the queue of a device as this process would number it."""
        kind, _, number = device.partition(":")
        if kind != "cuda":
            return cls(device, device)
        gpus, index = visible_gpus(), int(number or 0)
        key = gpus[index] if index < len(gpus) else f"cuda:{index}"
        return cls(f"cuda:{index}", re.sub(r"[^\w:.-]", "-", key))


def expected_queue(wanted: str) -> Queue:
    """Return the queue of the device that `wanted` will most likely mean, without importing a framework.

    Only the framework knows whether it can use a GPU that is there: see Worker, which then changes queues.
    """
    if wanted != "auto":
        return Queue.of(wanted)
    if visible_gpus():
        return Queue.of("cuda:0")
    return Queue.of("mps" if sys.platform == "darwin" and os.uname().machine == "arm64" else "cpu")


def best_device(report: BackendReport) -> str:
    """Return the device that `auto` means to the framework of `report`; empty where it did not say."""
    return pick_device("auto", list(report.devices), report.label).id if report.devices else ""


if __name__ == "__main__":
    give_way(int(sys.argv[2]))
    sys.stdout.buffer.write(msgspec.json.encode(_report(sys.argv[1])) + b"\n")
