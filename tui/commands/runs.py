"""`mnist-tui runs`, `attach` and `delete`: the runs of the store."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

import click
import msgspec

from engine.runs import Run
from tui import formats
from tui.commands.offers import offer_runs
from tui.commands.options import (
    COLUMN_GAP,
    GroupOptions,
    add_row,
    json_option,
    make_table,
    open_store,
    output_width,
    print_json,
    print_table,
    store_option,
)
from tui.snapshot import RunReplay, RunSnapshot
from tui.terminal import clean

FIRST, LAST = ("run", "status", "test acc"), ("epochs", "time", "created", "id", "name")
"""The columns before and after those of the settings that differ."""
FIGURES = ("epochs", "test acc", "time")
DISPENSABLE = ("id", "created", "time", "epochs")
"""The columns that a narrow terminal does without, the first first; then go the settings, the last first."""
SHORTEST_NAME = 12


@click.command(short_help="List all runs.")
@store_option
@json_option
def runs(store_path: str | None, as_json: bool) -> None:
    """List all runs with their status, test accuracy and the settings in which they differ, the newest last.

    The accuracy is that after the last epoch. A + behind the epochs: the run was given more than it was launched with.
    """
    store = open_store(store_path)
    snapshots = [look_at(run) for run in store.runs()]
    if as_json:
        print_json([_summary(snapshot) for snapshot in snapshots])
    elif snapshots:
        _print_runs(snapshots)
    else:
        click.echo(clean(f"There are no runs in {store.path} yet. Start one: mnist-tui train"))


@click.command(short_help="Watch a run, live or from the beginning.")
@click.argument("reference", metavar="RUN", shell_complete=offer_runs)
@store_option
@click.option("--lines", "as_lines", is_flag=True, help="Print lines even where the app could open.")
@click.option("--json", "as_json", is_flag=True, help="Print the run's events as JSON lines.")
@click.pass_obj
def attach(group: GroupOptions, reference: str, store_path: str | None, as_lines: bool, as_json: bool) -> int:
    """Watch RUN (an id or its beginning, a name, torch-3, or "last") until it ends; leaving does not stop it.

    On a terminal the app opens; else the run is told line by line from its beginning.
    """
    from tui.commands.app import has_terminal, open_app
    from tui.commands.following import Interruptions, follow, leave_run
    from tui.commands.reporting import make_reporter

    run = open_store(store_path).find(reference)
    if has_terminal() and not as_lines and not as_json:
        return open_app(group, store_path, run)
    reporter = make_reporter(run.config, as_json)
    with Interruptions() as interruptions:
        return follow(run, reporter, interruptions, leave_run)


@click.command(short_help="Delete a run and all its files.")
@click.argument("reference", metavar="RUN", shell_complete=offer_runs)
@click.option("--yes", is_flag=True, help="Do not ask.")
@store_option
def delete(reference: str, yes: bool, store_path: str | None) -> int:
    """Delete RUN (an id or its beginning, a name, torch-3, or "last") with its weights and predictions."""
    store = open_store(store_path)
    run = store.find(reference)
    if not yes and not _is_deletion_wanted(run):
        click.echo("Nothing was deleted.")
        return 1
    store.delete(run)
    click.echo(f"Deleted {run.id}")
    return 0


def look_at(run: Run) -> RunSnapshot:
    """Return what `run` shows now."""
    replay = RunReplay(run)
    replay.update()
    return replay.snapshot


def _is_deletion_wanted(run: Run) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("Without a terminal to ask on, delete needs --yes.")
    return click.confirm(f"Delete {run.id} ({told(look_at(run))})?")


def told(snapshot: RunSnapshot) -> str:
    """Say how far a run came: `stopped after 2 of 10 epochs, test accuracy 0.9733`."""
    progress = snapshot.progress
    result = "" if progress.test_accuracy is None else f", test accuracy {progress.test_accuracy:.4f}"
    return f"{snapshot.status} after {len(progress.epochs)} of {snapshot.epochs or '?'} epochs{result}"


def _summary(snapshot: RunSnapshot) -> dict[str, Any]:
    from msgspec import to_builtins

    progress, run = snapshot.progress, snapshot.run
    return {
        "run": run.id,
        "short_name": run.short_name,
        "status": snapshot.status,
        "place": asdict(snapshot.place) if snapshot.place else None,
        "backend": snapshot.backend or None,
        "model": snapshot.model or None,
        "epochs_done": len(progress.epochs),
        "epochs": snapshot.epochs or None,
        "extended": progress.is_extended,
        "changes": to_builtins(progress.changes),
        "test_accuracy": progress.test_accuracy,
        "best_epoch": progress.best.epoch if progress.best else None,
        "best_test_accuracy": progress.best.test_accuracy if progress.best else None,
        "seconds": progress.seconds,
        "created": run.created.isoformat() if run.created else None,
        "name": snapshot.name,
        "note": snapshot.labels.note,
        "problem": snapshot.problem,
        "dataset": progress.started.dataset.name if progress.started else None,
        "device": progress.started.device if progress.started else None,
        "settings": msgspec.structs.asdict(snapshot.config) if snapshot.config else None,
        "path": str(run.path),
    }


def _print_runs(snapshots: list[RunSnapshot]) -> None:
    from rich.cells import cell_len

    from tui.run_columns import differing

    settings = differing(snapshots)
    titles = [column.title for column in settings]
    rows = [
        _cells(snapshot) | {column.title: column.text(snapshot, True) for column in settings} for snapshot in snapshots
    ]
    columns, width = [*FIRST, *titles, *LAST], output_width()
    widths = {name: max(cell_len(clean(row[name])) for row in [{name: name}, *rows]) + COLUMN_GAP for name in columns}
    for spare in (*DISPENSABLE, *reversed(titles)):
        if sum(widths[name] for name in columns[:-1]) + min(widths["name"], SHORTEST_NAME) <= width:
            break
        columns.remove(spare)
    table = make_table(*columns, right=(*FIGURES, *(column.title for column in settings if column.is_figure)))
    table.columns[-1].max_width = max(1, width - sum(widths[name] for name in columns[:-1]))
    for row in rows:
        add_row(table, *(row[column] for column in columns))
    print_table(table)


def _cells(snapshot: RunSnapshot) -> dict[str, str]:
    created = snapshot.run.created
    return {
        "run": snapshot.short_name,
        "status": f"waiting ({formats.ordinal(snapshot.place.number)})" if snapshot.place else snapshot.status,
        "test acc": _accuracy(snapshot) or "–",
        "epochs": f"{len(snapshot.progress.epochs)}/{snapshot.epochs or '?'}{snapshot.extended_mark}",
        "time": formats.duration(snapshot.progress.seconds) if snapshot.progress.epochs else "–",
        "created": f"{created:%Y-%m-%d %H:%M}" if created else "–",
        "id": snapshot.run.id,
        "name": _called(snapshot),
    }


def _called(snapshot: RunSnapshot) -> str:
    """Return the run's name, or what is wrong with it, and in brackets the note on it."""
    note = f"({snapshot.labels.note})" if snapshot.labels.note else ""
    return " ".join(part for part in (snapshot.name, snapshot.problem, note) if part)


def _accuracy(snapshot: RunSnapshot) -> str:
    accuracy = snapshot.progress.test_accuracy
    return "" if accuracy is None else f"{accuracy:.4f}"
