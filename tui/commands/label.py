"""`mnist-tui rename` and `note`: what people write on a run that exists already, be it live or not."""

from __future__ import annotations

import click

from tui.commands.offers import offer_runs
from tui.commands.options import notify, open_store, store_option
from tui.terminal import clean


@click.command(short_help="Give a run another name.")
@click.argument("reference", metavar="RUN", shell_complete=offer_runs)
@click.argument("name")
@store_option
def rename(reference: str, name: str, store_path: str | None) -> None:
    """Call RUN (an id or its beginning, a name, torch-3, or "last") NAME from now on; "" takes its name away.

    The run is found by that name, not by its old one, also while it trains; its settings stay as they are.
    """
    store = open_store(store_path)
    run = store.find(reference)
    store.rename(run, name)
    click.echo(clean(f"{run.id} is called {run.name}" if run.name else f"{run.id} has no name"))
    namesakes = sum(other.name == run.name for other in store.runs()) if run.name else 1
    if namesakes > 1:
        notify(f"{namesakes} runs are called that: commands need their ids.")


@click.command(short_help="Write a note on a run.")
@click.argument("reference", metavar="RUN", shell_complete=offer_runs)
@click.argument("text")
@store_option
def note(reference: str, text: str, store_path: str | None) -> None:
    """Write TEXT on RUN (an id or its beginning, a name, torch-3, or "last"); "" takes its note away."""
    store = open_store(store_path)
    run = store.find(reference)
    store.annotate(run, text)
    click.echo(clean(f"{run.id}: {run.labels.note}" if run.labels.note else f"{run.id} has no note"))
