"""What each backend can use on this machine, asked in a process of its own so that no framework is imported here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec

from engine.backends import BACKENDS, load_backend
from engine.backends.base import Device
from engine.causes import explain, working_folder
from engine.errors import EngineError
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


def expected_device(wanted: str) -> str:
    """Return the device that `wanted` will most likely mean, without importing a framework.

    It names the queue that a run waits in: runs that want the same device take turns.
    """
    if wanted != "auto":
        return "cuda:0" if wanted == "cuda" else wanted
    if Path("/dev/nvidia0").exists():
        return "cuda:0"
    return "mps" if sys.platform == "darwin" and os.uname().machine == "arm64" else "cpu"


if __name__ == "__main__":
    give_way(int(sys.argv[2]))
    sys.stdout.buffer.write(msgspec.json.encode(_report(sys.argv[1])) + b"\n")
