"""`mnist-tui train`: start a run and tell how it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from engine.backends import require_installed
from engine.config import FIELDS, Field, TrainConfig
from engine.models import ARCHITECTURES
from engine.presets import DEFAULT_PRESET, PRESETS
from engine.runs import Store
from tui.commands.offers import offer_presets, offer_setting
from tui.commands.options import notify, open_store, print_json, store_option
from tui.formats import text_of
from tui.run_commands import command_for
from tui.settings import SETTINGS, plan_run

Function = TypeVar("Function", bound=Callable[..., Any])

METAVARS = {"model": "|".join(ARCHITECTURES), "device": "DEVICE", "data": "PATH"}
EPILOG = (
    "Each setting can also come from the environment, as MNIST_TUI_EPOCHS does, or from the config file "
    "mnist-tui/config.toml in your configuration folder (epochs = 3), which mnist-tui config edit opens. A flag beats "
    "the environment, that beats the file, and that beats the preset. "
    "Exit status: 0 done, 1 the run failed, 2 wrong usage, 129, 130 or 143 after HUP, INT or TERM. INT (Ctrl-C) and "
    "TERM stop the run; after a HUP it goes on."
)


def recipe_options(function: Function) -> Function:
    """Add `--preset`, an option for every setting of TrainConfig, and `--match`."""
    function = click.option(
        "--match",
        is_flag=True,
        help="Train alike on both backends: initial weights, Adam ε and batch norm of the preset's own framework.",
    )(function)
    for name in reversed(SETTINGS):
        function = _setting_option(FIELDS[name])(function)
    return click.option(
        "--preset",
        type=click.UNPROCESSED,
        metavar="|".join(PRESETS),
        shell_complete=offer_presets,
        help=f"The recipe to start from; flags change it. Default: {DEFAULT_PRESET}.",
    )(function)


def _setting_option(field: Field) -> Callable[[Function], Function]:
    if field.type is bool:
        flags = f"{field.flag}/--no-{field.flag.removeprefix('--')}"
        return click.option(flags, field.name, default=None, help=_help(field))
    metavar = METAVARS.get(field.name) or "|".join(field.choices) or {int: "N", float: "X"}.get(field.type, "TEXT")
    return click.option(
        field.flag,
        field.name,
        type=click.UNPROCESSED,
        metavar=metavar,
        shell_complete=offer_setting(field.name),
        help=_help(field),
    )


def _help(field: Field) -> str:
    """Return the setting's help, its bounds, and its default where presets leave it alone."""
    text = field.help + "."
    if field.type in (int, float):
        expected = field.expectation()
        text += f" {expected[0].upper()}{expected[1:]}."
    if field.default == "" or any(field.name in preset.settings for preset in PRESETS.values()):
        return text
    return f"{text} Default: {text_of(field.default)}."


@click.command(short_help="Train a network and print its epochs.", epilog=EPILOG)
@recipe_options
@store_option
@click.option("--json", "as_json", is_flag=True, help="Print the run's events as JSON lines.")
@click.option("--detach", is_flag=True, help="Start the run, print its id, and do not wait for it.")
@click.option(
    "--repeats",
    type=click.IntRange(1, 100),
    default=1,
    metavar="N",
    help="Train N times with consecutive seeds; report mean and standard deviation.",
)
@click.option("--now", "skip_queue", is_flag=True, help="Do not wait for other runs on the same device.")
def train(
    match: bool, store_path: str | None, as_json: bool, detach: bool, repeats: int, skip_queue: bool, **flags: Any
) -> int:
    """Train a network on MNIST in a process of its own and print its epochs as they come."""
    from engine import data
    from engine.families import repeated

    store = open_store(store_path)
    plan = plan_run(flags, match)
    if plan.notice:
        notify(f"Notice: {plan.notice}")
    require_installed(plan.config.backend)
    data.locate(plan.config.data)
    configs = repeated(plan.config, repeats)
    if detach:
        return _detach(store, configs, skip_queue, as_json)
    return _train_in_turn(store, configs, skip_queue, as_json)


def _train_in_turn(store: Store, configs: list[TrainConfig], skip_queue: bool, as_json: bool) -> int:
    """Train one run after the other, each watched to its end; stop at the first that does not complete."""
    from engine.comparison import Spread
    from engine.launcher import launch
    from engine.repeats import Identity, identity_of
    from tui.commands.following import Interruptions, follow, stop_run
    from tui.commands.reporting import make_reporter
    from tui.formats import spread_text

    accuracies: list[float] = []
    identities: set[Identity | None] = set()
    with Interruptions() as interruptions:
        for config in configs:
            run = launch(store, config, skip_queue)
            status = follow(run, make_reporter(config, as_json), interruptions, stop_run)
            progress = run.progress()
            finished = progress.finished
            if status or finished is None or finished.outcome != "completed":
                return status
            accuracies.append(finished.test_accuracy or 0.0)
            identities.add(identity_of(config, progress))
    if len(accuracies) > 1 and (None in identities or len(identities) > 1):
        notify("The runs do not repeat one another: one was changed on its way. mnist-tui show RUN tells how.")
    elif len(accuracies) > 1:
        notify(f"Test accuracy: {spread_text(Spread(tuple(accuracies)))}")
    return 0


def _detach(store: Store, configs: list[TrainConfig], skip_queue: bool, as_json: bool) -> int:
    """Start the runs, which take turns on their device, and say how to come back to them."""
    from engine.launcher import launch

    for config in configs:
        run = launch(store, config, skip_queue)
        if as_json:
            print_json({"run": run.id})
            continue
        click.echo(run.id)
        click.echo(f"Watch it: {command_for('attach', run)}")
        click.echo(f"Stop it:  {command_for('stop', run)}")
    return 0
