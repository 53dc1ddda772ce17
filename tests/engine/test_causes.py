"""System errors in words: which path, why, and what helps. tests/test_injected_causes.py does it in every handler."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from engine.causes import explain, working_folder


def refused(number: int, path: Path | str | None = None) -> OSError:
    """Return the error that the system raises with this number, for `path` where it names one."""
    return OSError(number, os.strerror(number), None if path is None else str(path))


@pytest.mark.parametrize(
    ("number", "reason", "advice"),
    [
        (errno.EDQUOT, "your disk quota is used up", "Delete files"),
        (errno.ESTALE, "its network file system has lost it", "Mount the file system anew"),
        (errno.ENOTCONN, "its file system is not connected", "Mount the file system anew"),
        (errno.ENOLCK, "its file system has no file locks", "local disk"),
        (errno.EIO, "the disk reported an error", "dmesg"),
        (errno.ENAMETOOLONG, "its name is too long", "shorter path"),
        (errno.EISDIR, "it is a folder, and a file is needed", "Move the folder away"),
        (errno.EBUSY, "it is in use", "End what uses it"),
        (errno.ENFILE, "this machine has too many files open", "End other programs"),
        (errno.ENOSPC, "the disk is full", "Make room"),
        (errno.ENXIO, "no such device or address", ""),
    ],
)
def test_each_number_has_its_cause_and_advice(tmp_path: Path, number: int, reason: str, advice: str) -> None:
    path = tmp_path / "file"
    path.touch()
    told = explain(refused(number, path), "written")
    assert told.message.startswith(f"{path} cannot be written: {reason}")
    assert advice in told.advice


def test_the_path_is_the_one_that_the_system_named_not_the_one_that_the_caller_works_with(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = explain(
        refused(errno.ENOTDIR, tmp_path / "file" / "x"), "written", tmp_path / "run", "Choose another --store."
    )
    assert str(tmp_path / "run") not in told.message
    assert f"{tmp_path / 'file'} is a file" in told.message
    assert "--store" not in told.advice


def test_advice_on_another_place_names_the_variable_of_the_users_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind, name in (("STATE", "devices"), ("CACHE", "mnist"), ("CONFIG", "config.toml")):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
        told = explain(refused(errno.EROFS, tmp_path / kind / "mnist-tui" / name), "written", "/a/run", "Use --store.")
        assert told.advice == f"Set XDG_{kind}_HOME to a folder that you may write to."


def test_without_a_path_from_the_system_it_is_the_callers(tmp_path: Path) -> None:
    told = explain(refused(errno.ENOSPC), "written", tmp_path, "Choose another --store.")
    assert told == (f"{tmp_path} cannot be written: the disk is full.",
                    "Make room on that disk. Or choose another --store.")  # fmt: skip


@pytest.mark.parametrize("path", ["x", ""])
def test_a_deleted_current_folder_is_the_cause_for_what_is_relative_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    assert working_folder() is None
    (tmp_path / "gone").rmdir()
    told = explain(refused(errno.ENOENT, path or None), "read")
    assert "the current folder has been deleted" in told.message
    assert "cd" in told.advice
    assert working_folder() == "/"


def test_too_little_memory_names_the_limit_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        explain(MemoryError(), "read", "/x").message
        == "/x cannot be read: this machine does not have enough memory left."
    )
    monkeypatch.setattr("resource.getrlimit", lambda _kind: (1_536_000_000, -1))
    told = explain(MemoryError(), "read", "/x")
    assert "limited to 1.54 GB (ulimit -v)" in told.message
    assert told.advice == "Raise the limit: ulimit -v unlimited."


def test_a_program_that_may_not_be_run_is_told_by_the_right_it_lacks(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.touch(mode=0o644)
    with pytest.raises(PermissionError) as refusal:
        subprocess.run([program], check=False)
    told = explain(refusal.value, "started", program)
    assert f"{program} cannot be started: " in told.message
    assert "may not run it" in told.message
    assert told.advice == f"Give yourself the right (chmod u+x {program})."


def test_a_link_that_leads_nowhere_is_told_with_its_target(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/no/where")
    told = explain(refused(errno.ENOENT, tmp_path / "link"), "read")
    assert "it is a link to /no/where, which is not there" in told.message
