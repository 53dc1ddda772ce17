"""`mnist-tui compare`: two runs side by side, how far their answers agree, and what that proves."""

from __future__ import annotations

from typing import Any

import click

from engine.duel import FIGURES, Agreement, Duel, Side
from engine.errors import EngineError, RunError
from engine.families import launched_with
from engine.runs import Run
from tui.commands.offers import offer_runs
from tui.commands.options import (
    add_row,
    json_option,
    make_table,
    notify,
    open_store,
    print_json,
    print_table,
    store_option,
)
from tui.commands.runs import look_at
from tui.duel import agreed_epochs, agreement_rows, duel_between, find_agreement, rows, verdict
from tui.formats import count
from tui.snapshot import RunSnapshot
from tui.terminal import clean


@click.command(short_help="Two runs side by side, with a verdict.")
@click.argument("first", metavar="RUN", shell_complete=offer_runs)
@click.argument("second", metavar="RUN2", shell_complete=offer_runs)
@store_option
@json_option
def compare(first: str, second: str, store_path: str | None, as_json: bool) -> None:
    """Compare two runs (each an id or its beginning, a name, torch-3, or "last"): accuracy, speed, memory, answers.

    Runs that were launched with them and differ from them in their seed alone count too, unless RUN and RUN2 are such
    runs themselves. The verdict calls no difference that is within chance: by McNemar's test on one seed each, by the
    seeds' spread on several.
    """
    store = open_store(store_path)
    one, other = store.find(first), store.find(second)
    if one.id == other.id:
        raise RunError("The same run", f"Both times this is run {one.id}.", "Name another one: mnist-tui runs")
    snapshots = {run.id: look_at(run) for run in (one, other)}
    kin = [snapshots.get(run.id) or look_at(run) for run in launched_with([one, other], store)]
    duel = duel_between(snapshots[one.id], snapshots[other.id], kin)
    if duel is None:
        raise next(filter(None, map(_damage, (one, other))))
    agreement = _find_agreement(*snapshots.values())
    if as_json:
        print_json(_description(duel, agreement))
    else:
        _print(duel, agreement)


def _damage(run: Run) -> RunError | None:
    try:
        assert run.config
    except RunError as error:
        return error
    return None


def _find_agreement(first: RunSnapshot, second: RunSnapshot) -> Agreement | None:
    """Return how far the answers agree; where that cannot be told, say why on stderr."""
    epochs = agreed_epochs(first, second)
    if epochs is None:
        notify("Notice: there are no predictions of both after the same epoch, so their answers are not compared.")
        return None
    try:
        return find_agreement(first, second, epochs)
    except EngineError as error:
        notify(f"Notice: their answers are not compared. {error.message} {error.hint}")
        return None


def _print(duel: Duel, agreement: Agreement | None) -> None:
    names = [clean(side.name) for side in duel.sides]
    table = make_table("", *names, right=names)
    for row in rows(duel):
        add_row(table, *row)
    print_table(table)
    if agreement:
        epoch, other = agreement.epochs
        after = f"epoch {count(epoch)}" if epoch == other else f"epochs {count(epoch)} and {count(other)}"
        click.echo(f"\nTheir answers to {count(agreement.tested)} test images, after {after}:")
        table = make_table("", "images", "share", right=("images", "share"))
        for label, number, share in agreement_rows(duel, agreement):
            add_row(table, label, number, share)
        print_table(table)
    click.echo("")
    for sentence in verdict(duel, agreement):
        click.echo(clean(sentence))


def _description(duel: Duel, agreement: Agreement | None) -> dict[str, Any]:
    """Return what `compare --json` prints."""
    from msgspec import to_builtins

    answers = {**to_builtins(agreement), "both_right": agreement.both_right} if agreement else None
    return {
        "sides": [_side(side) for side in duel.sides],
        "differences": duel.differences,
        "agreement": answers,
        "verdict": verdict(duel, agreement),
    }


def _side(side: Side) -> dict[str, Any]:
    started = side.lead.progress.started
    spreads = {figure: side.spread(figure) for figure in FIGURES}
    return {
        "name": side.name,
        "run": side.lead.run_id,
        "status": side.lead.status,
        "backend": side.lead.config.backend,
        "framework_version": started and started.framework_version,
        "device": started and started.device,
        "device_name": started and started.device_name,
        "runs": [{"run": entry.run_id, "seed": entry.config.seed, "status": entry.status} for entry in side.entries],
        "figures": {
            figure: spread and {"mean": spread.mean, "deviation": spread.deviation, "values": spread.values}
            for figure, spread in spreads.items()
        },
    }
