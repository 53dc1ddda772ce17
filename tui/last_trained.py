"""The settings that were trained last in the app: the form of the next session starts with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.config import FIELDS, TrainConfig, parse_field
from engine.errors import ConfigError
from engine.presets import DEFAULT_PRESET, PRESETS
from tui.availability import installed_backend
from tui.memory import Memory

NAME = "form"
FORGOTTEN = ("name", "preset_name")
"""A name is one run's; how often to repeat is not remembered either: five runs instead of one should be asked for."""
PERSONAL = frozenset({"preset_name", "device", "seed", "limit", "deterministic", "threads", "data", "name"})
"""Settings that are no part of a recipe: another preset leaves them as they are."""


def keep(memory: Memory, config: TrainConfig) -> None:
    """Remember `config`, which the form had when its training was started."""
    values = {name: _as_text(getattr(config, name)) for name in FIELDS if name not in FORGOTTEN}
    memory.keep(NAME, json.dumps({"preset": config.preset_name, **values}))


def recall(memory: Memory | None) -> dict[str, str]:
    """Return what was remembered, as texts by setting; {} where that is nothing, or damaged."""
    try:
        values = json.loads(memory.recall(NAME)) if memory else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(values, dict) or values.get("preset") not in PRESETS:
        return {}
    return {name: value for name, value in values.items() if name == "preset" or _is_usable(name, value)}


def starting_settings(given: Mapping[str, Any], last: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form starts with: what the user has `given` (file, environment), else what was trained `last`.

    Where the user's preset is another one than the last, only what is no part of a recipe is taken from the last.
    """
    preset = given.get("preset")
    is_another = preset is not None and preset != last.get("preset", DEFAULT_PRESET)
    taken = {name: value for name, value in last.items() if name in PERSONAL or not is_another}
    if "backend" in taken:
        taken["backend"] = installed_backend(taken["backend"])
    return {**taken, **{name: value for name, value in given.items() if value is not None}}


def _is_usable(name: str, value: object) -> bool:
    if name not in FIELDS or name in FORGOTTEN or not isinstance(value, str):
        return False
    try:
        parse_field(name, value)
    except ConfigError:
        return False
    return True


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
