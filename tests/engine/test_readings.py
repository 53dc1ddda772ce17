"""Readings: the run's lock proves whose they are, and a GPU's driver may tell as much or as little as it likes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from engine.config import TrainConfig
from engine.readings import GpuLoad, Readings, worker_of
from engine.runs import Run, Store

HOLDER = """
import fcntl, sys
lock = open(sys.argv[2])
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def run(store: Store) -> Run:
    """A run that nobody trains yet."""
    run, lock = store.create(TrainConfig())
    lock.release()
    return run


@pytest.fixture
def hold() -> Iterator[Callable[[str, Path], int]]:
    """Starts a process by the name of some module that locks a file; returns its id."""
    started = []

    def start(module: str, path: Path) -> int:
        command = [sys.executable, "-S", "-c", HOLDER, module, str(path)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        return process.pid

    yield start
    for process in started:
        process.communicate()


def test_the_worker_is_the_one_with_the_runs_lock(run: Run, hold: Callable[[str, Path], int], tmp_path: Path) -> None:
    other = tmp_path / "other.lock"
    other.touch()
    assert hold("engine.worker", other)
    assert worker_of(run) is None
    pid = hold("engine.worker", run.lock_path)
    worker = worker_of(run)
    assert worker is not None
    assert worker.pid == pid
    readings = Readings()
    assert readings.take(run) is None
    reading = readings.take(run)
    assert reading is not None
    assert reading.worker is not None
    assert 0 < reading.worker.memory < reading.machine.memory < reading.machine.total_memory


def test_another_holder_of_the_lock_is_not_the_worker(run: Run, hold: Callable[[str, Path], int]) -> None:
    hold("something.else", run.lock_path)
    assert worker_of(run) is None


class Unsupported(Exception):
    """What the driver raises."""


def driver(**answers: Any) -> ModuleType:
    """Return the library of a driver that knows `answers` alone, and one GPU."""
    library: Any = ModuleType("pynvml")
    library.NVMLError, library.NVML_TEMPERATURE_GPU = Unsupported, 0
    library.nvmlInit, library.nvmlDeviceGetCount = lambda: None, lambda: 1
    library.nvmlDeviceGetHandleByIndex = lambda index: index

    def unsupported(*arguments: object) -> None:
        raise Unsupported

    for name in ("UtilizationRates", "MemoryInfo", "PowerUsage", "ComputeRunningProcesses", "Temperature"):
        answer = answers.get(name)
        setattr(library, f"nvmlDeviceGet{name}", unsupported if answer is None else lambda *_, told=answer: told)
    return library


TALKATIVE = {
    "UtilizationRates": SimpleNamespace(gpu=63, memory=9),
    "MemoryInfo": SimpleNamespace(used=2, total=80),
    "PowerUsage": 120_400,
    "ComputeRunningProcesses": [],
    "Temperature": 54,
}


@pytest.mark.parametrize(
    ("library", "gpus"),
    [
        (driver(**TALKATIVE), (GpuLoad(0, 0.63, 2, 80, 54, 120.4),)),
        (driver(PowerUsage=31_000), (GpuLoad(0, None, None, None, None, 31.0),)),
        (None, ()),
    ],
    ids=["talkative", "silent", "absent"],
)
def test_a_gpu_tells_what_it_can(
    run: Run, library: ModuleType | None, gpus: tuple[GpuLoad, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", library)
    readings = Readings()
    readings.take(run)
    reading = readings.take(run)
    assert reading is not None
    assert reading.gpus == gpus
    assert reading.worker is None
