"""How a worker died, told from what it left behind: each kind in plain words, with what to do."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from engine.config import TrainConfig
from engine.events import DeviceAwaited
from engine.launcher import launch
from engine.locks import FileLock, device_lock_path
from engine.postmortem import WORKER_STARTED, crash_of, explained, last_words, memory_kills
from engine.runs import Run, Store
from tests.waiting import wait_for_event, wait_until
from tests.workers import worker_of

TRACEBACK = "Traceback (most recent call last):\n  File “x.py”, line 3, in train_steps\n"
TENSORFLOW_START = (
    "2026-11-24 06:12:30.1: E external/local_xla/xla/stream_executor/cuda/cuda_platform.cc:51] failed call to cuInit: "
    "INTERNAL: CUDA error: Failed call to cuInit: UNKNOWN ERROR (303)\n"
    "torch/cuda/__init__.py:129: UserWarning: CUDA initialization: The NVIDIA driver on your system is too old\n"
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run whose worker has said nothing yet."""
    made = Run(tmp_path / "20261124-061230-torch-3fa9")
    made.path.mkdir()
    made.events_path.touch()
    return made


@pytest.mark.parametrize(
    ("log", "title", "advice"),
    [
        (TRACEBACK + "MemoryError", "Out of memory", "smaller batch"),
        ("terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n"
         "Fatal Python error: Aborted\n", "Out of memory", "smaller batch"),
        (TRACEBACK + "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.", "Out of GPU memory",
         "nvidia-smi"),
        (TRACEBACK + "tensorflow.python.framework.errors_impl.ResourceExhaustedError: {{function_node}} OOM when "
         "allocating tensor with shape[9,9] on /job:localhost/replica:0/task:0/device:GPU:0", "Out of GPU memory",
         "nvidia-smi"),
        (TRACEBACK + "ResourceExhaustedError: OOM when allocating tensor with shape[9,9] on /task:0/device:CPU:0",
         "Out of memory", "smaller batch"),
        (TRACEBACK + "RuntimeError: The NVIDIA driver on your system is too old (found version 11040).",
         "GPU driver too old", "--device cpu"),
        (TRACEBACK + "RuntimeError: CUDA error: no kernel image is available for execution on the device",
         "GPU not supported", "--device cpu"),
        (TRACEBACK + "RuntimeError: CUDA error: device-side assert triggered", "Error on the GPU", "labels"),
        (TRACEBACK + "RuntimeError: CUDA error: an illegal memory access was encountered", "Error on the GPU",
         "Resume the run"),
        (TRACEBACK + "ImportError: libcudnn.so.9: cannot open shared object file: No such file or directory",
         "Library missing", "mnist-tui devices"),
        (TRACEBACK + "ModuleNotFoundError: No module named 'torch'", "Framework not usable", "mnist-tui devices"),
        ("Fatal Python error: Illegal instruction\n\nCurrent thread 0x00007f (most recent call first):\n",
         "Processor not supported", "older processors"),
        ("F0000 tensorflow/core/platform/cpu_feature_guard.cc:38] The TensorFlow library was compiled to use AVX "
         "instructions, but these aren't available on your machine.\n", "Processor not supported", "--backend"),
        ("Fatal Python error: Segmentation fault\n", "Crash inside the framework", "Resume the run"),
        ("Fatal Python error: Bus error\n", "Bus error", "Make room"),
        (TRACEBACK + "OSError: [Errno 28] No space left on device", "Disk full", "Make room"),
        (TRACEBACK + "OSError: [Errno 27] File too large", "File too large", "ulimit -f"),
        (TRACEBACK + "engine.backends.base.StrangeError: it is odd", "Unexpected error", "worker.log"),
        ("", "Killed", "smaller batch"),
        ("Loading\n" + TENSORFLOW_START, "Killed", "mnist-tui resume 20261124-061230-torch-3fa9"),
        (TENSORFLOW_START + TRACEBACK + "MemoryError", "Out of memory", "smaller batch"),
    ],
)  # fmt: skip
def test_each_way_to_die_has_words_and_advice(run: Run, log: str, title: str, advice: str) -> None:
    run.log_path.write_text(log)
    crash = crash_of(run)
    assert crash.title == title
    assert advice in crash.hint
    assert crash.message.endswith(".")
    assert "RUN" not in crash.hint


def test_what_an_earlier_worker_died_of_is_not_held_against_the_last(run: Run) -> None:
    earlier = f"{WORKER_STARTED} 2026-11-24 06:12:30\n{TRACEBACK}MemoryError\n"
    run.log_path.write_text(f"{earlier}{WORKER_STARTED} 2026-11-24 07:00:00\nLoading\n")
    assert crash_of(run).title == "Killed"
    assert last_words(run) == ("Loading",)


def test_a_machine_that_was_restarted_is_named(run: Run) -> None:
    os.utime(run.events_path, (1e9, 1e9))
    crash = crash_of(run)
    assert crash.title == "Machine restarted"
    assert "mnist-tui resume" in crash.hint


def test_memory_is_not_the_guess_where_the_system_has_not_run_out_of_it(run: Run) -> None:
    kills = memory_kills()
    if kills is None:
        pytest.skip("this system does not count the processes that it kills for lack of memory")
    run.log_path.write_text(f"{WORKER_STARTED} 2026-11-24 06:12:30 (memory kills: {kills})\n")
    crash = crash_of(run)
    assert "the system has not run out of memory since" in crash.message
    assert "smaller batch" not in crash.hint
    run.log_path.write_text(f"{WORKER_STARTED} 2026-11-24 06:12:30 (memory kills: {kills - 1})\n")
    assert "because memory ran out" in crash_of(run).message


@pytest.mark.parametrize(
    ("words", "title", "reason"),
    [
        ("PermissionError: [Errno 13] Permission denied: '{}'", "Not permitted", "{} cannot be used: "),
        ("OSError: [Errno 30] Read-only file system: '{}'", "Read-only file system", "{} cannot be used: "),
        ("FileNotFoundError: [Errno 2] No such file or directory: '{}/gone/x'", "System error", "no folder {}/gone"),
        ("OSError: [Errno 5] Input/output error", "System error", "the disk reported an error"),
    ],
)
def test_a_system_error_in_a_traceback_is_told_with_its_path(run: Run, words: str, title: str, reason: str) -> None:
    run.log_path.write_text(TRACEBACK + words.format(run.path))
    crash = crash_of(run)
    assert crash.title == title
    assert reason.format(run.path) in crash.message
    assert f"mnist-tui resume {run.id}" in crash.hint


def test_the_last_words_of_a_library_are_the_cause_and_not_memory(run: Run) -> None:
    run.log_path.write_text(
        f"{WORKER_STARTED} 2026-11-24 06:12:30\nIntel oneMKL FATAL ERROR: Cannot load /x/libtorch_cpu.so.\n"
    )
    crash = crash_of(run)
    assert "FATAL ERROR: Cannot load /x/libtorch_cpu.so." in crash.message
    assert "emory" not in str(crash)


def test_last_words_are_plain_text(run: Run) -> None:
    run.log_path.write_bytes(
        b"\x1b]0;title\x07\x1b[31mred\x1b[0m\n\n1/9\r5/9\r9/9\r\nbell\x07 \x9b1m\xff\n" + b"x" * 70_000 + b"\nend\n"
    )
    assert last_words(run)[-1] == "end"
    run.log_path.write_bytes(b"\x1b]0;title\x07\x1b[31mred\x1b[0m\n\n1/9\r5/9\r9/9\r\nbell\x07\n")
    assert last_words(run) == ("red", "1/9", "5/9", "9/9", "bell")
    assert last_words(run, 2) == ("9/9", "bell")


def test_without_a_log_there_are_no_words(run: Run) -> None:
    assert last_words(run) == ()
    assert crash_of(run).title == "Killed"


def test_an_error_that_was_caught_is_told_in_the_same_words() -> None:
    known = explained(RuntimeError("CUDA out of memory. Tried to allocate 20 GiB\nmore"))
    assert known.title == "Out of GPU memory"
    assert "(RuntimeError: CUDA out of memory. Tried to allocate 20 GiB)" in known.message
    unknown = explained(KeyError("loss"))
    assert (unknown.title, unknown.message) == ("Unexpected error", "KeyError: 'loss'")
    assert "worker.log" in unknown.hint


@pytest.mark.parametrize(
    ("number", "title"),
    [(signal.SIGSEGV, "Crash inside the framework"), (signal.SIGBUS, "Bus error"), (signal.SIGKILL, "Killed")],
)
def test_a_real_worker_s_fatal_signal_is_understood_from_its_log(
    store: Store, number: signal.Signals, title: str
) -> None:
    device = FileLock(device_lock_path("cpu"))
    assert device.acquire()
    run = launch(store, TrainConfig.create(device="cpu", data="/nowhere"))
    wait_for_event(run, DeviceAwaited)
    worker_of(run).send_signal(number)
    wait_until(lambda: run.status() == "crashed", "the worker is gone")
    device.release()
    assert crash_of(run).title == title
    assert "".join(last_words(run)).startswith("Fatal Python error") == (number != signal.SIGKILL)
