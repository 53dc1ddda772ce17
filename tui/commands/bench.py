"""`mnist-tui bench`: what each framework does on each device of this machine, and whether that is as it should be."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import click

from engine.backends import BACKENDS
from tui import formats
from tui.commands.options import add_row, json_option, make_table, notify, print_json, print_table

if TYPE_CHECKING:
    from engine.bench import Measurement
    from engine.devices import BackendReport

FIGURES = ("images/s", "first step", "of it graph", "memory", "GPU memory")
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
    speeds = {one.device: one.images_per_second for one in measurements}  # of the last, the larger network
    faster = [f"{name} ({speeds[name] / speeds['cpu']:.1f} × the CPU)" for name in speeds if name != "cpu"]
    return f"{label} trains on {', '.join(faster)}"


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
    from engine.locks import device_lock_path, is_held

    found: list[Measurement] = []
    for device in report.devices:
        notify(f"Measuring {report.label} on {device.id} …")
        if is_held(device_lock_path(device.id)):
            notify(f"A run is training on {device.id}: the figures will be too low.")
        found += measure(report.backend, device.id, seconds)
    return found


def _has_failed(report: BackendReport, measurements: Sequence[Measurement]) -> bool:
    return report.installed and (bool(report.error) or not all(one.is_on_device for one in measurements))


def _print(reports: Sequence[BackendReport], found: dict[str, list[Measurement]]) -> None:
    table = make_table("framework", "device", "network", *FIGURES, "on device", right=FIGURES)
    for report in reports:
        label = f"{report.label} {report.version}".strip()
        if report.error:
            add_row(table, label, None, report.error)
        for one in found[report.backend]:
            if one.error:
                add_row(table, label, one.device, one.error)
                continue
            add_row(
                table,
                label,
                one.device,
                f"{one.model}, batch {one.batch_size}",
                formats.count(one.images_per_second),
                f"{one.first_step_seconds:.1f} s",
                f"{one.build_seconds:.2f} s",
                formats.megabytes(one.memory_bytes),
                formats.megabytes(one.gpu_memory_bytes) if one.gpu_memory_bytes is not None else None,
                "yes" if one.is_on_device else f"no: {', '.join(one.weights_on)}",
            )
    print_table(table)
