"""The start of mnist-tui and of the processes it starts: whose modules they run, and how Ctrl+C ends them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.events import RunFinished
from engine.launcher import launch
from engine.process import FOR_PEOPLE, START, python_command, python_environment
from engine.runs import Store
from tests.engine.test_turns import quick
from tests.stress.terminals import Pty, last_setting
from tests.waiting import wait_for_event

COMMAND = (sys.executable, "-P", str(START))
OTHERS = (
    "engine.py",
    "tui/__init__.py",
    "tui/cli.py",
    "torch.py",
    "tensorflow.py",
    "numpy.py",
    "click.py",
    "signal.py",
)
INTERRUPT = """
import os, signal, sys

def interrupt(event, arguments):
    if event == "import" and arguments[0] == os.environ["INTERRUPT_AT"]:
        os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(interrupt)
"""


@pytest.fixture
def witness(tmp_path: Path) -> Path:
    """What other people's modules write when they are run."""
    return tmp_path / "witness"


@pytest.fixture
def hostile(tmp_path: Path, witness: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory: it has modules with the names of ours and of those that we import."""
    folder = tmp_path / "hostile"
    for name in OTHERS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"open({str(witness)!r}, 'a').write({name!r}); raise SystemExit('not ours')")
    monkeypatch.chdir(folder)
    return folder


def version(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run `mnist-tui --version`, which imports both packages."""
    given = {**os.environ, **environment}
    return subprocess.run([*COMMAND, "--version"], env=given, stdin=subprocess.DEVNULL, capture_output=True, text=True)


@pytest.mark.parametrize("python_path", ["", ":/nowhere", "/nowhere:"])
def test_the_working_directory_is_searched_by_nothing(
    hostile: Path, witness: Path, store: Store, monkeypatch: pytest.MonkeyPatch, python_path: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", python_path)
    told = version()
    assert told.stdout.startswith("mnist-tui ")
    assert told.stderr == ""
    finished = wait_for_event(launch(store, quick()), RunFinished)
    assert finished.error is not None  # there are no data, which only our own worker can know
    assert "/nowhere" in finished.error.message
    assert not witness.exists()


def test_python_is_started_in_one_way_only() -> None:
    sources = [path for folder in ("engine", "tui") for path in (START.parent / folder).rglob("*.py")]
    starts = re.compile(r"[\[(]\s*sys\.executable")  # the beginning of a command
    starting = {path.relative_to(START.parent).as_posix() for path in sources if starts.search(path.read_text())}
    assert starting == {"engine/process.py"}


@pytest.mark.parametrize("name", ["engine.py", "tui.py", "engine/__init__.py"])
def test_modules_of_the_same_names_on_pythonpath_are_not_taken_for_ours(
    tmp_path: Path, store: Store, name: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("raise SystemExit('not ours')")
    told = version(PYTHONPATH=str(tmp_path))
    assert (told.returncode, told.stderr) == (0, "")
    worker = subprocess.run(
        python_command("engine.worker", str(tmp_path / "no-run")),
        env={**python_environment(), "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert "not ours" not in worker.stderr


def test_the_console_script_starts_here() -> None:
    import tomllib

    settings = tomllib.loads((START.parent / "pyproject.toml").read_text())
    assert settings["project"]["scripts"] == {"mnist-tui": f"{START.stem}:main"}
    assert settings["tool"]["setuptools"]["py-modules"] == [START.stem]


def test_a_package_that_the_command_needs_is_named_where_it_is_missing() -> None:
    told = subprocess.run([sys.executable, "-P", "-S", START, "--version"], capture_output=True, text=True)
    assert told.returncode == 1
    title, message, hint = told.stderr.splitlines()
    assert title == "Error: Package missing"
    assert message == "  mnist-tui needs the Python package “click”, which is not installed."
    assert hint == "  Add what is missing: pip install mnist-tui"


def test_an_installation_that_lacks_a_package_says_so(tmp_path: Path) -> None:
    copy = tmp_path / START.name
    copy.write_text(START.read_text())
    told = subprocess.run([sys.executable, "-P", "-S", copy, "--version"], capture_output=True, text=True)
    assert told.returncode == 1
    title, message, hint = told.stderr.splitlines()
    assert title == "Error: mnist-tui is not installed correctly"
    assert message == "  No module named 'tui'"
    assert str(tmp_path) in hint
    assert "--force-reinstall" in hint


def test_variables_for_people_do_not_reach_our_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FOR_PEOPLE:
        monkeypatch.setenv(name, "error")
    assert not {*FOR_PEOPLE} & {*python_environment()}


@pytest.fixture
def interrupting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Has every process interrupt itself as soon as it imports the module that INTERRUPT_AT names."""
    (tmp_path / "sitecustomize.py").write_text(INTERRUPT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return monkeypatch


@pytest.mark.parametrize("module", ["click", "engine.runs", "tui.snapshot", "tui.settings"])
def test_ctrl_c_during_the_start_of_a_command_is_silent(
    store: Store, interrupting: pytest.MonkeyPatch, module: str
) -> None:
    interrupting.setenv("INTERRUPT_AT", module)
    told = subprocess.run([*COMMAND, "runs"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (told.returncode, told.stdout, told.stderr) == (130, "", "")


@pytest.mark.parametrize(
    ("module", "is_on_screen"),
    [("textual.app", False), ("tui.app", False), ("tui.screens.opening", False), ("tui.widgets.setup_form", True)],
)
def test_ctrl_c_during_the_start_of_the_app_gives_the_terminal_back(
    store: Store, interrupting: pytest.MonkeyPatch, module: str, is_on_screen: bool
) -> None:
    interrupting.setenv("INTERRUPT_AT", module)
    terminal = Pty(program=COMMAND)
    assert terminal.wait_for_end() == 130
    assert last_setting(bytes(terminal.raw), "1049") == ([b"l"] if is_on_screen else [b""])
    assert b"Traceback" not in terminal.raw
    assert b"bug" not in terminal.raw
