"""`mnist-tui set`: change a run while it trains."""

from __future__ import annotations

import time

import click

from engine import commands, events
from engine.changes import RateChange, rate_change
from engine.config import FIELDS, parse_field
from engine.errors import RunError
from engine.eventlog import EventFollower, read_backwards
from engine.locks import is_held
from engine.runs import STATUS_WORDS, Run
from tui.change_words import change_text
from tui.commands.offers import offer_runs
from tui.commands.options import open_store, store_option
from tui.run_commands import command_for

POLL_SECONDS = 0.05


@click.command(short_help="Change the learning rate of a live run.")
@click.argument("reference", metavar="RUN", shell_complete=offer_runs)
@click.option(
    "--learning-rate",
    "learning_rate",
    type=click.UNPROCESSED,
    metavar="X",
    required=True,
    help=f"The new base rate, {FIELDS['learning_rate'].expectation()}; a schedule keeps its shape and is scaled to it.",
)
@store_option
def set(reference: str, learning_rate: str, store_path: str | None) -> None:
    """Change the learning rate of RUN (an id or its beginning, a name, torch-3, or "last") from its next step on.

    It holds until the end of the run, also after a resume. A waiting run takes it from its first step on.
    """
    rate: float = parse_field("learning_rate", learning_rate)
    run = open_store(store_path).find(reference)
    follower = run.follow()
    while follower.read(steps=1):
        pass
    run.send(commands.SetLearningRate(learning_rate=rate))
    applied = _wait_for(follower, run, rate)
    told = change_text(applied) if applied else f"learning rate {rate:g} from its first step on"
    click.echo(f"{run.id}: {told}")


def _wait_for(follower: EventFollower, run: Run, rate: float) -> RateChange | None:
    """Return the change as the worker tells it, None for a run in line; raise RunError where it ends before."""
    while True:
        live = is_held(run.lock_path)
        for event in follower.read():
            if isinstance(event, events.CommandApplied) and event.learning_rate == rate:
                return rate_change(event)
        if not live:
            hint = f"Take it up again first: {command_for('resume', run)}"
            raise RunError(
                "Too late", f"Run {run.id} ended before its next step: it {STATUS_WORDS[run.status()]}.", hint
            )
        if isinstance(next(read_backwards(run.events_path), None), events.DeviceAwaited):
            return None
        time.sleep(POLL_SECONDS)
