"""A bug of our own: the terminal is given back, a report is written, one message says where, and runs go on."""

from __future__ import annotations

import asyncio
import importlib
import os
import re
import sys
import tempfile
from pathlib import Path

import click
import pexpect
import pytest
from textual.events import Key

from engine import events
from engine.backends import BACKENDS
from engine.errors import RunError
from engine.runs import Store
from tests.tui.app_harness import WrittenRun, is_locked, opened
from tests.tui.cli_harness import call
from tests.waiting import PATIENCE
from tui import cli

BROKEN_APP = """
import sys
from engine.runs import Store
from tui.app import MnistApp
def break_down(app):
    secret = "shown to nobody"
    raise ValueError("no \\x1b[31mhelp")
MnistApp.action_help = break_down
app = MnistApp(Store.locate(), {})
app.run()
sys.exit(app.return_code)
"""
LEAVE_SCREEN = "\x1b[?1049l"


@click.command()
def bug() -> None:
    """Divide by nothing."""
    click.echo(1 // 0)


@click.command()
def known() -> None:
    """Meet an error that is foreseen."""
    raise RunError("No such run", "It is not there.")


@click.command()
def lacking() -> None:
    """Need a package that is not installed."""
    importlib.import_module("no_such_package.part")


def reports(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "state").rglob("crash-reports/*"))


def test_the_app_leaves_a_report_and_the_terminal_and_its_runs_as_they_were(cli_store: Path, tmp_path: Path) -> None:
    written = WrittenRun(Store(cli_store))
    written.start()
    child = pexpect.spawn(
        sys.executable, ["-c", BROKEN_APP], env=dict(os.environ), encoding="utf-8", dimensions=(24, 80),
        timeout=PATIENCE,
    )  # fmt: skip
    child.expect_exact("running")
    child.send("?")
    child.expect_exact(LEAVE_SCREEN)
    rest = child.read()
    child.close()
    assert child.exitstatus == 1
    (report,) = reports(tmp_path)
    told = re.sub(r"\x1b\[[0-9;?]*[a-z]|\s", "", rest)
    assert "ValueError:no[31mhelp" in told
    assert str(report) in told
    assert "mnist-tuiruns" in told
    assert "nobody" not in rest
    assert "in break_down" in report.read_text()
    assert is_locked(written.run)
    written.vanish()


@pytest.mark.parametrize("key", ["3", "4", "5"])
async def test_who_leaves_while_a_screen_is_being_made_leaves_no_report(key: str, store: Store, tmp_path: Path) -> None:
    for steps in range(4, 12):
        async with opened(store) as (app, _):
            app.post_message(Key(key, None))
            for _ in range(steps):
                await asyncio.sleep(0)
    assert reports(tmp_path) == []


def test_a_command_says_where_its_report_is_and_what_is_in_it_is_no_secret(
    cli_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "bug", __name__)
    monkeypatch.setenv("TOKEN", "of great value")
    assert cli.run(["bug"]) == 1
    captured = capsys.readouterr()
    (report,) = reports(tmp_path)
    assert captured.out == ""
    assert captured.err.splitlines()[0].endswith("ZeroDivisionError: integer division or modulo by zero")
    assert str(report) in captured.err
    assert "Traceback" not in captured.err
    text = report.read_text()
    for fact in ("Python:", "Platform:", "TERM:", "Command:", "mnist-tui:", "textual:", "torch:", "tensorflow:"):
        assert fact in text
    assert "in bug\n" in text
    assert "of great value" not in text
    assert report.stat().st_mode & 0o077 == 0


def test_an_error_that_is_foreseen_leaves_none(
    cli_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "known", __name__)
    assert cli.run(["known"]) == 2
    assert reports(tmp_path) == []


def test_a_package_that_is_missing_is_named_with_the_command_that_adds_it(
    cli_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "lacking", __name__)
    assert cli.run(["lacking"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "Error: Package missing",
        "  mnist-tui needs the Python package “no_such_package”, which is not installed.",
        "  Add what is missing: pip install mnist-tui",
    ]
    assert reports(tmp_path) == []


def test_a_report_that_the_state_folder_does_not_take_goes_to_the_temporary_one(
    cli_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "bug", __name__)
    (tmp_path / "state").write_text("in the way")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert cli.run(["bug"]) == 1
    (report,) = tmp_path.glob("mnist-tui-*.txt")
    assert f"A report is in {report}" in capsys.readouterr().err


def test_where_no_report_can_be_written_the_traceback_is_shown(
    cli_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "bug", __name__)
    (tmp_path / "state").write_text("in the way")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "state"))
    assert cli.run(["bug"]) == 1
    told = capsys.readouterr().err
    assert f"No report could be written: {tmp_path / 'state'}" in told
    assert f"{tmp_path / 'state'} is a file, and a folder is needed there" in told
    assert "ZeroDivisionError: integer division or modulo by zero\n" in told
    assert "Traceback" in told


@pytest.mark.skipif(not BACKENDS["torch"].installed, reason="PyTorch is not installed")
def test_a_worker_s_unforeseen_error_fails_the_run_and_stands_in_its_log(
    cli_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken" / "torch").mkdir(parents=True)
    (tmp_path / "broken" / "torch" / "__init__.py").write_text("1 // 0")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    ended = call("train", "--backend", "torch", "--epochs", "1")
    assert ended.returncode == 1
    assert "ZeroDivisionError" in ended.stderr
    run = Store(cli_store).find("last")
    assert isinstance(run.events()[-1], events.RunFinished)
    assert run.status() == "failed"
    assert "Traceback" in run.log_path.read_text()
