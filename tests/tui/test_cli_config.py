"""`mnist-tui config` tells what holds and why, and has the user's editor open a file that explains itself."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pexpect
import pytest

from engine.backends import BACKENDS
from tests.tui.cli_harness import needs_a_framework, on_terminal, printed, refused
from tui.settings import KEYS, check_config_file, config_path, user_settings

pytestmark = pytest.mark.usefixtures("cli_store")


def edited(monkeypatch: pytest.MonkeyPatch, editor: str) -> tuple[int | None, str]:
    """Let `editor`, a shell command with the file as $0, be the user's; return status and output of `config edit`."""
    monkeypatch.setenv("EDITOR", f"sh -c '{editor}'")
    child = on_terminal("config", "edit", columns=300)
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.before


def test_path_is_the_files_place_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "config", "path") == f"{config_path()}\n"


@needs_a_framework
def test_show_tells_where_each_value_comes_from(
    config_file: Path, cli_store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config_file.write_text('backend = "torch"\nepochs = 2\nbatch_size = 16\nseed = 9\n')
    monkeypatch.setenv("MNIST_TUI_EPOCHS", "3")
    monkeypatch.setenv("MNIST_TUI_BATCH_SIZE", "48")
    told = json.loads(printed(capsys, "config", "show", "--batch-size", "8", "--json"))
    assert (told["file"], told["file_exists"]) == (str(config_file), True)
    assert set(told["settings"]) == set(KEYS)
    expected = {
        "preset": ("pytorch-tutorial", "default"),
        "backend": ("torch", "file"),
        "batch_size": (8, "flag"),
        "epochs": (3, "environment"),
        "seed": (9, "file"),
        "learning_rate": (0.01, "preset"),
        "momentum": (0.9, "default"),
        "store": (str(cli_store), "environment"),
    }
    assert {key: tuple(told["settings"][key].values()) for key in expected} == expected


def test_show_names_variable_and_preset(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MNIST_TUI_BATCH_SIZE", "48")
    arguments = ("config", "show", "--preset", "speedrun", "--match", "--store", "elsewhere")
    file, _, *rows = printed(capsys, *arguments).splitlines()
    assert file == f"Config file: {config_path()} (none yet: mnist-tui config edit)"
    cells = dict(re.split(r"  +", row.strip(), maxsplit=1) for row in rows)
    assert cells["preset"].split() == ["speedrun", "flag"]
    assert cells["batch_size"].split() == ["48", "environment,", "MNIST_TUI_BATCH_SIZE"]
    assert cells["epochs"].split() == ["1", "preset,", "speedrun"]
    assert cells["conventions"].split() == ["torch", "flag"]
    assert cells["store"].split() == [str(Path.cwd() / "elsewhere"), "flag"]


def test_show_says_that_the_other_framework_stands_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed = {"torch": False, "tensorflow": True}
    monkeypatch.setattr(type(BACKENDS["torch"]), "installed", property(lambda info: installed[info.name]))
    told = json.loads(printed(capsys, "config", "show", "--json"))
    assert told["settings"]["backend"] == {"value": "tensorflow", "source": "installed"}


def test_show_refuses_what_train_would_refuse(config_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config_file.write_text("epochs = 0\n")
    assert f"It is the value of “epochs” in {config_file}." in refused(capsys, ["config", "show"])


def test_a_new_file_explains_every_setting_and_sets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    before = user_settings()
    status, output = edited(monkeypatch, "true")
    assert (status, output.strip()) == (0, f"{config_path()}: no mistakes found.")
    text = config_path().read_text()
    assert tomllib.loads(text) == {"keys": {}}
    assert user_settings() == {**before, "keys": {}}
    assert "images; 1 to 10 are usual, more bring little.\n# A whole number from 1 to 10,000.\n# epochs = 10\n" in text


def test_every_line_of_a_new_file_can_be_taken_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    assert edited(monkeypatch, "true")[0] == 0
    text = re.sub(r"^# (\w+ = )", r"\1", config_path().read_text(), flags=re.MULTILINE)
    assert set(tomllib.loads(text)) == {*KEYS, "keys"}
    config_path().write_text(text)
    check_config_file()


def test_a_mistake_is_told_and_the_file_kept(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_file.write_text("# mine\n")
    monkeypatch.setenv("MNIST_TUI_EPOCHS", "3")  # it hides the file's value from a run, but not from the check
    status, output = edited(monkeypatch, "echo epochs = 0 >>$0")
    assert status == 2
    assert "Epochs must be a whole number from 1 to 10,000, not 0." in output
    assert f"It is the value of “epochs” in {config_file}." in output
    assert config_file.read_text() == "# mine\nepochs = 0\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [("epochs =", "cannot be read"), ("epoch = 1", "Did you mean “epochs”?"), ("limit = 9", "at most the limit of 9")],
)
def test_the_check_finds_what_a_run_would_refuse(
    config_file: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    status, output = edited(monkeypatch, f"echo {text} >$0")
    assert status == 2
    assert words in output


def test_visual_beats_editor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "true")
    assert edited(monkeypatch, "exit 3")[0] == 0


@pytest.mark.parametrize(
    ("editor", "words"),
    [
        ("", "Neither VISUAL nor EDITOR names one."),
        ("no-such-editor", "Editor failed"),
        ("false", "Editor failed"),
        ("vi '", "Editor failed"),
    ],
)
def test_without_a_working_editor_there_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, editor: str, words: str
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", editor)
    child = on_terminal("config", "edit", columns=300)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 2
    assert child.before.count("Error: ") == 1
    assert words in child.before
    assert str(config_path()) in child.before


def test_without_a_terminal_nothing_is_edited(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDITOR", "true")
    assert "No terminal" in refused(capsys, ["config", "edit"])
    assert not config_path().exists()
