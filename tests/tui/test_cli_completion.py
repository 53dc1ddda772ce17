"""A shell completes the command's words: its script is printed, and asks mnist-tui itself at every Tab."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from engine.config import TrainConfig
from engine.models import ARCHITECTURES
from engine.presets import PRESETS
from engine.runs import Store
from tests.tui.cli_harness import COMMAND, printed, refused
from tests.waiting import PATIENCE
from tui.cli import COMMANDS, run

SHELLS = ("bash", "zsh", "fish")
HEAVY = ("torch", "torchvision", "tensorflow", "keras", "textual", "numpy", "rich")


@pytest.fixture
def runs(cli_store: Path) -> list[str]:
    """The ids of four runs, the oldest first: one called mine, one without a name, and two called twice."""
    ids = []
    for name in ("mine", "", "twice", "twice"):
        created, lock = Store(cli_store).create(TrainConfig.preset("pytorch-tutorial", name=name))
        lock.release()
        ids.append(created.id)
    return ids


@pytest.fixture
def command_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`mnist-tui` is what the shell finds by that name."""
    script = tmp_path / "bin" / "mnist-tui"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")


Offered = Callable[..., list[str]]


@pytest.fixture
def offered(cli_store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Offered:
    """A function that returns what is offered in the place of the last of the words that follow `mnist-tui`."""

    def offered(*words: str) -> list[str]:
        monkeypatch.setenv("_MNIST_TUI_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", shlex.join(["mnist-tui", *words[:-1]]) + f" {words[-1]}")
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        with pytest.raises(SystemExit) as ended:
            run([])
        captured = capsys.readouterr()
        assert (ended.value.code, captured.err) == (0, "")
        return [line.removeprefix("plain,") for line in captured.out.split()]

    return offered


@pytest.mark.parametrize("words", [("show",), ("show", "last"), ("attach",), ("mistakes", "last", "--against")])
def test_a_run_is_offered_by_name_and_id(offered: Offered, runs: list[str], words: tuple[str, ...]) -> None:
    assert offered(*words, "") == ["last", "mine", *(f"torch-{number}" for number in (4, 3, 2, 1)), *reversed(runs)]
    assert offered(*words, "mi") == ["mine"]


def test_runs_come_from_the_store_that_is_named(
    offered: Offered, runs: list[str], cli_store: Path, tmp_path: Path
) -> None:
    cli_store.rename(tmp_path / "moved")
    assert offered("show", "") == []
    assert offered("show", "--store", str(tmp_path / "moved"), "m") == ["mine"]
    assert offered("--store", str(tmp_path / "moved"), "show", "m") == ["mine"]


def test_a_name_that_a_shell_would_split_is_not_offered(offered: Offered, cli_store: Path) -> None:
    odd, lock = Store(cli_store).create(TrainConfig.preset("pytorch-tutorial", name="two words; rm"))
    lock.release()
    assert offered("show", "") == ["last", "torch-1", odd.id]


def test_a_broken_config_file_offers_nothing_and_says_nothing(
    offered: Offered, config_file: Path, runs: list[str]
) -> None:
    config_file.write_text("epochs = ")
    assert offered("show", "") == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("",), list(COMMANDS)),
        (("con",), ["config"]),
        (("config", ""), ["edit", "path", "show"]),
        (("completion", ""), list(SHELLS)),
        (("train", "--preset", ""), list(PRESETS)),
        (("train", "--model", ""), list(ARCHITECTURES)),
        (("train", "--backend", ""), ["torch", "tensorflow"]),
        (("resume", "last", "--backend", "te"), ["tensorflow"]),
        (("train", "--device", ""), ["auto", "cpu", "cuda", "mps"]),
        (("config", "show", "--optimizer", "ada"), ["adam", "adamw"]),
        (("train", "--learning-rate", ""), []),
        (("train", "--data", "im"), ["file,im"]),
        (("runs", "--store", "ru"), ["dir,ru"]),
        (("train", "--label"), ["--label-smoothing"]),
    ],
)
def test_what_can_be_listed_is_offered(offered: Offered, words: tuple[str, ...], expected: list[str]) -> None:
    assert offered(*words) == expected


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("words", ["mnist-tui ", "mnist-tui show ", "mnist-tui train --model "])
def test_an_answer_waits_for_no_heavy_import(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_MNIST_TUI_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split())))
    code = f"import atexit, sys, tui.cli; atexit.register(lambda: print([m for m in {HEAVY} if m in sys.modules]))"
    ended = subprocess.run([sys.executable, "-c", f"{code}; tui.cli.run()"], capture_output=True, text=True)
    assert ended.stdout.splitlines()[-1] == "[]"
    assert len(ended.stdout.splitlines()) > 3


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.usefixtures("cli_store", "command_on_path")
def test_each_shell_takes_its_script(shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = printed(capsys, "completion", shell)
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "script").write_text(script)
    ended = subprocess.run([shell, "-n", tmp_path / "script"], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("bash --norc --noprofile -i", 'eval "$(mnist-tui completion bash)"'),
        ("zsh -f -i", 'autoload -U compinit; compinit -u -D; eval "$(mnist-tui completion zsh)"'),
    ],
    ids=["bash", "zsh"],
)
@pytest.mark.usefixtures("command_on_path")
def test_tab_completes_a_run_and_enter_shows_it(shell: str, line: str, runs: list[str]) -> None:
    if not shutil.which(shell.split()[0]):
        pytest.skip(f"{shell.split()[0]} is not installed")
    child = pexpect.spawn(shell, env=dict(os.environ), encoding="utf-8", timeout=PATIENCE)
    child.sendline(f"{line}; echo rea''dy")
    child.expect_exact("ready\r\n")
    child.send("mnist-tui show mi\t\r")
    child.expect_exact(runs[0])
    child.close(force=True)


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
@pytest.mark.usefixtures("runs", "command_on_path")
def test_fish_completes_a_run() -> None:
    line = 'mnist-tui completion fish | source; complete -C "mnist-tui show mi"'
    ended = subprocess.run(["fish", "--no-config", "-c", line], capture_output=True, text=True)
    assert ended.stdout.split("\t")[0].strip() == "mine", ended


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "bash" in refused(capsys, ["completion", "tcsh"])
