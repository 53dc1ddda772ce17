"""What is left of a bug of our own: a report in a file, and a short message that says where."""

from __future__ import annotations

import errno
import os
import platform
import shlex
import sys
import tempfile
import traceback
from datetime import datetime
from importlib import metadata
from pathlib import Path

from engine.causes import explain
from engine.errors import EngineError
from engine.folders import state_folder
from engine.import_failures import explain_import
from tui.terminal import clean

OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE)
"""What the system says without a path when nothing more can be written to where the output goes."""
INSTALL = "pip install mnist-tui"
PACKAGES = ("mnist-tui", "textual", "rich", "click", "numpy", "torch", "tensorflow", "keras")


def crash_message(error: BaseException) -> str:
    """Write a report on `error` and return what to tell the user, in a few lines. An EngineError tells itself."""
    if isinstance(error, EngineError):
        return clean(f"Error: {error}")
    summary = clean(f"A bug in mnist-tui ended it: {type(error).__name__}: {error}")[:300]
    if foreseen := system_error(error):
        summary = clean(f"mnist-tui had to end. {foreseen}")
    return f"{summary}\n{_where(error)}\nRuns that are live go on: mnist-tui runs"


def system_error(error: BaseException) -> EngineError | None:
    """Return what the system refused, or which package is missing, in the words that all errors have; None for bugs."""
    if isinstance(error, ImportError):
        is_own = (error.name or "").partition(".")[0] in ("engine", "tui")
        return None if is_own else EngineError(*explain_import(error, "mnist-tui", "mnist_tui", INSTALL))
    if not isinstance(error, OSError | MemoryError):
        return None
    if isinstance(error, OSError) and not error.filename and error.errno in OUTPUT_ERRORS:
        return EngineError("System error", *explain(error, "written", "The output"))
    return EngineError("System error", *explain(error, "used", "What is needed"))


def _where(error: BaseException) -> str:
    """Write a report and say where it is: in the state folder, else in the temporary one. Else show the traceback."""
    problem = ""
    for find in (_report_folder, lambda: Path(tempfile.gettempdir())):
        folder: Path | str = ""
        try:
            folder = find()
            return f"A report is in {_write_report(error, folder)}"
        except OSError as refused:
            problem = problem or " ".join(explain(refused, "written", folder))
        except EngineError as refused:
            problem = problem or f"{refused.message} {refused.hint}"
    return f"No report could be written: {problem}\n{_traceback(error).rstrip()}"


def _report_folder() -> Path:
    return state_folder() / "crash-reports"


def _write_report(error: BaseException, folder: Path) -> Path:
    """Write the report, for the user's eyes only, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"mnist-tui-{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}.txt"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(_report(error))
    return path


def _report(error: BaseException) -> str:
    facts = {
        "Time": f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S %z}",
        "Command": shlex.join(sys.argv),
        "Python": sys.version.replace("\n", " "),
        "Platform": platform.platform(),
        "TERM": os.environ.get("TERM", "not set"),
        **{name: _version(name) for name in PACKAGES},
    }
    lines = [f"{name + ':':<12}{value}" for name, value in facts.items()]
    return "\n".join(lines) + "\n\n" + _traceback(error)


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def _version(package: str) -> str:
    """Return the version that is installed; nothing is imported for it."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
