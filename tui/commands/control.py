"""`mnist-tui pause`, `resume` and `stop`: what one asks of a run."""

from __future__ import annotations

import time
from typing import Any

import click

from engine import commands
from engine.backends import require_installed
from engine.config import parse_field
from engine.errors import RunError
from engine.events import ExtensionSchedule
from engine.locks import is_held
from engine.runs import LIVE, STATUS_WORDS, Run
from tui.activity import activity_of
from tui.commands.offers import offer_runs, offer_setting
from tui.commands.options import notify, open_store, print_json, store_option
from tui.commands.runs import look_at, told
from tui.extending import SCHEDULE_CHOICES, needs_choice, outlook
from tui.run_commands import command_for
from tui.snapshot import kept_text

POLL_SECONDS = 0.05


@click.command(short_help="Hold a run; it keeps its memory and leaves the processor.")
@click.argument("reference", metavar="RUN", shell_complete=offer_runs)
@store_option
def pause(reference: str, store_path: str | None) -> None:
    """Hold RUN (an id or its beginning, a name, torch-3, or "last") before its next step."""
    run = open_store(store_path).find(reference)
    run.send(commands.Pause())
    _tell_what_is_awaited(run)
    while is_held(run.lock_path) and run.status() != "paused":
        if look_at(run).awaited_device:
            click.echo(f"{run.id} does not train yet: it will hold before its first step.")
            return
        time.sleep(POLL_SECONDS)
    kept = f" It leaves the processor and keeps {kept_text(look_at(run))}." if run.status() == "paused" else ""
    click.echo(f"{run.id} {STATUS_WORDS[run.status()]}.{kept} To go on: {command_for('resume', run)}")


@click.command(short_help="Go on with a run that is paused, stopped, failed or crashed.")
@click.argument("reference", metavar="RUN", shell_complete=offer_runs)
@click.option(
    "--backend",
    metavar="torch|tensorflow",
    shell_complete=offer_setting("backend"),
    help="Go on with another framework, which takes over all state.",
)
@click.option("--device", metavar="DEVICE", shell_complete=offer_setting("device"), help="Go on on another device.")
@click.option("--epochs", metavar="N", help="Train up to N epochs in all, with those that are done.")
@click.option(
    "--schedule",
    type=click.Choice(SCHEDULE_CHOICES),
    help="In epochs beyond a cosine or onecycle schedule: hold its last learning rate (the default), or restart it.",
)
@store_option
@click.option("--json", "as_json", is_flag=True, help="Print the run's events as JSON lines.")
@click.option("--detach", is_flag=True, help="Do not wait for the run.")
@click.option("--now", "skip_queue", is_flag=True, help="Do not wait for other runs on the same device.")
def resume(
    reference: str,
    store_path: str | None,
    as_json: bool,
    detach: bool,
    skip_queue: bool,
    schedule: ExtensionSchedule | None,
    **flags: str | None,
) -> int:
    """Go on with RUN (an id or its beginning, a name, torch-3, or "last").

    A paused run goes on where it was. One that has ended gets a new worker, which continues from the last
    checkpoint; with --epochs also one that is complete.
    """
    run = open_store(store_path).find(reference)
    changes = {name: parse_field(name, value) for name, value in flags.items() if value is not None}
    if schedule and "epochs" not in changes:
        raise click.UsageError("--schedule is about more epochs: say how many in all with --epochs.")
    if schedule:
        changes["schedule"] = schedule
    if run.status() in LIVE:
        return _wake(run, changes)
    return _continue(run, changes, as_json, detach, skip_queue)


@click.command(short_help="Stop a run and keep what it has learnt.")
@click.argument("reference", metavar="RUN", shell_complete=offer_runs)
@click.option("--now", is_flag=True, help="Do not test and save first.")
@store_option
def stop(reference: str, now: bool, store_path: str | None) -> None:
    """Stop RUN (an id or its beginning, a name, torch-3, or "last") and wait until it has ended."""
    run = open_store(store_path).find(reference)
    run.send(commands.Stop(now=now))
    _tell_what_is_awaited(run)
    while is_held(run.lock_path):
        time.sleep(POLL_SECONDS)
    click.echo(f"{run.id}: {told(look_at(run))}")


def _tell_what_is_awaited(run: Run) -> None:
    """Say on stderr what the run does before it does what it was asked for: that may take seconds."""
    if activity := activity_of(look_at(run)):
        notify(f"{run.id}: {activity.words}")


def _wake(run: Run, changes: dict[str, Any]) -> int:
    if changes:
        raise RunError("Run is live", f"Run {run.id} cannot change while it runs.", f"First: mnist-tui stop {run.id}")
    run.send(commands.Resume())
    click.echo(f"{run.id} {STATUS_WORDS[run.status()]}.")
    return 0


def _continue(run: Run, changes: dict[str, Any], as_json: bool, detach: bool, skip_queue: bool) -> int:
    from engine.launcher import relaunch
    from tui.commands.following import Interruptions, follow, stop_run
    from tui.commands.reporting import make_reporter

    _check_epochs(run, changes)
    require_installed(changes.get("backend", run.config.backend))
    with Interruptions() as interruptions:
        relaunch(run, skip_queue, **changes)
        if not detach:
            return follow(run, make_reporter(run.config, as_json), interruptions, stop_run)
    if as_json:
        print_json({"run": run.id})
    else:
        click.echo(f"{run.id} goes on. Watch it: {command_for('attach', run)}")
    return 0


def _check_epochs(run: Run, changes: dict[str, Any]) -> None:
    """Raise RunError where nothing is left to train; say on stderr what more epochs do to the learning rate."""
    progress, config = run.progress(), run.config
    done, planned = len(progress.epochs), progress.planned_epochs or config.epochs
    epochs: int = changes.get("epochs", planned)
    if run.status() == "completed" and done >= planned and "epochs" not in changes:
        hint = f"To train on, ask for more: {command_for('resume', run)} --epochs {done * 2}"
        raise RunError("Run is complete", f"Run {run.id} has trained all its {planned} epochs.", hint)
    if epochs > planned and epochs > done:
        schedule: ExtensionSchedule = changes.get("schedule", "hold")
        words = f"{run.id}: {planned:,} → {epochs:,} epochs. {outlook(config, progress, epochs, schedule)}"
        choice = needs_choice(config, progress, epochs) and "schedule" not in changes
        notify(words + (" To begin the schedule anew instead: --schedule restart" if choice else ""))
