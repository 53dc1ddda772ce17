"""`mnist-tui show`: a run's settings, epochs and result; or all that differs between the settings of two."""

from __future__ import annotations

from typing import Any

import click

from engine.conventions import conventions_in_use
from engine.runs import Run, Store
from tui.commands.compare import judge_runs
from tui.commands.offers import offer_runs
from tui.commands.options import (
    add_row,
    json_option,
    make_table,
    open_store,
    print_json,
    print_table,
    store_option,
)
from tui.commands.reporting import VALIDATION_COLUMNS, epoch_line, heading
from tui.commands.runs import look_at
from tui.facts import fact_text, facts_of, label_of
from tui.formats import place_text
from tui.recipe import training_loss_note
from tui.terminal import clean


@click.command(short_help="Show a run, or what differs between two.")
@click.argument("reference", metavar="RUN", shell_complete=offer_runs)
@click.argument("other", metavar="[RUN2]", required=False, shell_complete=offer_runs)
@store_option
@json_option
def show(reference: str, other: str | None, store_path: str | None, as_json: bool) -> None:
    """Show the settings, epochs and result of RUN (an id or its beginning, a name, torch-3, or "last").

    With RUN2, show every difference between the two runs' settings, with the defaults that each framework brings, and
    the verdict that mnist-tui compare gives.
    """
    store = open_store(store_path)
    run = store.find(reference)
    if other is not None:
        _show_differences(store, run, store.find(other), as_json)
    elif as_json:
        print_json(_description(run))
    else:
        _show_run(run)


def _description(run: Run) -> dict[str, Any]:
    """Return what `show --json` prints."""
    from msgspec import to_builtins

    config, snapshot = run.config, look_at(run)
    progress = snapshot.progress
    return {
        "run": run.id,
        "name": snapshot.name,
        "note": snapshot.labels.note,
        "path": str(run.path),
        "status": snapshot.status,
        "place": to_builtins(snapshot.place),
        "created": run.created.isoformat() if run.created else None,
        "settings": to_builtins(config),
        "conventions": conventions_in_use(config),
        "started": to_builtins(progress.started),
        "planned_epochs": snapshot.epochs,
        "changes": to_builtins(progress.changes),
        "epochs": to_builtins(progress.epochs),
        "test_accuracy": progress.test_accuracy,
        "best_epoch": progress.best.epoch if progress.best else None,
        "best_test_accuracy": progress.best.test_accuracy if progress.best else None,
        "seconds": progress.seconds,
        "finished": to_builtins(progress.finished),
        "crash": {name: getattr(snapshot.crash, name) for name in ("title", "message", "hint")}
        if snapshot.crash
        else None,
    }


def _show_run(run: Run) -> None:
    config, snapshot = run.config, look_at(run)
    progress = snapshot.progress
    table = make_table("setting", "value")
    add_row(table, "Run", run.id)
    place = f": {place_text(snapshot.place)}" if snapshot.place else ""
    add_row(table, "Status", snapshot.status + place)
    if snapshot.labels.note:
        add_row(table, "Note", snapshot.labels.note)
    for key, value in facts_of(config, progress, snapshot.name).items():
        if value not in (None, ""):
            add_row(table, label_of(key), fact_text(key, value))
    print_table(table)
    if progress.epochs:
        columns = tuple(name for name in VALIDATION_COLUMNS if config.validation or not name.startswith("valid"))
        click.echo("\n" + heading(columns))
        for epoch in progress.epochs:
            click.echo(epoch_line(epoch, columns))
        if note := training_loss_note(config):
            click.echo(note)
    if progress.best:
        last, best = progress.epochs[-1], progress.best
        aside = "" if best is last else f" (best: {best.test_accuracy:.4f} after epoch {best.epoch})"
        click.echo(f"\nTest accuracy: {last.test_accuracy:.4f} after epoch {last.epoch}{aside}")
    _show_end(run)


def _show_end(run: Run) -> None:
    """Say why the run failed, if it did, and where more is to be read."""
    snapshot = look_at(run)
    finished = snapshot.progress.finished
    if finished and finished.error:
        error = finished.error
        click.echo(f"\n{clean(f'{error.title}: {error.message}')}\n{clean(error.hint)}".rstrip())
    if snapshot.crash:
        crash = snapshot.crash
        click.echo(f"\nCrashed: {clean(f'{crash.title}. {crash.message}')}\n{clean(crash.hint)}")
    if snapshot.log_tail:
        click.echo("\nThe worker's last lines, of " + clean(f"{run.log_path}:"))
        for line in snapshot.log_tail:
            click.echo(f"  {clean(line)}")


def _show_differences(store: Store, first: Run, second: Run, as_json: bool) -> None:
    facts = [facts_of(run.config, run.progress(), run.name) for run in (first, second)]
    differing = [key for key in facts[0] if facts[0][key] != facts[1][key]]
    judged = None if first.id == second.id else judge_runs(store, first, second)
    verdict = [*judged.accuracies, *judged.conclusion.sentences] if judged else []
    if as_json:
        rows = [{"setting": key, "values": [each[key] for each in facts]} for key in differing]
        print_json({"runs": [first.id, second.id], "differences": rows, "verdict": verdict})
        return
    if not differing:
        click.echo(f"{first.id} and {second.id} have the same settings.")
    else:
        table = make_table("setting", first.id, second.id)
        for key in differing:
            add_row(table, label_of(key), *(fact_text(key, each[key]) for each in facts))
        print_table(table)
    if verdict:
        click.echo("")
    for sentence in verdict:
        click.echo(clean(sentence))
