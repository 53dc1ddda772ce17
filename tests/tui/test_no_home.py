"""A user without a home folder: no HOME and no passwd entry, as in many containers."""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from engine import folders
from engine.causes import explain
from engine.errors import StoreError
from engine.process import python_environment
from tests.waiting import PATIENCE
from tui import cli

STRANGER = ("unshare", "--user", "--map-user=12345", "--map-group=12345")
COMMAND = (sys.executable, "-P", "-c", "from tui.cli import main; main()")


@pytest.fixture
def homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This process's user has no home; returns the folder that should stand in for one."""

    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    for name in ("HOME", "MNIST_TUI_STORE", *folders.VARIABLES.values()):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path / f"mnist-tui-{os.getuid()}"


def test_a_temporary_folder_stands_in_and_one_notice_says_so(
    homeless: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["runs"]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("Notice: ") == 1
    assert f"kept in {homeless}" in captured.err
    assert "XDG_STATE_HOME" in captured.err
    assert f"There are no runs in {homeless}/state/mnist-tui/runs yet" in captured.out
    assert homeless.stat().st_mode & 0o777 == 0o700


def test_what_is_started_uses_the_same_folders(homeless: Path) -> None:
    environment = python_environment()
    assert environment["HOME"] == str(homeless)
    assert environment["XDG_STATE_HOME"] == str(folders.state_folder().parent)


def test_a_folder_of_somebody_elses_is_not_used(homeless: Path, capsys: pytest.CaptureFixture[str]) -> None:
    homeless.symlink_to("/tmp")
    with pytest.raises(StoreError, match="others may write"):
        folders.temporary_home()
    assert cli.run(["runs"]) == 2
    assert "Set HOME" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["a file", "a folder that is not there"])
def test_without_any_place_for_a_home_one_message_says_so(
    homeless: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    if place == "a file":
        homeless.touch()
    else:
        monkeypatch.setattr(tempfile, "tempdir", str(homeless / "gone"))
    assert cli.run(["runs"]) == 2
    told = capsys.readouterr().err
    assert str(homeless) in told
    assert "Set HOME" in told
    assert explain(OSError(errno.EROFS, "Read-only file system", "/x"), "written").message.startswith("/x cannot")


def test_a_crash_is_reported_all_the_same(
    homeless: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "bug", "tests.tui.test_crash_report")
    assert cli.run(["bug"]) == 1
    (report,) = homeless.rglob("crash-reports/*")
    told = capsys.readouterr().err
    assert f"A report is in {report}" in told
    assert "Traceback" not in told


def test_every_folder_that_is_set_is_used_without_a_notice(
    homeless: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in folders.VARIABLES.values():
        monkeypatch.setenv(variable, str(tmp_path / variable))
    assert folders.homeless_notice() == ""
    assert folders.state_folder() == tmp_path / "XDG_STATE_HOME" / "mnist-tui"
    assert not homeless.exists()


def test_a_real_user_without_a_passwd_entry_can_list_runs(tmp_path: Path) -> None:
    if shutil.which(STRANGER[0]) is None or subprocess.run([*STRANGER, "true"], capture_output=True).returncode:
        pytest.skip("no user namespace can be made here")
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "TMPDIR": str(tmp_path)}
    answer = subprocess.run(
        [*STRANGER, *COMMAND, "runs"], env=environment, capture_output=True, text=True, timeout=PATIENCE, cwd=tmp_path
    )
    assert answer.returncode == 0, answer.stderr
    assert f"kept in {tmp_path}/mnist-tui-12345" in answer.stderr
    assert "Traceback" not in answer.stderr
