"""The command that the app shows trains the same as the form: the command line itself reads it back."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from engine.config import TrainConfig
from engine.families import matched, repeated
from engine.runs import Store
from tests.tui.app_harness import opened, until, until_shown
from tui.command_line import CommandsWritten, train_command, write_commands
from tui.commands.train import train
from tui.screens.command import CommandScreen
from tui.settings import plan_run

CHANGED = {
    "backend": "tensorflow", "device": "cuda:1", "model": "cnn", "epochs": 3, "batch_size": 9, "learning_rate": 1e-05,
    "optimizer": "nesterov", "seed": 5, "momentum": 0.5, "weight_decay": 0.1 + 0.2, "schedule": "cosine",
    "label_smoothing": 0.1, "normalisation": "standard", "augmentation": "shift", "shuffle": False, "validation": 10,
    "limit": 50, "conventions": "keras", "deterministic": True, "threads": 1, "data": "/no where/'$x'",
    "name": "--it's \"mine\"; rm -rf ~",
}  # fmt: skip


def read_back(command: str) -> list[TrainConfig]:
    """Return what the command line would train when given `command`."""
    program, verb, *arguments = shlex.split(command)
    assert (program, verb) == ("mnist-tui", "train")
    flags = train.make_context(verb, arguments).params
    repeats = flags.pop("repeats")
    assert not flags.pop("match")
    for other in ("store_path", "as_json", "detach", "skip_queue"):
        flags.pop(other)
    return repeated(plan_run(flags).config, repeats)


@pytest.mark.usefixtures("cli_store")
@pytest.mark.parametrize("preset", ["pytorch-tutorial", "tensorflow-tutorial", "accurate"])
def test_every_setting_is_told_and_quoted(preset: str) -> None:
    config = TrainConfig.preset(preset, **CHANGED)
    assert read_back(train_command(config)) == [config]


def test_only_what_differs_from_the_preset_and_from_the_users_own_settings_is_told(
    config_file: Path, tiny_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file.write_text("epochs = 4\n")
    monkeypatch.setenv("MNIST_TUI_SEED", "3")
    usual = {"data": str(tiny_mnist), "epochs": 4, "seed": 3}
    config = TrainConfig.preset("speedrun", **usual)
    assert train_command(config) == "mnist-tui train --preset speedrun"
    config = config.replace(seed=0, epochs=1, learning_rate=0.05)
    assert train_command(config) == "mnist-tui train --preset speedrun --epochs 1 --learning-rate 0.05 --seed 0"
    assert read_back(train_command(config)) == [config]


def test_where_preset_and_user_do_not_go_together_everything_is_told(config_file: Path, tiny_mnist: Path) -> None:
    config_file.write_text("limit = 20\n")
    config = TrainConfig.preset("pytorch-tutorial", data=str(tiny_mnist), limit=20, batch_size=10)
    assert read_back(train_command(config)) == [config]


@pytest.mark.parametrize("changes", [{}, {"conventions": "keras", "backend": "tensorflow"}])
def test_both_and_repeats_are_told(cli_store: Path, tiny_mnist: Path, changes: dict[str, str]) -> None:
    config = TrainConfig.preset("pytorch-tutorial", data=str(tiny_mnist), seed=7, **changes)
    written = write_commands(config, 3, cli_store)
    assert isinstance(written, CommandsWritten)
    assert "--store" not in written.train
    assert read_back(written.train) == repeated(config, 3)
    both = [one for command in written.both.split(" && ") for one in read_back(command)]
    assert both == [one for member in matched(config) for one in repeated(member, 3)]


def test_a_store_of_another_place_is_told(cli_store: Path, tiny_mnist: Path) -> None:
    config = TrainConfig.preset("pytorch-tutorial", data=str(tiny_mnist))
    assert train_command(config, store=cli_store / "my runs").endswith(f"--store '{cli_store / 'my runs'}'")


async def test_its_key_copies_the_command_and_shows_it(cli_store: Path, tiny_mnist: Path) -> None:
    settings = {"data": str(tiny_mnist), "batch_size": "9"}
    async with opened(Store(cli_store), size=(80, 24), settings=settings) as (app, pilot):
        app.screen.query_one("#set-epochs").focus()
        await pilot.press("home", "shift+end", "3", "escape", "c")
        await until(lambda: isinstance(app.screen, CommandScreen), "the dialog is open")
        command = "mnist-tui train --preset pytorch-tutorial --epochs 3 --batch-size 9"
        await until_shown(app, command[:40], "Both frameworks", "sent to the clipboard")
        assert app.clipboard == command
        await pilot.press("C")
        assert app.clipboard.count("mnist-tui train --preset") == 2
        await pilot.press("escape")
        await until(lambda: not isinstance(app.screen, CommandScreen), "the dialog is closed")
