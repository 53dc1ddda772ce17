"""What a run shows at one moment, made by replaying its events: the same for a live run and an old one."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

from engine import commands, events
from engine.commands import AnyCommand
from engine.config import TrainConfig
from engine.errors import RunError
from engine.eventlog import LineFollower
from engine.events import AnyEvent
from engine.labels import UNLABELLED, Labels, Stamp, read_labels, stamp_of
from engine.postmortem import crash_of, last_words
from engine.runs import LIVE, Progress, Run, Status
from engine.step_history import Interval, StepHistory, intervals, position
from engine.turns import Place, place_of
from tui.change_words import ChangeMark, change_marks
from tui.formats import memory_size


@dataclass(frozen=True)
class RunSnapshot:
    """A run as the screens show it.

    `steps` are some hundred steps of the whole run, for its curves; only of a run whose curves are shown.
    `problem` says why the settings cannot be read, and is else empty. `place` is where it stands in line, if it does.
    `crash` says what became of a worker that ended without a word, and `log_tail` are the last lines that it printed.
    `labels` are what the user wrote on it since.
    `preparing` is what it does before its first step, and `asked` what the user asked for that it has not done yet.
    `is_saving`: it was stopped, and tests and saves. `since` is when it last told something, in Unix seconds.
    """

    run: Run
    status: Status
    progress: Progress
    config: TrainConfig | None = None
    problem: str = ""
    steps: tuple[events.Step, ...] = ()
    download: events.DownloadProgressed | None = None
    awaited_device: str = ""
    place: Place | None = None
    warnings: tuple[str, ...] = ()
    crash: RunError | None = None
    log_tail: tuple[str, ...] = ()
    labels: Labels = UNLABELLED
    preparing: events.Preparing | None = None
    asked: AnyCommand | None = None
    since: float = 0.0
    is_saving: bool = False

    @property
    def name(self) -> str:
        """The name that the run was given last; empty where it has none."""
        if self.labels.name is not None:
            return self.labels.name
        return self.config.name if self.config else ""

    @cached_property
    def short_name(self) -> str:
        """The name that the store gave the run, such as `torch-3`; its id where that is not known."""
        return self.run.short_name or self.run.id

    @property
    def label(self) -> str:
        """What people call the run: its name, else its id."""
        return self.name or self.run.id

    @property
    def live(self) -> bool:
        """Whether a worker is alive."""
        return self.status in LIVE

    @property
    def backend(self) -> str:
        """The framework's name, as far as it is known."""
        if self.progress.started:
            return self.progress.started.backend
        return self.config.backend if self.config else ""

    @property
    def model(self) -> str:
        """The architecture's name, as far as it is known."""
        if self.progress.started:
            return self.progress.started.model
        return self.config.model if self.config else ""

    @property
    def epochs(self) -> int:
        """How many epochs the run was asked for; 0 when unknown."""
        return self.progress.planned_epochs or (self.config.epochs if self.config else 0)

    @property
    def mistakes(self) -> tuple[tuple[int, int], ...]:
        """How many test images were wrong after each epoch that has predictions."""
        return self.progress.mistakes

    @property
    def checkpoint(self) -> events.CheckpointSaved | None:
        """The last checkpoint that was written and still counts."""
        return self.progress.checkpoint

    @property
    def extended_mark(self) -> str:
        """What lists write behind the number of epochs of a run that was given more of them."""
        return "+" if self.progress.is_extended else ""

    @cached_property
    def change_marks(self) -> tuple[ChangeMark, ...]:
        """Where a chart of the run marks what was changed on the way."""
        return change_marks(self.config, self.progress) if self.config else ()

    @property
    def epoch_step(self) -> events.Step | None:
        """The last step of the epoch in progress, or None between epochs."""
        step, done = self.progress.last_step, self.progress.epochs
        if step is None or self.progress.finished or (done and done[-1].epoch >= step.epoch):
            return None
        return step

    @property
    def reached(self) -> float:
        """How far the run has come, in epochs."""
        epochs, step = self.progress.epochs, self.progress.last_step
        return max(float(epochs[-1].epoch) if epochs else 0.0, position(step) if step else 0.0)

    @property
    def trained_steps(self) -> list[events.Step]:
        """The steps that are known; after a resume from an older checkpoint, those up to there."""
        last = self.epoch_step
        return [step for step in self.steps or ((last,) if last else ()) if position(step) <= self.reached]

    @cached_property
    def intervals(self) -> list[Interval]:
        """The training figures between one step and the next."""
        return intervals(self.trained_steps, self.progress.epochs)

    @property
    def seconds_left(self) -> float | None:
        """An estimate of the training time that is left, from the speed of the last step."""
        step = self.progress.last_step
        if not self.live or step is None or self.config is None or step.images_per_second <= 0:
            return None
        steps = step.steps - step.step + (self.epochs - step.epoch) * step.steps
        return max(0.0, steps * self.config.batch_size / step.images_per_second)


class RunReplay:
    """Follows one run's files and keeps what its snapshot needs: of the steps the last, and after `draw` more."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._config: TrainConfig | None = None
        self._problem = ""
        self._labels = UNLABELLED
        self._labels_stamp: Stamp | None = None
        self._history: StepHistory | None = None
        self._read_config()
        self._begin()
        self.snapshot = RunSnapshot(run, "waiting", Progress(), self._config, self._problem)

    def _begin(self) -> None:
        self._follower = self.run.follow()
        self._asked = LineFollower(self.run.commands_path)
        self._requests: list[AnyCommand] = []
        self._kept: list[AnyEvent] = []
        self._settled: tuple[int, int] | None = None
        self._has_news = False

    def update(self) -> None:
        """Read what is new; while the files cannot be read, as on a network drive that is away, all stays as it was.

        Once the run has ended, its log is let go and only looked at from outside: there may be thousands of them.
        """
        with suppress(OSError):
            self._read_labels()
            try:
                self._follow()
            except RunError as error:  # something else than a file is where its log should be
                status = self.run.status(self.snapshot.progress)
                crash = error if status == "crashed" else None
                self.snapshot = replace(self.snapshot, status=status, problem=error.message, crash=crash)
        self._read_steps()

    def draw(self, wanted: bool) -> None:
        """Keep the steps of the whole run for curves, or let them go: of thousands of runs they would take too much."""
        if wanted and self._history is None:
            self._history = StepHistory(self.run.events_path)
            self._read_steps()
        elif not wanted and self._history:
            self._history = None
            self.snapshot = replace(self.snapshot, steps=())

    def _read_steps(self) -> None:
        with suppress(OSError, RunError):
            if self._history and self._history.update():
                self.snapshot = replace(self.snapshot, steps=self._history.steps)

    def _read_labels(self) -> None:
        """Read the labels where they are other ones than before."""
        stamp = stamp_of(self.run.path)
        if stamp != self._labels_stamp:
            self._labels_stamp, self._labels = stamp, read_labels(self.run.path)
            self.snapshot = replace(self.snapshot, labels=self._labels)

    def _follow(self) -> None:
        stamp = self._stamp()
        if self._settled:
            if stamp == self._settled:
                return
            self._begin()
        self._update()
        if stamp and self.snapshot.progress.finished:
            self._begin()
            self._settled = stamp

    def _stamp(self) -> tuple[int, int] | None:
        """Return what changes whenever something is written to the log; None where there is none."""
        try:
            found = self.run.events_path.stat()
        except OSError:
            return None
        return found.st_size, found.st_mtime_ns

    def _update(self) -> None:
        self._read()
        progress = Progress.of(self._kept) if self._has_news else self.snapshot.progress
        status = self.run.status(progress)
        if status == "crashed" and self._read():
            # The worker ended between the two looks: its last words tell how.
            progress = Progress.of(self._kept)
            status = self.run.status(progress)
        place = self._place(status)
        shown = self.snapshot
        if self._has_news or (status, place) != (shown.status, shown.place) or progress is not shown.progress:
            self.snapshot, self._has_news = self._make(status, progress, place), False

    def _read_config(self) -> None:
        try:
            self._config = self.run.config
        except RunError as error:
            self._problem = error.message

    def _read(self) -> bool:
        with suppress(OSError, RunError):  # the run is shown though something else is in that file's place
            self._read_requests()
        found = False
        while batch := self._follower.read(steps=1):
            found = True
            self._keep(batch)
        return found

    def _read_requests(self) -> None:
        """Read what was asked of the run's workers, of which a damaged line is left out."""
        lines = self._asked.read()
        for line in lines:
            with suppress(RunError):
                self._requests.append(commands.decode(line))
        self._has_news = self._has_news or bool(lines)

    def _asked_for(self, progress: Progress) -> AnyCommand | None:
        """Return what the worker of now was asked for, and has not done yet."""
        begun = next((event.time for event in self._of_this_worker() if isinstance(event, events.RunRelaunched)), 0.0)
        asked = [one for one in self._requests if one.time > begun]
        stops = [one for one in asked if isinstance(one, commands.Stop)]
        if stops:
            return next((one for one in stops if one.now), stops[0])
        holds = [one for one in asked if isinstance(one, commands.Pause | commands.Resume)]
        last = holds[-1] if holds else None
        return last if last and isinstance(last, commands.Pause) is not progress.paused else None

    def _of_this_worker(self) -> list[AnyEvent]:
        """Return the events from the last relaunch on."""
        starts = [number for number, event in enumerate(self._kept) if isinstance(event, events.RunRelaunched)]
        return self._kept[starts[-1] if starts else 0 :]

    def _since(self) -> float:
        """Return when the run last told something, or, while it has told nothing yet, was created."""
        if self._kept:
            return self._kept[-1].time
        with suppress(OSError):
            return self.run.config_path.stat().st_mtime
        return 0.0

    def _keep(self, batch: Iterable[AnyEvent]) -> None:
        self._has_news = True
        for event in batch:
            if self._kept and type(event) is type(self._kept[-1]) and isinstance(event, events.Step | _Download):
                self._kept[-1] = event
            else:
                self._kept.append(event)

    def _place(self, status: Status) -> Place | None:
        last = self._kept[-1] if self._kept else None
        if status == "waiting" and isinstance(last, events.DeviceAwaited):
            return place_of(self.run, last.queue or last.device, last.device)
        return None

    def _make(self, status: Status, progress: Progress, place: Place | None) -> RunSnapshot:
        last = self._kept[-1] if self._kept else None
        return RunSnapshot(
            run=self.run,
            status=status,
            progress=progress,
            config=self._config,
            problem=self._problem,
            steps=self._history.steps if self._history else (),
            download=last if isinstance(last, events.DownloadProgressed) else None,
            awaited_device=last.device if isinstance(last, events.DeviceAwaited) else "",
            place=place,
            warnings=tuple(e.message for e in self._kept if isinstance(e, events.Warned)),
            crash=crash_of(self.run) if status == "crashed" else None,
            log_tail=last_words(self.run) if status in ("crashed", "failed") else (),
            labels=self._labels,
            preparing=last if isinstance(last, events.Preparing) else None,
            asked=None if progress.finished else self._asked_for(progress),
            since=self._since(),
            is_saving=any(isinstance(e, events.CommandApplied) and e.command == "stop" for e in self._of_this_worker()),
        )


_Download = events.DownloadProgressed


def kept_text(paused: RunSnapshot) -> str:
    """Say what a paused run keeps: `its place on cpu and 1.2 GB of memory`."""
    started, memory = paused.progress.started, paused.progress.memory_bytes
    device = started.device if started else "its device"
    parts = [f"its place on {device}"]
    if memory:
        parts.append(f"{memory_size(memory)} of memory")
    if device.startswith(("cuda", "mps")):
        parts.append("its memory on the GPU")
    return " and ".join(", ".join(parts).rsplit(", ", 1))
