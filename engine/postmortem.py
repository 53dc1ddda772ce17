"""Plain words for how a worker died: what happened, in a sentence, and what to do about it.

A worker that dies cannot tell. But a traceback, or the trace that faulthandler leaves of a fatal signal, is in its
worker.log; where there is none, it was ended from outside.
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path

from engine.causes import disk_is_full, explain, memory_is_limited, memory_problem
from engine.errors import EngineError, RunError, TrainingError
from engine.regular_files import NotRegularError, open_to_read
from engine.runs import Run

WORKER_STARTED = "mnist-tui worker started"
"""Begins the line of worker.log from which on the next worker writes."""

TAIL_BYTES = 64 * 1024
TAIL_LINES = 8

SYSTEM_TITLES = {
    errno.ENOSPC: "Disk full",
    errno.EDQUOT: "Disk quota used up",
    errno.EFBIG: "File too large",
    errno.ENOMEM: "Out of memory",
    errno.EACCES: "Not permitted",
    errno.EPERM: "Not permitted",
    errno.EROFS: "Read-only file system",
}

_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LAST_WORDS = re.compile(
    r"Traceback \(most recent|Fatal Python error|terminate called|Check failed:|^F\d{4} |: F (?:tensorflow|external)"
    r"|FATAL ERROR"
    r"|Illegal instruction|Bus error|Segmentation fault|error while loading shared libraries|dyld\[",
    re.MULTILINE,
)
"""Where dying begins in the output: frameworks complain of a missing GPU on any start, and live."""
_SYSTEM_ERROR = re.compile(r"^(\w*Error): \[Errno (\d+)\] ([^:\n]*)(?:: '([^'\n]*)')?", re.MULTILINE)
"""An OSError as a traceback ends with it."""
_OF_THE_WORKER = (errno.EFBIG, errno.ENOMEM, errno.EMFILE)
"""Limits of the process that is gone: those of this one say nothing about it."""
_MEMORY_KILLS = re.compile(rf"^{WORKER_STARTED}.* \(memory kills: (\d+)\)$", re.MULTILINE)
_UNCAUGHT = re.compile(r"^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Interrupt|Exit)\b.*$", re.MULTILINE)


@dataclass(frozen=True)
class LogTail:
    """The last lines of worker.log, none where the workers said nothing; `is_whole`: there are no earlier ones."""

    lines: tuple[str, ...]
    is_whole: bool


@dataclass(frozen=True)
class _Cause:
    """A way to die: the regular expression that tells it, and the words for it."""

    sign: str
    title: str
    message: str
    hint: str


SMALLER = "Use a smaller batch or model, or free some memory, then resume the run."
OTHER_DEVICE = "or train on the processor: mnist-tui resume RUN --device cpu"

# The first that fits is meant, so what is special stands before what is general.
_CAUSES = (
    _Cause(
        r"CUDA out of memory|torch\.(cuda\.)?OutOfMemoryError|CUDA_ERROR_OUT_OF_MEMORY|CUBLAS_STATUS_ALLOC_FAILED"
        r"|(ResourceExhausted|RESOURCE_EXHAUSTED|OOM when allocating)(?!.*device:CPU)|MPS backend out of memory",
        "Out of GPU memory",
        "The GPU did not have enough memory left.",
        "Look with nvidia-smi who else uses it; use a smaller batch or model, " + OTHER_DEVICE,
    ),
    _Cause(
        r"MemoryError|bad_alloc|Cannot allocate memory|can't allocate memory|not enough memory|OOM when allocating",
        "Out of memory",
        "This machine did not have enough memory left.",
        SMALLER,
    ),
    _Cause(
        r"driver on your system is too old|driver version is insufficient|cudaErrorInsufficientDriver"
        r"|forward compatibility was attempted|driver/library version mismatch",
        "GPU driver too old",
        "The NVIDIA driver of this machine is too old for the CUDA that this framework was built with.",
        "Update the driver, install a build for an older CUDA, " + OTHER_DEVICE,
    ),
    _Cause(
        r"no kernel image is available|NO_BINARY_FOR_GPU|is not compatible with the current PyTorch installation",
        "GPU not supported",
        "This build of the framework has no code for this generation of GPU.",
        "Install a build that supports it, " + OTHER_DEVICE,
    ),
    _Cause(
        r"device-side assert",
        "Error on the GPU",
        "A check inside a GPU kernel failed, most likely for a label or an index out of range.",
        "Check the dataset's labels; on the processor the message is clearer: mnist-tui resume RUN --device cpu",
    ),
    _Cause(
        r"cannot open shared object file|Could not load dynamic library|Library not loaded|undefined symbol"
        r"|Unable to load any of \{libcudnn",
        "Library missing",
        "A library that the framework needs is missing or of another version.",
        "Install the framework anew in a fresh environment; mnist-tui devices tells whether it works.",
    ),
    _Cause(
        r"CUDA error|CUDA_ERROR_|cudaError|CUDNN_STATUS_|CUBLAS_STATUS_|Xid",
        "Error on the GPU",
        "The GPU or its driver reported an error.",
        "Resume the run; if it happens again, restart the machine or its driver, " + OTHER_DEVICE,
    ),
    _Cause(
        r"Illegal instruction|compiled to use AVX|SIGILL",
        "Processor not supported",
        "The framework uses instructions, such as AVX, that this processor does not have.",
        "Install a build for older processors, or go on with the other framework: mnist-tui resume RUN --backend …",
    ),
    _Cause(
        r"File too large",
        "File too large",
        "A file grew over the size limit of this process.",
        "Raise the limit (ulimit -f unlimited), then resume the run.",
    ),
    _Cause(
        r"No space left on device|Disk quota exceeded",
        "Disk full",
        "There was no room left to write to.",
        "Make room, then resume the run.",
    ),
    _Cause(
        r"Fatal Python error: Bus error",
        "Bus error",
        "The memory behind a file was gone: a full /dev/shm, a full disk or a failing one.",
        "Make room, then resume the run.",
    ),
    _Cause(
        r"Segmentation fault",
        "Crash inside the framework",
        "Compiled code reached for memory that is not its own: a bug in the framework or a driver, or a bad install.",
        "Resume the run; if it happens again, install the framework anew or go on with the other one.",
    ),
    _Cause(
        r"No module named|ImportError|DLL load failed",
        "Framework not usable",
        "A Python package that the run needs cannot be imported.",
        "mnist-tui devices tells what is missing and how to install it.",
    ),
    _Cause(
        r"Fatal Python error: Aborted|terminate called|Check failed:",
        "Crash inside the framework",
        "Compiled code gave up on finding something impossible; its last words are in worker.log.",
        "Resume the run; if it happens again, install the framework anew or go on with the other one.",
    ),
)


def crash_of(run: Run) -> RunError:
    """Return why the worker of the crashed `run` is gone, as far as can be told."""
    try:
        if run.log_path.exists():
            open_to_read(run.log_path).close()
    except OSError as error:
        message, hint = explain(error, "read", run.log_path)
        return RunError("Crashed", f"Why is not known: {message}", hint)
    output = _last_output(run)
    dying = _LAST_WORDS.search(output)
    said = output[dying.start() :] if dying else ""
    if told := _system_error(said, run):
        return told
    if cause := _cause_in(said):
        return RunError(cause.title, cause.message, _hint(cause, run))
    if uncaught := _UNCAUGHT.findall(said):
        return RunError("Unexpected error", f"{uncaught[-1].strip()}.", f"All of it is in {run.log_path}")
    if _restarted_since(run):
        return RunError("Machine restarted", "The machine was restarted while it trained.", _resume(run))
    if said:
        return RunError("Crashed", f"{_first_line(said).rstrip('.')}.", f"All of it is in {run.log_path}")
    return _killed(run)


def _killed(run: Run) -> RunError:
    """Return the error for a worker that left no trace: whether memory may have run out is looked up, where it can."""
    if disk_is_full(run.path):
        message = f"The disk that holds {run.path} is full, so it could not write how it ended."
        return RunError("Disk full", message, f"Make room on that disk. Then: {_resume(run)}")
    before, now = _MEMORY_KILLS.findall(_read_tail(run)[0]), memory_kills()
    if before and now is not None and now <= int(before[-1]):
        message = "It was killed from outside, by a kill -9 or a logout: the system has not run out of memory since."
        return RunError("Killed", message, f"Go on with it: {_resume(run)}")
    message = "It was killed without a word: by the system because memory ran out, by a kill -9, or by a logout."
    return RunError("Killed", message, f"Was memory short? Use a smaller batch. Else: {_resume(run)}")


def memory_kills() -> int | None:
    """Return how many processes Linux has killed since it started because memory ran out; None where unknown."""
    try:
        found = re.search(r"^oom_kill (\d+)$", Path("/proc/vmstat").read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None


def memory_kills_line() -> str:
    """Return `memory_kills` as the line with WORKER_STARTED ends with it, for `crash_of` to compare."""
    number = memory_kills()
    return "" if number is None else f" (memory kills: {number})"


def _system_error(said: str, run: Run) -> RunError | None:
    """Return the words for the OSError that a traceback in `said` ends with, None where it ends with another."""
    found = list(_SYSTEM_ERROR.finditer(said))
    if not found or int(found[-1][2]) in _OF_THE_WORKER:
        return None
    number, words, path = int(found[-1][2]), found[-1][3], found[-1][4]
    message, advice = explain(OSError(number, words, path), "used", run.path)
    return RunError(SYSTEM_TITLES.get(number, "System error"), message, f"{advice} Then: {_resume(run)}".strip())


def explained(error: BaseException) -> EngineError:
    """Return an unexpected error in plain words, where its kind is known, with its own below them."""
    if isinstance(error, OSError) and error.errno:
        return TrainingError(SYSTEM_TITLES.get(error.errno, "System error"), *explain(error, "used", "What is needed"))
    if isinstance(error, MemoryError) and memory_is_limited():
        reason, advice = memory_problem()
        return TrainingError("Out of memory", f"Training needs more memory: {reason}.", f"{advice} {SMALLER}")
    own = f"{type(error).__name__}: {error}".strip()
    if cause := _cause_in(own):
        return TrainingError(cause.title, f"{cause.message} ({_first_line(own)})", cause.hint)
    return TrainingError("Unexpected error", own, "The run's worker.log has the details.")


def last_words(run: Run, lines: int = TAIL_LINES) -> tuple[str, ...]:
    """Return the last `lines` lines of what the run's last worker printed, without control characters.

    Of a fatal signal's trace it is the first lines: what was being done stands at its top.
    """
    output = _last_output(run)
    said = [line.rstrip() for line in output[max(output.rfind("Fatal Python error"), 0) :].splitlines() if line.strip()]
    return tuple(said[:lines] if "Fatal Python error" in output else said[-lines:])


def log_tail(run: Run) -> LogTail:
    """Return the end of what all of the run's workers printed, without escape sequences and control characters."""
    text, is_whole = _read_tail(run)
    lines = [line.rstrip() for line in _plain(text).split("\n")]
    if not is_whole:
        del lines[0]  # its beginning is missing
    while lines and not lines[-1]:
        lines.pop()
    says_nothing = all(not line or line.startswith(WORKER_STARTED) for line in lines)
    return LogTail(() if says_nothing else tuple(lines), is_whole)


def _last_output(run: Run) -> str:
    """Return the end of what the last worker printed, without escape sequences and control characters."""
    *_, text = re.split(rf"^{WORKER_STARTED}.*$", _read_tail(run)[0], flags=re.MULTILINE)
    return _plain(text)


def _read_tail(run: Run) -> tuple[str, bool]:
    """Return the last TAIL_BYTES of worker.log, and whether that is all; nothing where it cannot be read."""
    try:
        with open_to_read(run.log_path) as file:
            start = max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES)
            file.seek(start)
            return file.read(2 * TAIL_BYTES).decode(errors="replace"), start == 0
    except NotRegularError as error:
        return f"{run.log_path} cannot be read: {error.strerror}.", True
    except OSError:
        return "", True


def _plain(text: str) -> str:
    text = _ESCAPE_SEQUENCE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _CONTROL.sub("", text)


def _cause_in(text: str) -> _Cause | None:
    return next((cause for cause in _CAUSES if re.search(cause.sign, text)), None)


def _restarted_since(run: Run) -> bool:
    import psutil

    try:
        return bool(run.events_path.stat().st_mtime < psutil.boot_time())
    except OSError:
        return False


def _hint(cause: _Cause, run: Run) -> str:
    return cause.hint.replace("RUN", run.id)


def _resume(run: Run) -> str:
    return f"mnist-tui resume {run.id}"


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:200]
