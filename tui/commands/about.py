"""`mnist-tui devices`, `models`, `presets` and `data`: what there is to train with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click

from engine.backends import BACKENDS
from engine.config import FIELDS
from engine.models import ARCHITECTURES, Architecture, Conv, Dense, Layer, LayerRow, MaxPool
from engine.presets import DEFAULT_PRESET, PRESETS
from tui import formats
from tui.commands.offers import offer_files
from tui.commands.options import add_row, json_option, make_table, notify, print_json, print_table
from tui.commands.reporting import SAMPLE_NOTICE
from tui.formats import text_of
from tui.terminal import clean


@click.command(short_help="List the devices that each framework sees.")
@json_option
def devices(as_json: bool) -> None:
    """List the devices that PyTorch and TensorFlow see here. Takes some seconds: both are started to be asked."""
    from msgspec import to_builtins

    from engine.devices import probe

    with ThreadPoolExecutor() as pool:
        reports = list(pool.map(probe, BACKENDS))
    if as_json:
        print_json(to_builtins(reports))
        return
    table = make_table("framework", "device", "name", "memory", right=("memory",))
    for report in reports:
        label = f"{report.label} {report.version}".strip()
        if report.error:
            add_row(table, label, None, ": ".join(filter(None, (report.error.rstrip("."), report.hint))), "")
        for device in report.devices:
            memory = formats.megabytes(device.memory_bytes) if device.memory_bytes else ""
            add_row(table, label, device.id, device.name, memory)
    print_table(table)


@click.command(short_help="Show the networks layer by layer.")
@json_option
def models(as_json: bool) -> None:
    """Show each network's layers with their output shapes and trainable parameters."""
    if as_json:
        print_json([_model(architecture) for architecture in ARCHITECTURES.values()])
        return
    for number, architecture in enumerate(ARCHITECTURES.values()):
        click.echo("\n" * bool(number) + f"{architecture.name}: {architecture.summary}")
        table = make_table("layer", "kind", "output", "parameters", right=("parameters",))
        for row in architecture.table():
            add_row(table, row.layer.name, describe(row.layer), _shape(row), formats.count(row.parameters))
        add_row(table, "total", "", "", formats.count(architecture.parameters))
        print_table(table)


@click.command(short_help="List the recipes to start from.")
@json_option
def presets(as_json: bool) -> None:
    """List the recipes that `train --preset` and the app start from."""
    if as_json:
        described = PRESETS.values()
        print_json(
            [{"name": p.name, "title": p.title, "teaches": p.teaches, "settings": dict(p.settings)} for p in described]
        )
        return
    for number, preset in enumerate(PRESETS.values()):
        default = " (the default)" if preset.name == DEFAULT_PRESET else ""
        click.echo("\n" * bool(number) + f"{preset.name}{default}: {preset.teaches}")
        table = make_table("setting", "value")
        for key, value in preset.settings.items():
            add_row(table, FIELDS[key].label, text_of(value))
        print_table(table)


@click.command(short_help="Tell which dataset is used, and check it.")
@click.argument("path", required=False, shell_complete=offer_files)
@json_option
def data(path: str | None, as_json: bool) -> None:
    """Tell which dataset PATH holds (a folder of IDX files or a Keras mnist.npz), or which one is found without.

    Where there is none, MNIST is downloaded.
    """
    from engine.data import class_counts
    from tui.settings import absolute_path, user_settings

    dataset = _load(str(absolute_path(path)) if path else user_settings().get("data", ""))
    info = dataset.info
    counts = [class_counts(labels) for labels in (dataset.train_labels, dataset.test_labels)]
    if as_json:
        from msgspec import to_builtins

        print_json(to_builtins(info) | {"train_counts": counts[0], "test_counts": counts[1]})
        return
    click.echo(clean(f"{info.name}: {info.source}"))
    if info.sample:
        click.echo(f"Notice: {SAMPLE_NOTICE}")
    table = make_table("class", "training", "test", right=("training", "test"))
    for name, train, test in zip(info.class_names, *counts, strict=False):
        add_row(table, name, formats.count(train), formats.count(test))
    add_row(table, "total", formats.count(info.train_examples), formats.count(info.test_examples))
    print_table(table)
    click.echo(f"fingerprint {info.fingerprint}")


def describe(layer: Layer) -> str:
    """Say in words what a layer does."""
    match layer:
        case Conv():
            stride = f", stride {layer.stride}" if layer.stride != 1 else ""
            padding = f", padding {layer.padding}" if layer.padding else ""
            return f"Conv {layer.kernel}×{layer.kernel}, {layer.filters} filters{stride}{padding}"
        case MaxPool():
            return f"MaxPool {layer.size}×{layer.size}"
        case Dense():
            return f"Dense, {layer.units} units"
        case _:
            return type(layer).__name__


def _shape(row: LayerRow) -> str:
    return " × ".join(map(str, row.output_shape))


def _model(architecture: Architecture) -> dict[str, Any]:
    layers = [
        {
            "name": row.layer.name,
            "kind": describe(row.layer),
            "output_shape": list(row.output_shape),
            "parameters": row.parameters,
        }
        for row in architecture.table()
    ]
    return {
        "name": architecture.name,
        "summary": architecture.summary,
        "parameters": architecture.parameters,
        "layers": layers,
    }


def _load(path: str) -> Any:
    """Return the dataset at `path`, or that which is found, and say on stderr what is downloaded for it."""
    from engine.data import load_steps
    from engine.events import Warned

    steps = load_steps(path)
    file = ""
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return end.value
        if isinstance(event, Warned):
            notify(f"Notice: {event.message}")
        elif event.file != file:
            file = event.file
            notify(f"Downloading {file}")
