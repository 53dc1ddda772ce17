"""`mnist-tui config`: the user's own settings, where they are and what they come to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import Any

import click

from engine.causes import explain
from engine.config import FIELDS, Field
from engine.errors import ConfigError, EngineError
from engine.files import write_atomically
from engine.models import ARCHITECTURES
from engine.presets import DEFAULT_PRESET, PRESETS
from tui.commands.options import (
    GroupOptions,
    add_row,
    json_option,
    make_table,
    notify,
    open_store,
    print_json,
    print_table,
    report_error,
    store_option,
)
from tui.commands.train import recipe_options
from tui.formats import text_of
from tui.settings import SETTINGS, Source, check_config_file, config_path, plan_run, source_of, user_settings, variable
from tui.terminal import clean


@click.group(short_help="Tell and edit your own settings.")
def config() -> None:
    """Tell where your config file is, what holds and why, or edit it."""


@config.command(short_help="Print where your config file is, or would be.")
def path() -> None:
    """Print where your config file is, or would be."""
    click.echo(clean(str(config_path())))


@config.command(short_help="Show what a run would train with, and where each value comes from.")
@recipe_options
@store_option
@json_option
@click.pass_obj
def show(group: GroupOptions, /, match: bool, store_path: str | None, as_json: bool, **flags: Any) -> None:
    """Show every setting that `train` with the same flags would use, and where its value comes from.

    That is a flag, the environment, your config file, the preset, or the default.
    """
    from tui.theme import DEFAULT_THEME

    plan = plan_run(flags, match)
    values = {"preset": plan.config.preset_name, **{key: getattr(plan.config, key) for key in SETTINGS}}
    values["store"] = str(open_store(store_path).path)
    sources = {**plan.sources, "store": source_of("store", store_path or group.store_path)}
    app = user_settings(group.theme)
    values["theme"], sources["theme"] = app.get("theme", DEFAULT_THEME), source_of("theme", group.theme)
    for name, keys in app.get("keys", {}).items():
        values[f"keys.{name}"], sources[f"keys.{name}"] = keys, "file"
    file = config_path()
    if as_json:
        settings = {key: {"value": value, "source": sources[key]} for key, value in values.items()}
        print_json({"file": str(file), "file_exists": file.exists(), "settings": settings})
        return
    click.echo(clean(f"Config file: {file}" + ("" if file.exists() else " (none yet: mnist-tui config edit)")))
    table = make_table("setting", "value", "from")
    for key, value in values.items():
        add_row(table, key, text_of(value), _told(key, sources[key], plan.config.preset_name))
    print_table(table)
    if plan.notice:
        notify(f"Notice: {plan.notice}")


@config.command(short_help="Open your config file in your editor.")
def edit() -> int:
    """Open your config file in $VISUAL or $EDITOR, and check it afterwards.

    Where there is none yet, it starts with every setting commented out, its help and its bounds.
    """
    from tui.commands.app import has_terminal

    file = config_path()
    editor = (os.environ.get("VISUAL") or os.environ.get("EDITOR") or "").strip()
    if not has_terminal():
        raise EngineError("No terminal", "An editor needs a terminal for input and output.", f"The file is {file}.")
    if not editor:
        hint = f"For example: EDITOR=nano mnist-tui config edit. The file is {file}."
        raise EngineError("No editor", "Neither VISUAL nor EDITOR names one.", hint)
    _create(file)
    try:
        click.edit(editor=editor, filename=str(file))
    except (click.ClickException, ValueError) as error:
        reason = error.message if isinstance(error, click.ClickException) else f"{editor}: {error}"
        raise EngineError("Editor failed", f"{reason}.", f"{file} is as the editor left it.") from error
    try:
        check_config_file()
    except ConfigError as error:
        report_error(error, ["The file is kept as it is: mnist-tui config edit opens it again."])
        return 2
    click.echo(clean(f"{file}: no mistakes found."))
    return 0


def _told(key: str, source: Source, preset: str) -> str:
    match source:
        case "environment":
            return f"environment, {variable(key)}"
        case "preset":
            return f"preset, {preset}"
        case "installed":
            return "what is installed"
        case _:
            return source


def _create(file: Path) -> None:
    """Write the file with every setting commented out, unless there is one."""
    if file.exists():
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, lambda opened: opened.write("\n".join(_template_lines()).encode()))
    except OSError as error:
        raise EngineError("Config file cannot be written", *explain(error, "written", file)) from error


def _template_lines() -> Iterator[str]:
    """Yield the lines of a config file that sets nothing; without its #, each setting's line is right as it stands."""
    from tui.keys import default_keys
    from tui.theme import DEFAULT_THEME, theme_names

    yield "# The settings of your own for mnist-tui, in TOML. Take the # off a setting's line to set it."
    yield "# A flag and the environment (MNIST_TUI_EPOCHS) beat this file; this file beats the preset."
    yield f"# The values below are those of the preset {DEFAULT_PRESET}."
    yield from _setting_lines("The recipe to start from", f"one of: {', '.join(PRESETS)}", "preset", DEFAULT_PRESET)
    yield from _setting_lines("The folder of runs; empty looks around", "", "store", "")
    for key in SETTINGS:
        field = FIELDS[key]
        value = PRESETS[DEFAULT_PRESET].settings.get(key, field.default)
        yield from _setting_lines(field.help, _bounds(field), key, value)
    yield from _setting_lines("The colours of the app", f"one of: {', '.join(theme_names())}", "theme", DEFAULT_THEME)
    yield ""
    yield "# The keys of the app; several for one action are parted by commas. What follows belongs into this table."
    yield "[keys]"
    for name, (keys, words) in default_keys().items():
        yield f"# {name} = {json.dumps(keys)}  # {words}"
    yield ""


def _setting_lines(meaning: str, bounds: str, key: str, value: Any) -> Iterator[str]:
    yield ""
    yield f"# {meaning}."
    if bounds:
        yield from wrap(f"{bounds[0].upper()}{bounds[1:]}.", 100, initial_indent="# ", subsequent_indent="# ")
    yield f"# {key} = {json.dumps(value)}"  # texts, numbers and truth values look the same in TOML


def _bounds(field: Field) -> str:
    if field.name == "model":
        return f"one of: {', '.join(ARCHITECTURES)}"
    return "" if field.type is str and not field.choices else field.expectation()
