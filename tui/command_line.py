"""The form's settings as commands that train the same without the app."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.message import Message

from engine.config import FIELDS, TrainConfig
from engine.errors import ConfigError
from tui.run_commands import store_in_force
from tui.settings import PATHS, SETTINGS, absolute_path, plan_run


@dataclass
class CommandsWritten(Message):
    """The command that trains the form's settings, and the one that does it on both backends."""

    train: str
    both: str


def write_commands(config: TrainConfig, repeats: int, store: Path) -> Message:
    """Write what the form's two buttons do as commands."""
    from engine.families import matched

    both = [train_command(one, repeats, store) for one in matched(config)]
    return CommandsWritten(train_command(config, repeats, store), " && ".join(both))


def train_command(config: TrainConfig, repeats: int = 1, store: Path | None = None) -> str:
    """Return the command that trains `config`; it tells what neither preset nor environment nor config file do."""
    words = ["mnist-tui", "train", "--preset", config.preset_name]
    usual = _usual(config.preset_name)
    for name in SETTINGS:
        value = getattr(config, name)
        if name in PATHS and value:
            value = str(absolute_path(value))
        if usual is None or value != getattr(usual, name):
            words += _flag(name, value)
    if repeats > 1:
        words += ["--repeats", str(repeats)]
    if store and store != store_in_force():
        words += ["--store", str(store)]
    return shlex.join(words)


def _usual(preset: str) -> TrainConfig | None:
    """Return what the preset alone would train for this user; None where that does not go together by itself."""
    try:
        return plan_run({"preset": preset}).config
    except ConfigError:
        return None


def _flag(name: str, value: Any) -> list[str]:
    flag = FIELDS[name].flag
    if isinstance(value, bool):
        return [flag if value else f"--no-{flag.removeprefix('--')}"]
    return [flag, str(value)]
