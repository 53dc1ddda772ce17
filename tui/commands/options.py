"""What the subcommands share: their common options, and how they say and print things."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from engine.errors import EngineError
from tui.commands.offers import offer_folders
from tui.terminal import clean, clean_json

if TYPE_CHECKING:
    from rich.table import Table

    from engine.runs import Store

COLUMN_GAP = 2
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class GroupOptions:
    """What was given before the subcommand."""

    store_path: str | None
    use_ascii: bool
    theme: str | None = None


def store_option(function: Function) -> Function:
    """Add `--store DIR`, handed over as `store_path`."""
    option = click.option(
        "--store",
        "store_path",
        metavar="DIR",
        shell_complete=offer_folders,
        help="The folder of runs. Default: $MNIST_TUI_STORE, the config file's, ./checkpoints where that exists, "
        "else the user's state folder.",
    )
    return option(function)


def json_option(function: Function) -> Function:
    """Add `--json`, handed over as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")(function)


def open_store(flag: str | None) -> Store:
    """Return the store that `flag` (this command's, else `mnist-tui --store`'s) and the user's settings name."""
    from tui.settings import locate_store

    group: GroupOptions = click.get_current_context().obj
    return locate_store(flag or group.store_path)


def print_json(value: Any) -> None:
    """Print `value` as indented JSON."""
    import msgspec

    click.echo(clean_json(msgspec.json.format(msgspec.json.encode(value), indent=2).decode()))


def notify(text: str) -> None:
    """Say something on stderr that is no error."""
    print(clean(text), file=sys.stderr, flush=True)  # unlike click.echo, this heeds a live display's redirection


def report_error(error: EngineError, details: Sequence[str] = ()) -> None:
    """Show an error on stderr: its title, its message, `details` line by line, and its hint."""
    lines = (f"Error: {error.title}", error.message, *details, error.hint)
    for number, line in enumerate(line for line in lines if line):
        click.echo(("  " if number else "") + clean(line), err=True)


def make_table(*columns: str, right: Sequence[str] = ()) -> Table:
    """Return an empty table without lines, whose columns in `right` hold figures."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, COLUMN_GAP, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", no_wrap=True)
    return table


def add_row(table: Table, *cells: object) -> None:
    """Add a row of plain texts: no markup is read and no control character gets through."""
    from rich.text import Text

    table.add_row(*(Text(clean("–" if cell is None else str(cell))) for cell in cells))


def fitting_columns(columns: Sequence[str], rows: Sequence[dict[str, str]], dispensable: Sequence[str]) -> list[str]:
    """Return those of `columns` that fit side by side into the output, without as many of `dispensable` as need be."""
    widths = {name: max(len(row.get(name, "")) for row in [{name: name}, *rows]) + COLUMN_GAP for name in columns}
    kept = list(columns)
    for spare in dispensable:
        if sum(widths[name] for name in kept) - COLUMN_GAP <= output_width():
            break
        kept.remove(spare)
    return kept


def print_table(table: Table) -> None:
    """Print `table` as wide as the output is."""
    from rich.console import Console

    Console(highlight=False, markup=False, width=output_width()).print(table)


def output_width() -> int:
    """Return how many columns the terminal has; where the output is none, enough for anything."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 1000
