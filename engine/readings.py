"""What a run's worker and this machine are busy with: processor, memory, and each GPU."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.locks import is_held
from engine.runs import Run

if TYPE_CHECKING:
    import psutil

SAMPLES_PER_TREE = 10
"""To look for a process's children takes a look at every process of the machine."""


@dataclass(frozen=True)
class Load:
    """How busy the processor is, 1 for a whole core, and the memory that is used and there, in bytes."""

    cores: float
    memory: int
    total_memory: int


@dataclass(frozen=True)
class GpuLoad:
    """How busy a GPU is, from 0 to 1; its memory in bytes; °C and watts. What its driver does not tell is None.

    `is_ours`: the run's worker uses it.
    """

    index: int
    utilisation: float | None
    memory: int | None
    total_memory: int | None
    temperature: float | None
    power: float | None
    is_ours: bool = False


@dataclass(frozen=True)
class Reading:
    """The machine, its `cores` cores, and each GPU. `worker` is the run's, None where that cannot be told."""

    machine: Load
    cores: int
    worker: Load | None = None
    gpus: tuple[GpuLoad, ...] = ()


class Readings:
    """Takes readings, each over the time since the one before. It takes some milliseconds, and is for one thread."""

    def __init__(self) -> None:
        self._tree: list[psutil.Process] = []
        self._tree_of = ""
        self._samples = 0
        self._gpus: _Gpus | None = None
        self._began = False

    def take(self, run: Run) -> Reading | None:
        """Return how busy the worker of `run` and the machine are; None the first time."""
        import psutil

        self._gpus = self._gpus or _Gpus()
        worker = self._worker(run)
        share, memory = psutil.cpu_percent() / 100, psutil.virtual_memory()
        if not self._began:
            self._began = True
            return None
        cores = psutil.cpu_count() or 1
        machine = Load(share * cores, memory.total - memory.available, memory.total)
        pids = {process.pid for process in self._tree}
        return Reading(machine, cores, worker, tuple(self._gpus.loads(pids)))

    def _worker(self, run: Run) -> Load | None:
        """Return the load of the worker and its children; None where there is none, or nothing to compare with."""
        import psutil

        is_gone = self._tree and not (is_held(run.lock_path) and self._tree[0].is_running())
        if is_gone or self._tree_of != run.id:
            self._tree, self._tree_of, self._samples = [], run.id, 0
        is_new = not self._tree
        if self._samples % SAMPLES_PER_TREE == 0:
            self._find_tree(run)
        self._samples += 1
        percent, memory = 0.0, 0
        for process in self._tree:
            try:
                percent += process.cpu_percent()
                memory += process.memory_info().rss
            except psutil.Error:  # it has ended meanwhile
                continue
        if is_new or not self._tree:
            return None
        return Load(percent / 100, memory, psutil.virtual_memory().total)

    def _find_tree(self, run: Run) -> None:
        import psutil

        worker = worker_of(run)
        known = {process.pid: process for process in self._tree}
        try:
            tree = [worker, *worker.children(recursive=True)] if worker else []
        except psutil.Error:
            tree = []
        self._tree = [known.get(process.pid, process) for process in tree]


def worker_of(run: Run) -> psutil.Process | None:
    """Return the process that trains `run`, or None where there is none, or it is another user's.

    That it calls itself a worker proves nothing, and neither does a number that somebody wrote down: it must have the
    file open on which it holds the run's lock.
    """
    import psutil

    if not is_held(run.lock_path):
        return None
    lock = os.path.realpath(run.lock_path)
    for process in psutil.process_iter(["cmdline"]):
        if "engine.worker" in (process.info["cmdline"] or ()):
            try:
                if any(opened.path == lock for opened in process.open_files()):
                    return process
            except (psutil.Error, OSError):
                continue
    return None


class _Gpus:
    """The machine's NVIDIA GPUs; none without their driver, or without the library that asks it."""

    def __init__(self) -> None:
        self._handles: list[Any] = []
        try:
            import pynvml
        except ImportError:
            return
        try:
            pynvml.nvmlInit()
            self._handles = [pynvml.nvmlDeviceGetHandleByIndex(n) for n in range(pynvml.nvmlDeviceGetCount())]
        except (pynvml.NVMLError, OSError):
            self._handles = []

    def loads(self, pids: set[int]) -> Iterator[GpuLoad]:
        """Yield how busy each GPU is; those that the processes `pids` use are marked."""
        if not self._handles:
            return
        import pynvml as nvml

        for index, handle in enumerate(self._handles):
            busy = _told(nvml.nvmlDeviceGetUtilizationRates, handle)
            memory = _told(nvml.nvmlDeviceGetMemoryInfo, handle)
            power = _told(nvml.nvmlDeviceGetPowerUsage, handle)
            users = _told(nvml.nvmlDeviceGetComputeRunningProcesses, handle) or ()
            yield GpuLoad(
                index=index,
                utilisation=None if busy is None else busy.gpu / 100,
                memory=None if memory is None else memory.used,
                total_memory=None if memory is None else memory.total,
                temperature=_told(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU),
                power=None if power is None else power / 1000,
                is_ours=any(user.pid in pids for user in users),
            )


def _told(question: Any, *arguments: Any) -> Any:
    """Return the driver's answer, or None where it has none: some GPUs tell less than others."""
    import pynvml

    try:
        return question(*arguments)
    except pynvml.NVMLError:
        return None
