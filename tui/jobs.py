"""What the app has done in the background, and the messages that tell how it went."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from textual.message import Message

from engine.commands import AnyCommand
from engine.config import TrainConfig
from engine.devices import BackendReport
from engine.errors import DataError, EngineError
from engine.events import DatasetInfo, ExtensionSchedule
from engine.runs import Run, Store
from tui.datasets import FETCHED_LATER, dataset_at


@dataclass
class JobFailed(Message):
    """Something that the user asked for did not work."""

    error: EngineError


@dataclass
class RunsLaunched(Message):
    """Runs have a worker each now; `error` says why there are not more of them, if there should be."""

    runs: tuple[Run, ...]
    error: EngineError | None = None


@dataclass
class RunsDeleted(Message):
    """Runs are gone from the store; `error` says why not all that should be."""

    runs: tuple[Run, ...]
    error: EngineError | None = None


@dataclass
class RunLabelled(Message):
    """A run has another name or note; `error` says why not."""

    run: Run
    error: EngineError | None = None


@dataclass
class CommandSent(Message):
    """`runs` have been asked to do something; `error` says why not all that should be, if they were not."""

    command: AnyCommand
    runs: tuple[Run, ...]
    error: EngineError | None = None


@dataclass
class DeviceProbed(Message):
    """A framework told what it can use on this machine."""

    report: BackendReport


@dataclass(frozen=True)
class ExaminedDataset:
    """What the setting `data` leads to: facts and the counts of each class, or why there are none."""

    data: str
    info: DatasetInfo | None = None
    train_counts: tuple[int, ...] = ()
    test_counts: tuple[int, ...] = ()
    error: EngineError | None = None
    stand_in: ExaminedDataset | None = None
    """The embedded sample, where the dataset would have to be fetched first."""
    notice: str = ""
    """Which damaged files were skipped on the way to it, and why."""

    @property
    def fetched_later(self) -> bool:
        """Whether there is nothing wrong but that the dataset is not on this machine yet."""
        return self.error is not None and self.error.message == FETCHED_LATER


@dataclass
class DatasetExamined(Message):
    """What the setting `data` leads to is known."""

    dataset: ExaminedDataset


def launch_runs(store: Store, configs: Sequence[TrainConfig]) -> Message:
    """Start a run with each of `configs`, as far as that goes."""
    from engine.launcher import launch

    runs: list[Run] = []
    try:
        for config in configs:
            runs.append(launch(store, config))
    except EngineError as error:
        return RunsLaunched(tuple(runs), error) if runs else JobFailed(error)
    return RunsLaunched(tuple(runs))


def relaunch_run(run: Run, epochs: int | None = None, schedule: ExtensionSchedule = "hold") -> Message:
    """Start a worker that continues `run` from its last checkpoint, up to `epochs` in all (default: as planned)."""
    from engine.backends import require_installed
    from engine.launcher import relaunch

    try:
        require_installed(run.config.backend)
        relaunch(run, epochs=epochs, schedule=schedule)
    except EngineError as error:
        return JobFailed(error)
    return RunsLaunched((run,))


def delete_runs(store: Store, runs: Sequence[Run]) -> Message:
    """Delete `runs`, as far as that goes."""
    deleted: list[Run] = []
    try:
        for run in runs:
            store.delete(run)
            deleted.append(run)
    except EngineError as error:
        return RunsDeleted(tuple(deleted), error)
    return RunsDeleted(tuple(deleted))


def label_run(store: Store, run: Run, name: str | None = None, note: str | None = None) -> Message:
    """Give `run` another name, another note, or both."""
    try:
        if name is not None:
            store.rename(run, name)
        if note is not None:
            store.annotate(run, note)
    except EngineError as error:
        return RunLabelled(run, error)
    return RunLabelled(run)


def send_command(runs: Sequence[Run], command: AnyCommand) -> Message:
    """Ask each of `runs` to do what `command` says, as far as that goes."""
    asked: list[Run] = []
    problem: EngineError | None = None
    for run in runs:
        try:
            run.send(command)
            asked.append(run)
        except EngineError as error:
            problem = error
    return CommandSent(command, tuple(asked), problem)


def examine_dataset(data: str) -> Message:
    """Read the dataset that the setting `data` leads to, unless it would have to be downloaded."""
    try:
        return DatasetExamined(_facts(data))
    except DataError as error:
        dataset = ExaminedDataset(data, error=error)
    if dataset.fetched_later:
        with suppress(DataError):
            dataset = replace(dataset, stand_in=_facts(data, sample=True))
    return DatasetExamined(dataset)


def _facts(data: str, sample: bool = False) -> ExaminedDataset:
    from engine.data import class_counts

    found = dataset_at(data, sample)
    train, test = (tuple(class_counts(labels)) for labels in (found.train_labels, found.test_labels))
    return ExaminedDataset(data, found.info, train, test, notice=" ".join(found.notices))
