"""One line on where a live run is: epoch, step, running loss, speed and the time left, or what it waits for."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from engine.events import Step
from tui.activity import Activity, activity_of
from tui.formats import clock, count, figure
from tui.snapshot import RunSnapshot
from tui.status import GLYPHS
from tui.terminal import clean

SECONDS = 1.0
MAXIMUM_BAR = 40
MINIMUM_BAR = 6


class ProgressRow(Static):
    """The progress of the epoch that is running; blank when none is."""

    snapshot: reactive[RunSnapshot | None] = reactive(None)
    label: reactive[str] = reactive("")
    """What tells the run from others that were launched with it."""

    def on_mount(self) -> None:
        """Count the seconds of what shows no progress."""
        self.set_interval(SECONDS, self._tick)

    def _tick(self) -> None:
        if self.snapshot and self.screen.is_current and activity_of(self.snapshot):
            self.refresh()

    def render(self) -> Content:
        """Write the line, leaving out what does not fit."""
        snapshot = self.snapshot
        step = snapshot.epoch_step if snapshot else None
        if snapshot and (activity := activity_of(snapshot)):
            return self._activity(snapshot, activity)
        if snapshot is None or step is None or not snapshot.live:
            return Content("")
        ascii_only = bool(getattr(self.app, "ascii", False))
        sign = GLYPHS["paused"] if snapshot.status == "paused" else ("▶", ">", "")
        label = f"{clean(self.label)} " if self.label else ""
        head = f"{sign[ascii_only]} {label}epoch {step.epoch}/{snapshot.epochs} "
        width = self.outer_size.width - self.styles.gutter.width  # `size` may have all of the screen laid out
        started = snapshot.progress.started
        for tail in _tails(step, snapshot.seconds_left, (started and started.kernels) or ""):
            room = width - len(head) - len(tail)
            if room >= MINIMUM_BAR:
                break
        bar = _bar(step.step / max(step.steps, 1), max(0, min(room, MAXIMUM_BAR)), ascii_only)
        return Content.assemble((head, "bold $primary"), *bar, tail)

    def _activity(self, snapshot: RunSnapshot, activity: Activity) -> Content:
        ascii_only = bool(getattr(self.app, "ascii", False))
        label = f"{clean(self.label)} " if self.label else ""
        text = activity.text("..." if ascii_only else "…")
        return Content.assemble((f"{GLYPHS[snapshot.status][ascii_only]} {label}", "bold $primary"), text)


def _tails(step: Step, seconds_left: float | None, kernels: str) -> list[str]:
    """Return what follows the bar, from the most to the least told; `kernels` says whose the speed is, if known."""
    steps = f" {count(step.step)}/{count(step.steps)}"
    eta = f"   ETA {clock(seconds_left)}" if seconds_left is not None else ""
    speed = f"   {count(step.images_per_second)} images/s"
    loss = f"   loss {figure(step.loss)}"
    accuracy = f"   acc {step.accuracy:.4f}"
    whose = f" with {kernels} kernels" if kernels else ""
    parts = [
        loss + accuracy + speed + whose + eta, loss + speed + whose + eta, loss + speed + eta, speed + eta, eta, "",
    ]  # fmt: skip
    return [*(steps + part for part in parts), ""]


def _bar(share: float, width: int, ascii_only: bool) -> tuple[tuple[str, str], tuple[str, str]]:
    done = round(width * min(max(share, 0.0), 1.0))
    full, empty = ("#", "-") if ascii_only else ("━", "─")
    return (full * done, "$primary"), (empty * (width - done), "$text-disabled")
