"""Where a run's settings come from: flags, else the environment, else the user's config file, else the preset."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.backends import BACKENDS
from engine.causes import explain
from engine.config import FIELDS, TrainConfig, parse_field
from engine.errors import ConfigError
from engine.families import home_conventions
from engine.folders import config_folder, expanded
from engine.presets import DEFAULT_PRESET, Preset, get_preset
from engine.regular_files import read_regular
from engine.runs import Store
from engine.setting_names import meant
from engine.text import decoded

ENVIRONMENT_PREFIX = "MNIST_TUI_"
SETTINGS = tuple(name for name in FIELDS if name != "preset_name")
OF_THE_APP = ("store", "theme", "keys")
"""What makes no difference to a run. The keys are a table, which only the file can hold."""
KEYS = (*SETTINGS, "preset", "store", "theme")
PATHS = ("data", "store")
MOST_BYTES = 1024 * 1024
ALIKE = 0.85
"""How alike a variable's name must be to a setting's to be taken for a misspelt one: other programs have theirs."""

Source = Literal["flag", "environment", "file", "preset", "default", "installed"]
"""Where a value comes from; "installed": the preset's own framework is not, so the other stands in."""


@dataclass(frozen=True)
class Choice:
    """A value that the user chose, and the sentence that says where, for errors; flags speak for themselves."""

    value: Any
    origin: str = ""
    source: Source = "flag"


@dataclass(frozen=True)
class Plan:
    """The settings of a run to be started, and what the user should know of how they came about, if anything.

    `sources` says of each setting, and of the preset, where it comes from.
    """

    config: TrainConfig
    notice: str
    sources: Mapping[str, Source]


def config_path() -> Path:
    """Return where the user's config file is, or would be."""
    return config_folder() / "config.toml"


def chosen_settings(flags: Mapping[str, Any]) -> dict[str, Choice]:
    """Return what the user chose, by key, from flags (None where not given), environment and config file.

    Values are as given, not parsed. Raises ConfigError when the config file cannot be read.
    """
    from_flags = {key: Choice(value) for key, value in flags.items() if value is not None}
    return _from_file(config_path()) | _from_environment() | from_flags


def plan_run(flags: Mapping[str, Any], match: bool = False) -> Plan:
    """Return the settings that `flags` and all the rest add up to; raise ConfigError for the first bad one.

    With `match`, both backends follow the conventions of the preset's own framework.
    """
    chosen = chosen_settings(flags)
    for key in OF_THE_APP:
        chosen.pop(key, None)
    chosen.setdefault("preset", Choice(DEFAULT_PRESET, source="default"))
    preset = _preset(chosen["preset"])
    if match:
        chosen["conventions"] = _matched_conventions(preset, flags.get("conventions"))
    notice = "" if "backend" in chosen else _choose_installed_backend(preset, chosen)
    return Plan(_combine(preset, chosen), notice, _sources(preset, chosen))


def check_config_file() -> None:
    """Raise ConfigError for the first thing wrong with the user's config file, whatever flags and environment say."""
    chosen = _from_file(config_path())
    for key in OF_THE_APP:
        if key in chosen:
            _parse(key, chosen.pop(key))
    _combine(_preset(chosen.get("preset", Choice(DEFAULT_PRESET))), chosen)


def source_of(key: str, flag: str | None) -> Source:
    """Return where the choice of what is the app's comes from, as locate_store and user_settings make it."""
    return "flag" if flag else chosen_settings({}).get(key, Choice(None, source="default")).source


def user_settings(theme: str | None = None) -> dict[str, Any]:
    """Return what environment, config file and the flag `theme` set, parsed; raise ConfigError for a bad value."""
    return {key: _parse(key, choice) for key, choice in chosen_settings({"theme": theme or None}).items()}


def locate_store(flag: str | None) -> Store:
    """Return the run store: the flag's, else the environment's, the config file's, or where Store.locate looks."""
    choice = Choice(flag) if flag else chosen_settings({}).get("store")
    return Store.locate(_parse("store", choice) if choice else None)


def variable(key: str) -> str:
    """Return the environment variable of a setting: `batch_size` → `MNIST_TUI_BATCH_SIZE`."""
    return ENVIRONMENT_PREFIX + key.upper()


def absolute_path(text: str) -> Path:
    """Return `text` as an absolute path, with a leading ~ expanded where that user exists.

    Raises an OSError that names it where it is relative to a current folder that has been deleted.
    """
    path = expanded(text)
    try:
        return path.absolute()
    except OSError as error:
        error.filename = str(path)
        raise


def _from_file(path: Path) -> dict[str, Choice]:
    import tomllib

    try:
        values = tomllib.loads(decoded(read_regular(path, MOST_BYTES, follow=True)))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ConfigError("", *explain(error, "read", path)) from error
    except UnicodeError as error:
        raise ConfigError("", f"{path} cannot be read: {error}.", "Save it as UTF-8 in your editor.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError("", f"{path} cannot be read: {error}.", "Correct or remove that file.") from error
    for key in values:
        if key not in (*KEYS, "keys"):
            raise ConfigError(key, f"{path} sets “{key}”, but there is no such setting.", _suggestion(key))
    return {key: Choice(value, f"It is the value of “{key}” in {path}.", "file") for key, value in values.items()}


def _suggestion(key: str) -> str:
    close = meant(key, KEYS)
    return f"Did you mean “{close}”?" if close else f"Settings are: {', '.join(KEYS)}."


def _from_environment() -> dict[str, Choice]:
    names = {key: variable(key) for key in KEYS}
    for name in sorted(os.environ.keys() - set(names.values())):
        if name.startswith(ENVIRONMENT_PREFIX) and (close := meant(name.removeprefix(ENVIRONMENT_PREFIX), KEYS, ALIKE)):
            message = f"The environment variable {name} is set, but there is no such setting."
            raise ConfigError(close, message, f"Did you mean {variable(close)}? Else remove it.")
    return {
        key: Choice(os.environ[name], f"It is the value of the environment variable {name}.", "environment")
        for key, name in names.items()
        if os.environ.get(name)
    }


def _preset(choice: Choice) -> Preset:
    name = _parse("preset", choice)
    try:
        return get_preset(name)
    except ConfigError as error:
        raise _located(error, choice) from error


def _combine(preset: Preset, chosen: Mapping[str, Choice]) -> TrainConfig:
    """Return the settings of `preset` with what was chosen in their place."""
    values = {key: _parse(key, choice) for key, choice in chosen.items() if key != "preset"}
    try:
        return TrainConfig.create(**{"preset_name": preset.name, **preset.settings, **values})
    except ConfigError as error:
        raise _located(error, chosen.get(error.field, Choice(None))) from error


def _sources(preset: Preset, chosen: Mapping[str, Choice]) -> dict[str, Source]:
    by_preset: dict[str, Source] = dict.fromkeys(preset.settings, "preset")
    by_choice = {key: choice.source for key, choice in chosen.items()}
    return {**dict.fromkeys(SETTINGS, "default"), **by_preset, **by_choice}


def _parse(key: str, choice: Choice) -> Any:
    """Return the value of `choice` as `key` takes it; raise ConfigError, which says where it came from."""
    value = choice.value
    try:
        if key in FIELDS:
            value = parse_field(key, value)
        elif key == "keys":
            from tui.keys import check_keys

            return check_keys(value)
        elif not isinstance(value, str):
            raise ConfigError(key, f"{key.capitalize()} must be a text, not {value!r}.")
        elif key == "theme":
            _check_theme(value)
        if isinstance(value, str) and not _is_plain_text(value):
            raise ConfigError(key, f"{key.capitalize()} must be UTF-8 text without NUL characters.")
    except ConfigError as error:
        raise _located(error, choice) from error
    return str(absolute_path(value)) if key in PATHS and value else value


def _check_theme(name: str) -> None:
    from tui.theme import theme_names

    if name not in theme_names():
        raise ConfigError("theme", f"There is no theme “{name}”.", f"Themes are: {', '.join(theme_names())}.")


def _is_plain_text(value: str) -> bool:
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False


def _located(error: ConfigError, choice: Choice) -> ConfigError:
    """Return `error` with a hint that also says where the value comes from."""
    return ConfigError(error.field, error.message, " ".join(part for part in (error.hint, choice.origin) if part))


def _matched_conventions(preset: Preset, wanted: str | None) -> Choice:
    home = home_conventions(TrainConfig.preset(preset.name))
    if wanted not in (None, home):
        raise ConfigError(
            "conventions",
            f"--match means --conventions {home} with this preset, but --conventions {wanted} was given.",
            "Leave one of the two out.",
        )
    return Choice(home)


def _choose_installed_backend(preset: Preset, chosen: dict[str, Choice]) -> str:
    """Choose the other framework where only that is installed; return a notice of it, or ""."""
    home = BACKENDS[preset.backend]
    other = next((info for info in BACKENDS.values() if info.installed), home)
    if home.installed or other is home:
        return ""
    chosen["backend"] = Choice(other.name, source="installed")
    return f"{home.label} is not installed, so {other.label} trains instead. To add it: {home.install_command}"
