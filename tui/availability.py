"""Which frameworks and devices the form offers: what is there, and why the rest is not."""

from __future__ import annotations

from collections.abc import Mapping

from engine import start_checks
from engine.backends import BACKENDS
from engine.devices import BackendReport
from tui.widgets.choice import Option

Reports = Mapping[str, BackendReport]


def installed_backend(wanted: str) -> str:
    """Return `wanted` where it is installed, else the framework that is; `wanted` when none is."""
    if wanted not in BACKENDS or BACKENDS[wanted].installed:
        return wanted
    return next((name for name, info in BACKENDS.items() if info.installed), wanted)


def backend_options() -> list[Option]:
    """Return both frameworks with their versions; one that is not installed cannot be taken."""
    return [
        Option(name, f"{info.label} {info.version or ''}".strip() if info.installed else f"{info.label}: not installed",
               info.installed)
        for name, info in BACKENDS.items()
    ]  # fmt: skip


def backend_problem(name: str, reports: Reports) -> str:
    """Say why the framework cannot train here; empty when it can, or when nothing is known against it."""
    info = BACKENDS.get(name)
    if info is None:
        return ""
    if not info.installed:
        return f"{info.label} is not installed. {info.install_command}"
    report = reports.get(name)
    return " ".join(part for part in (report.error, report.hint) if part) if report else ""


def both_problem(device: str, reports: Reports) -> str:
    """Say why one of the frameworks cannot train on `device` here; empty when both can, or none is known not to."""
    problems = (backend_problem(name, reports) or device_problem(device, name, reports) for name in BACKENDS)
    return next(filter(None, problems), "")


def device_options(backend: str, reports: Reports) -> list[Option]:
    """Return the devices of `backend` as far as they are known yet, and the usual ones it does not see."""
    always = [Option("auto", "auto")]
    report = reports.get(backend)
    if report is None:
        return [*always, Option("cpu", "cpu"), Option("…", "looking for others …", available=False)]
    seen = [Option(device.id, f"{device.id} · {device.name}") for device in report.devices]
    ids = {device.id for device in report.devices}
    missing = [name for name in ("cuda:0", "mps") if name not in ids]
    absent = [Option(name, f"{name}: not seen by {report.label}", available=False) for name in missing]
    return [*always, *seen, *absent]


def device_problem(device: str, backend: str, reports: Reports) -> str:
    """Say why `device` cannot be used with `backend`; empty when it can, or while nothing is known against it."""
    report = reports.get(backend)
    if report is None:
        return start_checks.device_problem(device, backend) if backend in BACKENDS else ""
    if report.error or device == "auto":
        return ""
    wanted = "cuda:0" if device == "cuda" else device
    ids = [seen.id for seen in report.devices]
    return "" if wanted in ids else f"{report.label} sees no {wanted} here, only {', '.join(ids)}."
