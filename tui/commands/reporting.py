"""How a run is told on the command line: as raw events, as lines, or as lines with a live one below them."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Protocol

import click

from engine import events
from engine.backends import BACKENDS
from engine.changes import rate_change
from engine.config import TrainConfig
from engine.events import AnyEvent
from tui import formats
from tui.activity import stage_words
from tui.change_words import change_text
from tui.commands.options import notify
from tui.kernels import kernels_phrase
from tui.recipe import training_loss_note
from tui.terminal import clean, clean_json

if TYPE_CHECKING:
    from rich.console import RenderableType

    from engine.turns import Place

COLUMNS = ("epoch", "train loss", "train acc", "test loss", "test acc", "time", "images/s")
VALIDATION_COLUMNS = (*COLUMNS[:3], "valid loss", "valid acc", *COLUMNS[3:])
SHORTEST_BAR = 4
SAMPLE_NOTICE = "This is the small sample that comes with mnist-tui, not the full MNIST: accuracies will be lower."


class Reporter(Protocol):
    """Tells what happens in a run."""

    def show(self, line: bytes, event: AnyEvent | None) -> None:
        """Tell one event: its line in the log, and what that holds, if this version knows it."""

    def stand_in_line(self, place: Place) -> None:
        """Tell where a run that waits for its device stands now."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def make_reporter(config: TrainConfig, as_json: bool) -> Reporter:
    """Return how to tell of a run with `config`: as raw events, live on a terminal, or as lines."""
    if as_json:
        return JsonReporter()
    is_live = sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb")
    return LiveReporter(config) if is_live else LineReporter(config)


class JsonReporter:
    """Writes the lines of the event log to stdout as they are, but for control characters, which become escapes.

    What a person should know goes to stderr.
    """

    def show(self, line: bytes, event: AnyEvent | None) -> None:
        """Write the line, and have it read at once."""
        sys.stdout.buffer.write(clean_json(line.decode(errors="replace")).encode() + b"\n")
        sys.stdout.buffer.flush()
        notify_of(event)
        if isinstance(event, events.RunStarted) and event.dataset.sample:
            notify(f"Notice: {SAMPLE_NOTICE}")

    def stand_in_line(self, place: Place) -> None:
        """Say it on stderr: it is no event."""
        notify(f"Waiting: {formats.place_text(place)}")

    def close(self) -> None:
        """There is nothing to undo."""


class LineReporter:
    """Writes a header, a line per epoch, and the result."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self._downloading = ""
        self.epochs = config.epochs
        self._device = ""
        self.columns = VALIDATION_COLUMNS if config.validation else COLUMNS

    def show(self, line: bytes, event: AnyEvent | None) -> None:
        """Write what `event` means to a person, if anything."""
        notify_of(event)
        match event:
            case events.DownloadProgressed(file=file) if file != self._downloading:
                self._downloading = file
                notify(f"Downloading {file}")
            case events.Preparing(stage="framework" | "first_step" as stage):
                self.prepare(stage_words(stage, self.config.backend, self._device))
            case events.RunStarted():
                self.epochs = event.epochs
                self._device = event.device
                self._start(event)
            case events.CommandApplied(command="set_learning_rate"):
                self.write(change_text(rate_change(event)).capitalize())
            case events.EpochFinished():
                self.write(epoch_line(event, self.columns))
            case events.RunFinished():
                self._finish(event)
            case _:
                pass

    def stand_in_line(self, place: Place) -> None:
        """Say it on stderr: it is no result."""
        notify(f"Waiting: {formats.place_text(place)}")

    def prepare(self, what: str) -> None:
        """Say on stderr what takes a while now."""
        notify(f"{what[0].upper()}{what[1:]}")

    def write(self, text: str) -> None:
        """Write one line to stdout."""
        click.echo(clean(text))

    def close(self) -> None:
        """There is nothing to undo."""

    def _start(self, started: events.RunStarted) -> None:
        label = BACKENDS[started.backend].label if started.backend in BACKENDS else started.backend
        self.write(
            f"{started.run}: {label} {started.framework_version} on {started.device} ({started.device_name}), "
            f"model {started.model} with {formats.count(started.parameters)} parameters"
            + (f", trained {phrase}" if (phrase := kernels_phrase(started.kernels, started.backend)) else "")
        )
        data = started.dataset
        self.write(
            f"{data.name}: {formats.count(data.train_examples)} training and "
            f"{formats.count(data.test_examples)} test images from {data.source}"
        )
        if data.sample:
            self.write(f"Notice: {SAMPLE_NOTICE}")
        if started.resumed_from is not None:
            self.write(f"Resumed after epoch {started.resumed_from}, to train {_epochs(started.epochs)} in all")
        if note := training_loss_note(self.config):
            self.write(note)
        self.write(heading(self.columns))

    def _finish(self, finished: events.RunFinished) -> None:
        if finished.outcome == "stopped":
            self.write(f"Stopped after {_epochs(finished.epochs)}")
        if finished.tested is not None and finished.test_accuracy is not None:
            self.write(f"Number of images tested: {finished.tested}")
            self.write(f"Test accuracy: {finished.test_accuracy:.4f}")


class LiveReporter(LineReporter):
    """The same, with a line below that shows the running epoch."""

    def __init__(self, config: TrainConfig) -> None:
        from rich.console import Console
        from rich.live import Live

        super().__init__(config)
        self._console = Console(highlight=False, markup=False)
        self._live = Live(
            console=self._console, transient=True, redirect_stdout=False, redirect_stderr=sys.stderr.isatty()
        )
        self._live.start()
        self._console.show_cursor(True)  # a kill -9 or ^Z must not leave the shell without one
        self._wait_for(f"Starting {BACKENDS[config.backend].label}")

    def show(self, line: bytes, event: AnyEvent | None) -> None:
        """Write what stays, and redraw what does not."""
        match event:
            case events.DeviceAwaited(device=device):
                self._wait_for(f"Waiting for {device}, where another run is training")
            case events.DownloadProgressed():
                total = f" of {formats.megabytes(event.total_bytes)}" if event.total_bytes else ""
                self._wait_for(f"Downloading {event.file}: {formats.megabytes(event.received_bytes)}{total}")
                return
            case events.Preparing(stage=stage):
                what = stage_words(stage, self.config.backend, self._device)
                self._wait_for(f"{what[0].upper()}{what[1:]}", event.time)
                return
            case events.Step():
                self._live.update(step_line(event, self.config, self.epochs, self._console.width))
            case events.CommandApplied(command="pause"):
                self._wait_for("Paused")
            case events.EpochFinished() | events.RunFinished():
                self._live.update("", refresh=True)
            case _:
                pass
        super().show(line, event)

    def stand_in_line(self, place: Place) -> None:
        """Say it in the live line."""
        self._wait_for(f"Waiting: {formats.place_text(place)}")

    def write(self, text: str) -> None:
        """Write one line above the live one."""
        from rich.text import Text

        self._console.print(Text(clean(text)))

    def close(self) -> None:
        """Remove the live line."""
        self._live.stop()

    def _wait_for(self, what: str, since: float | None = None) -> None:
        self._live.update(_Waiting(what, since), refresh=True)


class _Waiting:
    """A spinner with what is waited for and, `since` when that is known, for how many seconds already."""

    def __init__(self, what: str, since: float | None) -> None:
        from rich.spinner import Spinner

        self._what, self._since = clean(what), since
        self._spinner = Spinner("line")

    def __rich__(self) -> RenderableType:
        """Draw it as it is now."""
        from rich.text import Text

        seconds = "" if self._since is None else f"… {max(0, int(time.time() - self._since))} s"
        self._spinner.text = Text(f"{self._what}{seconds}")
        return self._spinner


def notify_of(event: AnyEvent | None) -> None:
    """Say on stderr what a person should know of `event`, if anything."""
    match event:
        case events.DeviceAwaited(device=device):
            notify(f"Waiting for {device}, where another run is training (--now does not wait)")
        case events.Warned(message=message):
            notify(f"Warning: {message}")
        case _:
            pass


def heading(columns: tuple[str, ...] = COLUMNS) -> str:
    """Return the columns' names, each as wide as its figures."""
    return "  ".join(f"{name:>{_width(name)}}" for name in columns)


def epoch_line(epoch: events.EpochFinished, columns: tuple[str, ...] = COLUMNS) -> str:
    """Return an epoch's figures below `heading`; what was not measured shows as a dash."""
    texts = {
        "epoch": formats.count(epoch.epoch),
        "train loss": formats.figure(epoch.train_loss),
        "train acc": formats.figure(epoch.train_accuracy),
        "valid loss": formats.figure(epoch.validation_loss),
        "valid acc": formats.figure(epoch.validation_accuracy),
        "test loss": formats.figure(epoch.test_loss),
        "test acc": formats.figure(epoch.test_accuracy),
        "time": formats.duration(epoch.seconds),
        "images/s": formats.count(epoch.images_per_second),
    }
    return "  ".join(f"{texts[name]:>{_width(name)}}" for name in columns)


def step_line(step: events.Step, config: TrainConfig, epochs: int, width: int) -> RenderableType:
    """Return the running epoch as one line: how far, loss, speed, and the time left until the run's last epoch."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    left = step.steps - step.step + (epochs - step.epoch) * step.steps
    speed = max(step.images_per_second, 1e-9)
    texts = (
        f"{step.step:,}/{step.steps:,}",
        f"loss {formats.figure(step.loss)}",
        f"{formats.count(step.images_per_second)} images/s",
        f"ETA {formats.clock(left * config.batch_size / speed)}",
    )
    epoch = f"{formats.count(step.epoch):>{_width('epoch')}}"
    room = width - sum(len(text) + 2 for text in (epoch, *texts))
    bar = [ProgressBar(step.steps, step.step, width=min(30, room))] if room >= SHORTEST_BAR else []
    line = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(len(texts) + 2):
        line.add_column(no_wrap=True)
    line.add_row(epoch, *bar, *texts)
    return line


def _width(column: str) -> int:
    return max(len(column), 8)


def _epochs(number: int) -> str:
    return f"{number} epoch" if number == 1 else f"{number} epochs"
