"""The commands' help texts: their docstrings, also where Python has removed these (-OO, PYTHONOPTIMIZE=2)."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import click


def with_help(command: click.Command) -> click.Command:
    """Return `command` after giving it, and all below it, the help that their functions' sources hold."""
    if command.help is None and command.callback is not None:
        command.help = docstring_of(command.callback)
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        with_help(below)
    return command


def docstring_of(function: Callable[..., Any]) -> str | None:
    """Return the docstring in the source of `function`; None where there is no source, or no docstring in it."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, SyntaxError):
        return None
    definition = tree.body[0]
    return ast.get_docstring(definition) if isinstance(definition, ast.FunctionDef) else None
