"""`mnist-tui bench`: what each framework does on each device of this machine, and whether that is as it should be."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import click

from engine.backends import BACKENDS
from tui import formats
from tui.commands.options import add_row, fitting_columns, json_option, make_table, notify, print_json, print_table
from tui.kernels import UNKNOWN, notes_on

if TYPE_CHECKING:
    from engine.bench import Measurement
    from engine.devices import BackendReport

FIGURES = ("images/s", "first step", "of it graph", "memory", "GPU memory")
COLUMNS = ("framework", "device", "network", "kernels", *FIGURES, "on device")
DISPENSABLE = ("of it graph", "GPU memory", "memory", "on device", "first step")
"""The columns that a narrow terminal does without, the first first. The sentences below the table warn of the rest."""
GPU_BUILDS = {
    "torch": "install a build for CUDA (https://pytorch.org/get-started/locally)",
    "tensorflow": "install tensorflow[and-cuda]",
}


@click.command(short_help="Measure both frameworks on every device.")
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 600),
    default=4.0,
    show_default=True,
    help="How long each network trains on each device.",
)
@json_option
def bench(seconds: float, as_json: bool) -> int:
    """Measure every installed framework on every device it sees, one after the other, on made-up digits.

    Tells the speed of training, the time until the first step (from the start of the process, or for its second
    network from building that), the most memory, and whether the device has the weights. Takes about a minute; ends
    with status 1 when a framework fails.
    """
    from engine.devices import probe

    with ThreadPoolExecutor() as pool:
        reports = list(pool.map(probe, BACKENDS))
    found = {report.backend: _measured(report, seconds) for report in reports}
    verdicts = {report.backend: verdict(report, found[report.backend]) for report in reports}
    failed = [report for report in reports if _has_failed(report, found[report.backend])]
    if as_json:
        from msgspec import to_builtins

        everything = [{**to_builtins(one), "is_on_device": one.is_on_device} for ones in found.values() for one in ones]
        print_json({"measurements": everything, "verdicts": verdicts})
    else:
        _print(reports, found)
        click.echo("")
        for text in verdicts.values():
            click.echo(text)
    return int(bool(failed) or not any(report.installed for report in reports))


def verdict(report: BackendReport, measurements: Sequence[Measurement]) -> str:
    """Say in a sentence whether the framework does what this machine lets it do, and what to do if not."""
    label = report.label
    if not report.installed:
        return f"{label} is not installed: {report.hint}"
    if report.error:
        return f"{label} does not work: {report.error}" + (f" {report.hint}" if report.hint else "")
    if failed := next((one for one in measurements if one.error), None):
        return f"{label} fails on {failed.device}: {failed.error}" + (f" {failed.hint}" if failed.hint else "")
    if elsewhere := next((one for one in measurements if not one.is_on_device), None):
        places = ", ".join(elsewhere.weights_on) or "nowhere to be seen"
        return f"{label} was to train on {elsewhere.device}, but its weights are on {places}"
    if len(report.devices) == 1:
        return _verdict_on_cpu(report)
    last = {one.device: one for one in measurements}  # of the last, the larger network
    faster = [f"{name} ({_times_the_cpu(one, last['cpu'])})" for name, one in last.items() if name != "cpu"]
    return f"{label} trains on {', '.join(faster)}"


def _times_the_cpu(one: Measurement, cpu: Measurement) -> str:
    """`12.0 × the CPU on cnn-strided`; with other kernels there, it says so."""
    told = f"{one.images_per_second / cpu.images_per_second:.1f} × the CPU on {one.model}"
    return told if one.kernels == cpu.kernels else f"{told}, {one.kernels} against {cpu.kernels} kernels"


def _verdict_on_cpu(report: BackendReport) -> str:
    from engine.bench import has_nvidia_gpu

    if not has_nvidia_gpu():
        return f"{report.label} trains on the CPU; this machine has no NVIDIA GPU"
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden in ("", "-1"):
        return f"{report.label} sees no GPU: CUDA_VISIBLE_DEVICES={hidden!r} hides it"
    return f"{report.label} sees no GPU: {GPU_BUILDS[report.backend]}, or update the driver"


def _measured(report: BackendReport, seconds: float) -> list[Measurement]:
    """Return the measurements on each device of a framework that works."""
    from engine.bench import measure
    from engine.devices import Queue
    from engine.locks import device_lock_path, is_held

    found: list[Measurement] = []
    for device in report.devices:
        notify(f"Measuring {report.label} on {device.id} …")
        if is_held(device_lock_path(Queue.of(device.id).key)):
            notify(f"A run is training on {device.id}: the figures will be too low.")
        measured = measure(report.backend, device.id, seconds)
        for warning in dict.fromkeys(one.warning for one in measured if one.warning):
            notify(warning)
        found += measured
    return found


def _has_failed(report: BackendReport, measurements: Sequence[Measurement]) -> bool:
    return report.installed and (bool(report.error) or not all(one.is_on_device for one in measurements))


def _print(reports: Sequence[BackendReport], found: dict[str, list[Measurement]]) -> None:
    rows = [row for report in reports for row in _rows(report, found[report.backend])]
    columns = fitting_columns(COLUMNS, rows, DISPENSABLE)
    table = make_table(*columns, right=FIGURES)
    for row in rows:
        add_row(table, *(row.get(column, "") for column in columns))
    print_table(table)
    for note in notes_on(one.kernels for ones in found.values() for one in ones):
        click.echo(f"\n{note}")


def _rows(report: BackendReport, measurements: Sequence[Measurement]) -> Iterator[dict[str, str]]:
    """Yield the table's rows of one framework, by column; a reason stands in the column of the network."""
    head = {"framework": f"{report.label} {report.version}".strip()}
    if report.error:
        yield head | {"device": "–", "network": report.error}
    for one in measurements:
        head["device"] = one.device
        yield head | ({"network": one.error} if one.error else _cells(one))


def _cells(one: Measurement) -> dict[str, str]:
    gpu_memory = one.gpu_memory_bytes
    return {
        "network": f"{one.model}, batch {one.batch_size}",
        "kernels": one.kernels or UNKNOWN,
        "images/s": formats.count(one.images_per_second),
        "first step": f"{one.first_step_seconds:.1f} s",
        "of it graph": f"{one.build_seconds:.2f} s",
        "memory": formats.megabytes(one.memory_bytes),
        "GPU memory": "–" if gpu_memory is None else formats.megabytes(gpu_memory),
        "on device": "yes" if one.is_on_device else f"no: {', '.join(one.weights_on)}",
    }
