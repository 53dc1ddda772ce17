"""`mnist-tui compare`: two runs side by side, how far their answers agree, and what that proves."""

from __future__ import annotations

from typing import Any

import click

from engine.duel import FIGURES, Duel, Side
from engine.errors import RunError
from engine.overlay import Agreement
from engine.repeats import Recipe, recipe_of
from engine.runs import Run, Store
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
from tui.duel import agreement_rows, rows
from tui.duel_verdict import Conclusion
from tui.formats import count
from tui.judging import Judged, judged
from tui.terminal import clean


@click.command(short_help="Two runs side by side, with a verdict.")
@click.argument("first", metavar="RUN", shell_complete=offer_runs)
@click.argument("second", metavar="RUN2", shell_complete=offer_runs)
@store_option
@json_option
def compare(first: str, second: str, store_path: str | None, as_json: bool) -> None:
    """Compare two runs (each an id, the beginning of one, a name, or "last"): accuracy, speed, memory, answers.

    All completed runs of the store that repeat RUN or RUN2 over other seeds count too: the same settings, images,
    version, kind of device and kernels, and no change on the way. With several seeds on both sides, a t test judges the
    recipes; with one seed, McNemar's test judges the two networks alone.
    """
    store = open_store(store_path)
    one, other = store.find(first), store.find(second)
    if one.id == other.id:
        raise RunError("The same run", f"Both times this is run {one.id}.", "Name another one: mnist-tui runs")
    found = judge_runs(store, one, other)
    if found.problem:
        notify(f"Notice: their answers are not compared: {found.problem.rstrip('.')}.")
    if as_json:
        print_json(_description(found))
    else:
        _print(found.duel, found.agreement, found.conclusion)


def judge_runs(store: Store, first: Run, second: Run) -> Judged:
    """Compare two runs of `store`; raise RunError where the settings of one are damaged."""
    recipes = {recipe_of(run.config) for run in (first, second)}
    near = [run for run in store.runs() if run.id in (first.id, second.id) or _has_recipe(run, recipes)]
    snapshots = {run.id: look_at(run) for run in near}
    found = judged(snapshots[first.id], snapshots[second.id], list(snapshots.values()))
    assert found  # the settings were read above
    return found


def _has_recipe(run: Run, recipes: set[Recipe]) -> bool:
    try:
        return recipe_of(run.config) in recipes
    except RunError:  # its settings are damaged
        return False


def _print(duel: Duel, agreement: Agreement | None, conclusion: Conclusion) -> None:
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
    for sentence in conclusion.sentences:
        click.echo(clean(sentence))


def _description(found: Judged) -> dict[str, Any]:
    """Return what `compare --json` prints."""
    from msgspec import to_builtins

    agreement = found.agreement
    answers = {**to_builtins(agreement), "both_right": agreement.both_right} if agreement else None
    return {
        "sides": [_side(side, found.duel.epoch) for side in found.duel.sides],
        "differences": found.duel.differences,
        "agreement": answers,
        "verdict": found.conclusion.sentences,
        "test": to_builtins(found.conclusion.verdict),
    }


def _side(side: Side, epoch: int | None) -> dict[str, Any]:
    started = side.lead.progress.started
    spreads = {figure: side.spread(figure, epoch) for figure in FIGURES}
    return {
        "name": side.name,
        "run": side.lead.run_id,
        "status": side.lead.status,
        "backend": side.lead.config.backend,
        "framework_version": started and started.framework_version,
        "device": started and started.device,
        "device_name": started and started.device_name,
        "kernels": started and started.kernels,
        "runs": [
            {"run": entry.run_id, "seed": entry.config.seed, "status": entry.status, "counts": entry in side.counted}
            for entry in side.entries
        ],
        "after_epoch": epoch,
        "figures": {
            figure: spread and {"mean": spread.mean, "deviation": spread.deviation, "values": spread.values}
            for figure, spread in spreads.items()
        },
    }
