"""What a live run is doing where no progress shows: loading, compiling, stopping, pausing. And for how long already."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine import commands, events
from engine.backends import BACKENDS

if TYPE_CHECKING:
    from tui.snapshot import RunSnapshot


@dataclass(frozen=True)
class Activity:
    """What goes on, such as `loading TensorFlow`, and `since` when, in Unix seconds."""

    words: str
    since: float

    def text(self, dots: str = "…") -> str:
        """`loading TensorFlow… 12 s`."""
        return f"{self.words}{dots} {max(0, int(time.time() - self.since))} s"


def stage_words(stage: str, backend: str, device: str = "") -> str:
    """Return what a stage of `events.Preparing` means for a run on that framework."""
    label = BACKENDS[backend].label if backend in BACKENDS else "the framework"
    compiles = backend == "tensorflow" or device.startswith("cuda")
    return {
        "images": "reading the images",
        "framework": f"loading {label}",
        "network": "building the network",
        "first_step": "compiling the first step" if compiles else "waiting for the first step",
    }.get(stage, "getting ready")


def activity_of(snapshot: RunSnapshot) -> Activity | None:
    """Return what a live run does that shows no progress; None for one that trains, waits in line or has ended."""
    if not snapshot.live:
        return None
    if snapshot.asked:
        return Activity(_asked_words(snapshot, snapshot.asked), snapshot.asked.time)
    if snapshot.preparing:
        return Activity(_stage(snapshot, snapshot.preparing), snapshot.preparing.time)
    if snapshot.status == "waiting" and not (snapshot.awaited_device or snapshot.download):
        return Activity("starting the worker", snapshot.since)
    return None


def status_word(snapshot: RunSnapshot) -> str:
    """Return the run's status, or what it has been asked to become: `stopping`."""
    match snapshot.asked if snapshot.live else None:
        case commands.Stop():
            return "stopping"
        case commands.Pause():
            return "pausing"
        case commands.Resume():
            return "going on"
    return snapshot.status


def _asked_words(snapshot: RunSnapshot, asked: commands.AnyCommand) -> str:
    """Say what a run has been asked for, and what it does until then."""
    is_waiting = snapshot.status == "waiting"
    doing = f", still {_stage(snapshot, snapshot.preparing)}" if snapshot.preparing else ""
    match asked:
        case commands.Stop() if is_waiting and snapshot.awaited_device:
            return "stopping: it has not begun, and leaves the queue"
        case commands.Stop() if is_waiting or doing:
            return f"stopping{doing}: nothing has been learnt yet"
        case commands.Stop() if snapshot.is_saving:
            return "stopping: testing and saving"
        case commands.Stop(now=True):
            return "stopping at once, without testing and saving"
        case commands.Stop():
            return "stopping after this step, then testing and saving"
        case commands.Pause():
            return f"pausing{doing}: it holds before its {'first' if is_waiting or doing else 'next'} step"
    return "going on"


def _stage(snapshot: RunSnapshot, preparing: events.Preparing) -> str:
    started = snapshot.progress.started
    return stage_words(preparing.stage, snapshot.backend, started.device if started else "")
