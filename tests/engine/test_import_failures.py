"""Why a framework cannot be imported: not installed, out of memory, a missing library, or another file in its place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.backends import BACKENDS, BackendInfo, load_backend
from engine.devices import BackendReport
from engine.errors import BackendError
from engine.import_failures import explain_import
from engine.process import python_command, python_environment
from tests.waiting import PATIENCE

INSTALL = "pip install 'mnist-tui[torch]'"


def missing(name: str) -> ModuleNotFoundError:
    return ModuleNotFoundError(f"No module named '{name}'", name=name)


@pytest.mark.parametrize(
    ("error", "title", "message", "hint"),
    [
        (missing("torch"), "Not installed", "PyTorch is not installed", f"Add it: {INSTALL}"),
        (missing("typing_extensions"), "Package missing", "needs the Python package “typing_extensions”",
         f"Add what is missing: {INSTALL}"),
        (missing("torch._C"), "Framework damaged", "its module torch._C is missing", "--force-reinstall"),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), "Out of memory", "enough memory",
         "End other programs"),
        (ImportError("libc10.so: cannot allocate memory in static TLS block"), "Framework does not load", "static TLS",
         "--force-reinstall"),
        (MemoryError(), "Out of memory", "enough memory", "End other programs"),
        (OSError("libcudart.so.12: cannot open shared object file: No such file or directory"), "Library missing",
         "the library libcudart.so.12 that it needs is missing", "Install that library"),
        (ImportError("/x/libtorch.so: cannot open shared object file: Permission denied"), "Library not readable",
         "/x/libtorch.so cannot be opened: permission denied", "rights"),
        (ImportError("/lib/libc.so.6: version `GLIBC_2.34' not found (required by libtorch.so)"), "System too old",
         "needs GLIBC_2.34", "older release of torch"),
        (ImportError("/x/libtorch.so: file too short"), "Library damaged", "/x/libtorch.so is damaged",
         "--force-reinstall"),
        (AttributeError("module 'numpy' has no attribute 'bool'"), "Framework does not load",
         "AttributeError: module 'numpy' has no attribute 'bool'", "--force-reinstall"),
    ],
)  # fmt: skip
def test_each_cause_has_its_words_and_the_command_that_helps(
    error: Exception, title: str, message: str, hint: str
) -> None:
    told = explain_import(error, "PyTorch", "torch", INSTALL)
    assert told.title == title
    assert message in told.message
    assert hint in told.hint
    assert ("reinstall" in told.hint) == ("reinstall" in hint or title == "Library missing")


def test_a_file_of_the_users_in_the_place_of_a_framework_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content in ("", "from torch import nn"):
        (tmp_path / "torch.py").write_text(content)
        error = ImportError("cannot import name 'nn' from 'torch'", name="torch", path=str(tmp_path / "torch.py"))
        told = explain_import(error, "PyTorch", "torch", INSTALL)
        assert str(tmp_path / "torch.py") in told.message
        assert "Rename that file" in told.hint


@pytest.mark.skipif(not BACKENDS["torch"].installed or sys.platform != "linux", reason="takes PyTorch on Linux")
def test_under_a_real_memory_limit_the_limit_is_the_cause_and_reinstalling_is_not_advised() -> None:
    command = subprocess.list2cmdline(python_command("engine.devices", "torch", "0"))
    answer = subprocess.run(
        ["sh", "-c", f"ulimit -v 1500000; exec {command}"],
        capture_output=True,
        env=python_environment(),
        timeout=PATIENCE,
    )
    report = msgspec.json.decode(answer.stdout, type=BackendReport)
    assert "limited to 1.54 GB (ulimit -v)" in report.error
    assert report.hint == "Raise the limit: ulimit -v unlimited."


def test_whatever_a_framework_raises_while_it_is_imported_is_an_error_to_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken_backend.py").write_text("1 // 0")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(BACKENDS, "torch", BackendInfo("torch", "PyTorch", "click", "broken_backend"))
    with pytest.raises(BackendError, match="ZeroDivisionError"):
        load_backend("torch")
    assert "Traceback" in capfd.readouterr().err
