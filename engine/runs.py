"""Runs on disk: a store of run directories; each run's files, its status, and what it did."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from engine import commands, events
from engine.causes import explain, name_path
from engine.changes import Change, ChangeLog, Extension, RateChange
from engine.config import TrainConfig
from engine.errors import ConfigError, RunError, StoreError
from engine.eventlog import EventFollower, read_backwards, read_events
from engine.events import AnyEvent
from engine.folders import expanded, state_folder
from engine.labels import Labels, checked_name, checked_note, read_labels, write_labels
from engine.locks import FileLock, is_held
from engine.regular_files import is_regular, open_regular, read_regular
from engine.run_index import (
    MOST_CONFIG_BYTES,
    SHORT_NAME,
    entry_of,
    id_of,
    index_of,
    index_writer,
    moment_of,
    run_ids_in,
)

Status = Literal["waiting", "running", "paused", "completed", "stopped", "failed", "crashed"]
STATUS_WORDS: dict[Status, str] = {
    "waiting": "is waiting to start",
    "running": "is running",
    "paused": "is paused",
    "completed": "has finished",
    "stopped": "was stopped",
    "failed": "has failed",
    "crashed": "has crashed",
}
"""What to say of a run by its status, after `Run …` or `it`."""
LIVE: frozenset[Status] = frozenset({"waiting", "running", "paused"})
ENDED: frozenset[Status] = frozenset({"completed", "stopped", "failed"})
"""What the worker itself told last; one that is gone without that has crashed."""
OTHER_STORE = "Choose another folder with --store or MNIST_TUI_STORE."


@dataclass(frozen=True)
class Progress:
    """What a run's events add up to; accuracies from 0 to 1, `seconds` of training alone.

    `starts` are the starts that trained what there is: the first one, and one for each resume; `started` is the last.
    `waiting`: the worker, whether the first or a later one, has not begun to train yet. `memory_bytes` is what it
    keeps while it is paused. `planned_epochs` is how many epochs the run is to train in all. `changes` are those made
    on the way that still count (see engine.changes). `mistakes` is how many test images were wrong after each epoch
    whose predictions were saved, and `checkpoint` the last one that was written; a resume from an older checkpoint
    takes both back.
    """

    waiting: bool = True
    started: events.RunStarted | None = None
    epochs: tuple[events.EpochFinished, ...] = ()
    last_step: events.Step | None = None
    finished: events.RunFinished | None = None
    paused: bool = False
    memory_bytes: int | None = None
    planned_epochs: int | None = None
    changes: tuple[Change, ...] = ()
    mistakes: tuple[tuple[int, int], ...] = ()
    checkpoint: events.CheckpointSaved | None = None
    starts: tuple[events.RunStarted, ...] = ()

    @classmethod
    def of(cls, log: Iterable[AnyEvent]) -> Progress:
        """Replay `log`. A resumed run's epochs follow on from the checkpoint it was resumed from."""
        starts: list[events.RunStarted] = []
        finished: events.RunFinished | None = None
        step: events.Step | None = None
        checkpoints: list[events.CheckpointSaved] = []
        epochs: dict[int, events.EpochFinished] = {}
        mistakes: dict[int, int] = {}
        waiting, paused = True, False
        memory: int | None = None
        changes = ChangeLog()
        for event in log:
            match event:
                case events.RunStarted():
                    starts = [*starts, event] if event.resumed_from is not None else [event]
                    finished, step = None, None
                    waiting, paused = False, False
                    resumed_from = event.resumed_from or 0
                    epochs = {n: e for n, e in epochs.items() if n <= resumed_from}
                    mistakes = {n: wrong for n, wrong in mistakes.items() if n <= resumed_from}
                    checkpoints = [saved for saved in checkpoints if saved.epoch <= resumed_from]
                case events.RunRelaunched():
                    waiting, finished, step = True, None, None
                case events.Step():
                    step = event
                case events.EpochFinished():
                    epochs[event.epoch] = event
                case events.PredictionsSaved():
                    mistakes[event.epoch] = event.mistakes
                case events.CheckpointSaved():
                    checkpoints.append(event)
                case events.CommandApplied(command="pause" | "resume" as command):
                    paused, memory = command == "pause", event.memory_bytes
                case events.RunFinished():
                    finished = event
                case _:
                    pass
            changes.note(event, len(epochs))
        return cls(
            waiting=waiting,
            started=starts[-1] if starts else None,
            epochs=tuple(epochs.values()),
            last_step=step,
            finished=finished,
            paused=paused,
            memory_bytes=memory,
            planned_epochs=changes.planned_epochs,
            changes=changes.changes,
            mistakes=tuple(mistakes.items()),
            checkpoint=checkpoints[-1] if checkpoints else None,
            starts=tuple(starts),
        )

    @property
    def rate_changes(self) -> tuple[RateChange, ...]:
        """How the user changed the learning rate on the way."""
        return tuple(change for change in self.changes if isinstance(change, RateChange))

    @property
    def rate_change(self) -> RateChange | None:
        """How the user last changed the learning rate."""
        return self.rate_changes[-1] if self.rate_changes else None

    @property
    def is_extended(self) -> bool:
        """Whether the run was given more epochs than it was launched with."""
        return any(isinstance(change, Extension) and change.after > change.before for change in self.changes)

    @property
    def standing(self) -> Status:
        """What the events say; only the lock tells whether the worker is still there."""
        if self.finished:
            return self.finished.outcome
        if self.waiting:
            return "waiting"
        return "paused" if self.paused else "running"

    @property
    def test_accuracy(self) -> float | None:
        """The run's accuracy on the test set after its last finished epoch; None for a run without one.

        This is what lists, comparisons and the Mistakes screen mean, not the best epoch's: where no images are held out
        to choose that epoch, the test set itself chooses it, which flatters.
        """
        return self.epochs[-1].test_accuracy if self.epochs else None

    @property
    def best(self) -> events.EpochFinished | None:
        """The epoch with the highest accuracy (on validation images, where some were held out), the first of equals."""
        return max(self.epochs, key=_deciding_accuracy, default=None)

    @property
    def seconds(self) -> float:
        """Seconds spent training, over all finished epochs."""
        return sum(epoch.seconds for epoch in self.epochs)

    @property
    def images_per_second(self) -> float | None:
        """The median over the epochs, which a slow first one or other work on the machine hardly moves."""
        import statistics

        return statistics.median(epoch.images_per_second for epoch in self.epochs) if self.epochs else None


class Run:
    """One run's directory. Nothing is kept in memory: every question is answered from the files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.name
        self.config_path = path / "config.json"
        self.events_path = path / "events.jsonl"
        self.commands_path = path / "commands.jsonl"
        self.log_path = path / "worker.log"
        self.lock_path = path / "run.lock"
        self.predictions_path = path / "predictions"

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def config(self) -> TrainConfig:
        """The run's settings; raises RunError when config.json is missing or damaged."""
        try:
            return TrainConfig.from_json(read_regular(self.config_path, MOST_CONFIG_BYTES), self.config_path)
        except OSError as error:
            message, hint = explain(error, "read", self.config_path)
            raise RunError("Run not readable", f"The settings of run {self.id}: {message}", hint) from error
        except ConfigError as error:
            message = f"The settings of run {self.id} cannot be read: {error.message}"
            raise RunError("Run not readable", message, "Delete the run.") from error

    @property
    def labels(self) -> Labels:
        """What people wrote on the run: another name, a note."""
        return read_labels(self.path)

    @property
    def name(self) -> str:
        """The name that the run was given last; empty where it has none."""
        name = self.labels.name
        return _first_name(self) if name is None else name

    @property
    def label(self) -> str:
        """What people call the run: the name that it was given, else its id."""
        return self.name or self.id

    @property
    def short_name(self) -> str:
        """The name that the store gave the run, such as `torch-3`; no other run of the store ever has it.

        Empty where the run is gone.
        """
        entry = entry_of(self.path)
        return entry.name if entry else ""

    @property
    def created(self) -> datetime | None:
        """When the run was created, in local time with its offset; None where nothing tells."""
        entry = entry_of(self.path)
        moment = entry.moment if entry else moment_of(self.path)
        with contextlib.suppress(OverflowError, OSError, ValueError):
            return datetime.fromtimestamp(moment).astimezone() if moment else None
        return None

    def events(self) -> list[AnyEvent]:
        """Return everything that happened so far."""
        return read_events(self.events_path)

    def told_but_steps(self) -> Iterator[AnyEvent]:
        """Yield what happened so far, without most of the steps: fast where there are millions of them."""
        follower = self.follow()
        while batch := follower.read(steps=1):
            yield from batch

    def follow(self) -> EventFollower:
        """Return a reader that hands out the events from the first one on, as they come."""
        return EventFollower(self.events_path)

    def progress(self) -> Progress:
        """Return what the events so far add up to."""
        return Progress.of(self.told_but_steps())

    def predicted_epochs(self, progress: Progress | None = None) -> list[int]:
        """Return the epochs whose predictions can be shown; `progress` saves reading the events again.

        Files that the events do not vouch for are left out: they may be of epochs that were trained again since, after
        a resume from an older checkpoint.
        """
        from engine.evaluation import predicted_epochs

        saved = {epoch for epoch, _ in (progress or self.progress()).mistakes}
        return [epoch for epoch in predicted_epochs(self.predictions_path) if epoch in saved]

    def status(self, progress: Progress | None = None) -> Status:
        """Derive the status from the lock and the events; `progress` saves reading the last of these."""
        # The lock first: a worker that ends in between has written its last event by then.
        live = is_held(self.lock_path)
        told = progress.standing if progress else _standing(read_backwards(self.events_path))
        return told if live or told in ENDED else "crashed"

    def send(self, command: commands.AnyCommand) -> None:
        """Ask the run's worker for something; raises RunError when no worker is alive, or cannot be reached."""
        try:
            self._check_live()
            with self.inbox() as descriptor:
                self._check_live()  # the worker may have ended meanwhile, and another one may be starting
                _append_whole(descriptor, commands.encode(command))
        except OSError as error:
            raise RunError("Run not reached", *explain(error, "written", self.commands_path)) from error

    @contextlib.contextmanager
    def inbox(self) -> Iterator[int]:
        """Open commands.jsonl to append to, alone; yield its descriptor.

        Commands are sent, and a new worker takes over from an earlier one, only while the file is held so. So its
        length when a worker takes over is where the commands for that worker begin.
        """
        descriptor = open_regular(self.commands_path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # held for milliseconds
            yield descriptor
        finally:
            os.close(descriptor)

    def _check_live(self) -> None:
        """Raise RunError unless a worker is there to take commands: one that has told its end takes none."""
        if not self.path.exists():
            raise RunError("No such run", f"{self.path} is gone.")
        if not is_held(self.lock_path) or self.status() not in LIVE:
            raise self._not_live()

    def _not_live(self) -> RunError:
        """Say how the run has ended, and what can be done now."""
        status = self.status()
        hint = f"To go on with it: mnist-tui resume {self.id}"
        if status == "completed":
            hint += f" --epochs {2 * len(self.progress().epochs)}"
        elif status in ("failed", "crashed"):
            hint = f"To see why: mnist-tui show {self.id}. {hint}"
        return RunError("Run not live", f"Run {self.id} {STATUS_WORDS[status]}: it is not running any more.", hint)


class Store:
    """A folder of runs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def locate(cls, explicit: str | Path | None = None) -> Store:
        """Return the store that is in force: `explicit`, MNIST_TUI_STORE, ./checkpoints, the user's state folder."""
        if explicit:
            return cls(expanded(explicit))
        if from_environment := os.environ.get("MNIST_TUI_STORE"):
            return cls(expanded(from_environment))
        if Path("checkpoints").is_dir():
            return cls(Path("checkpoints").absolute())
        return cls(state_folder() / "runs")

    def runs(self) -> list[Run]:
        """Return the runs, the oldest first; [] when the store does not exist yet."""
        return [Run(self.path / run_id) for run_id in self.run_ids()]

    def run_ids(self) -> list[str]:
        """Return the ids of the runs, the oldest first; [] when the store does not exist yet."""
        try:
            found = run_ids_in(self.path)
            return index_of(self.path, found).sorted(found)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unusable("read", error) from error

    def find(self, reference: str) -> Run:
        """Return the run that `reference` means: an id, a short name, a unique prefix of an id, a name, or `last`.

        Raises RunError when there is no such run, or more than one.
        """
        runs = self.runs()
        if reference == "last" and runs:
            return runs[-1]
        matches = [run for run in runs if run.id == reference]
        if not matches and re.match(SHORT_NAME, reference):
            # Before there were short names, users could call a run so.
            matches = [run for run in runs if reference in (run.short_name, run.name)]
        matches = matches or [run for run in runs if reference and run.id.startswith(reference)]
        matches = matches or [run for run in runs if reference and run.name == reference]
        if len(matches) == 1:
            return matches[0]
        if not matches:
            hint = "mnist-tui runs lists them." if runs else "Train one first: mnist-tui train"
            raise RunError("No such run", f"There is no run “{reference}” in {self.path}.", hint)
        ids = ", ".join(run.id for run in matches[-5:])
        raise RunError("Run not clear", f"“{reference}” means {len(matches)} runs, such as {ids}.", "Use an id.")

    def create(self, config: TrainConfig) -> tuple[Run, FileLock]:
        """Make a new run's directory; return the run and its lock, held by this process.

        The directory appears in one step, locked and with its settings, so that nobody sees it half made.
        Raises StoreError when the store cannot be written, and what `check_name` raises.
        """
        check_name(config.name, ())
        draft = self.path / f".new-{os.urandom(8).hex()}"
        lock = FileLock(draft / "run.lock")
        try:
            draft.mkdir(parents=True)
            (draft / "config.json").write_bytes(config.to_json() + b"\n")
            lock.acquire()
            with index_writer(self.path) as index:
                index.add_found(run_ids_in(self.path))
                run = Run(_rename_to_new_id(draft, config.backend))
                index.add_created(run.id, config.backend)
        except OSError as error:
            lock.release()
            shutil.rmtree(draft, ignore_errors=True)
            name_path(error, self.path, draft)
            raise self._unusable("written", error) from error
        lock.path = run.lock_path
        return run, lock

    def rename(self, run: Run, name: str) -> None:
        """Give `run` another name, or none; several runs may share one, as with `train --name`.

        Raises ConfigError or RunError for a name that it cannot have.
        """
        name = check_name(name, self.run_ids())
        write_labels(run.path, msgspec.structs.replace(run.labels, name=name))

    def annotate(self, run: Run, note: str) -> None:
        """Write a note on `run`, in place of the one before; raises RunError for a note that it cannot have."""
        write_labels(run.path, msgspec.structs.replace(run.labels, note=checked_note(note)))

    def delete(self, run: Run) -> None:
        """Remove a run's directory; raises RunError while its worker lives, or where it is a link to elsewhere.

        Links in it are removed, not followed.
        """
        if run.path.is_symlink():
            raise RunError("Run is a link", f"{run.path} leads to {run.path.resolve()}.", "Remove the link instead.")
        if not run.path.exists():
            raise RunError("No such run", f"{run.path} is gone already.")
        lock = FileLock(run.lock_path)
        try:
            if not is_regular(run.lock_path):
                pass  # nobody can hold it
            elif not lock.acquire():
                raise RunError("Run is live", f"Run {run.id} is being trained.", f"First: mnist-tui stop {run.id}")
            with index_writer(self.path) as index:
                index.add_found(run_ids_in(self.path))  # while it is still there, so that its short name is not reused
            shutil.rmtree(run.path)
        except OSError as error:
            raise self._unusable("written", error) from error
        finally:
            lock.release()

    def _unusable(self, verb: str, error: OSError) -> StoreError:
        return StoreError(f"Store cannot be {verb}", *explain(error, verb, self.path, OTHER_STORE))


def _standing(backwards: Iterable[AnyEvent]) -> Status:
    """Return `Progress.standing` from the events, the last first, of which the first few mostly tell."""
    for event in backwards:
        match event:
            case events.RunFinished():
                return event.outcome
            case events.RunRelaunched():
                return "waiting"
            case events.CommandApplied(command="pause"):
                return "paused"
            case events.RunStarted() | events.Step() | events.EpochFinished():
                return "running"  # while a run is paused, it tells of none of these
            case events.CommandApplied(command="resume"):
                return "running"
            case _:
                pass
    return "waiting"


def open_run(reference: str, store: str | Path | None = None) -> Run:
    """Return a run of the store in force (see Store.locate and Store.find)."""
    return Store.locate(store).find(reference)


def check_name(text: str, run_ids: Iterable[str]) -> str:
    """Return `text` as a name that commands find a run by; raise ConfigError or RunError where it cannot be one."""
    name = checked_name(text)
    found = ""
    if name == "last":
        found = "the newest run"
    elif re.match(SHORT_NAME, name):
        found = "the run with this short name"
    elif name and any(run_id.startswith(name) for run_id in run_ids):
        found = "runs whose id begins so"
    if found:
        raise RunError("Name not usable", f"“{name}” means {found} wherever a run is asked for.", "Choose another.")
    return name


def _append_whole(descriptor: int, line: bytes) -> None:
    """Append `line`, or nothing: half a line, as on a full disk, would take the next one with it."""
    size = os.fstat(descriptor).st_size
    if os.write(descriptor, line) < len(line):
        os.ftruncate(descriptor, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _deciding_accuracy(epoch: events.EpochFinished) -> float:
    return epoch.test_accuracy if epoch.validation_accuracy is None else epoch.validation_accuracy


def _rename_to_new_id(draft: Path, backend: str) -> Path:
    """Rename a run's directory to a new id, see `id_of`."""
    while True:
        try:
            return draft.rename(draft.with_name(id_of(datetime.now(UTC).timestamp(), backend)))
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            time.sleep(1 / 65536)


def _first_name(run: Run) -> str:
    try:
        return str(json.loads(read_regular(run.config_path, MOST_CONFIG_BYTES)).get("name", ""))
    except (OSError, ValueError, AttributeError):
        return ""
