"""What is left of a bug of our own: a report in a file, and a short message that says where."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import traceback
from datetime import datetime
from importlib import metadata
from pathlib import Path

from engine.errors import EngineError
from tui.terminal import clean

PACKAGES = ("mnist-tui", "textual", "rich", "click", "numpy", "torch", "tensorflow", "keras")


def crash_message(error: BaseException) -> str:
    """Write a report on `error` and return what to tell the user, in a few lines. An EngineError tells itself."""
    if isinstance(error, EngineError):
        return clean(f"Error: {error}")
    summary = clean(f"{type(error).__name__}: {error}")[:300]
    try:
        where = f"A report is in {_write_report(error)}"
    except OSError as problem:
        where = f"No report could be written: {problem}\n{_traceback(error).rstrip()}"
    return f"A bug in mnist-tui ended it: {summary}\n{where}\nRuns that are live go on: mnist-tui runs"


def _write_report(error: BaseException) -> Path:
    """Write the report, for the user's eyes only, and return its path."""
    import platformdirs

    folder = platformdirs.user_state_path("mnist-tui", appauthor=False) / "crash-reports"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}.txt"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(_report(error))
    return path


def _report(error: BaseException) -> str:
    facts = {
        "Time": f"{datetime.now():%Y-%m-%d %H:%M:%S}",
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
