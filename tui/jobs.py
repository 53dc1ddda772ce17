"""What the app has done in the background, and the messages that tell how it went."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from engine.config import TrainConfig
from engine.devices import BackendReport
from engine.errors import DataError, EngineError
from engine.events import DatasetInfo
from engine.runs import Run, Store
from tui.datasets import FETCHED_LATER, dataset_at


@dataclass
class JobFailed(Message):
    """Something that the user asked for did not work."""

    error: EngineError


@dataclass
class RunLaunched(Message):
    """A run was created and its worker started."""

    run: Run


@dataclass
class DeviceProbed(Message):
    """A framework told what it can use on this machine."""

    report: BackendReport


@dataclass(frozen=True)
class Dataset:
    """What the setting `data` leads to: facts and the counts of each class, or why there are none."""

    data: str
    info: DatasetInfo | None = None
    train_counts: tuple[int, ...] = ()
    test_counts: tuple[int, ...] = ()
    error: EngineError | None = None

    @property
    def fetched_later(self) -> bool:
        """Whether there is nothing wrong but that the dataset is not on this machine yet."""
        return self.error is not None and self.error.message == FETCHED_LATER


@dataclass
class DatasetExamined(Message):
    """What the setting `data` leads to is known."""

    dataset: Dataset


def launch_run(store: Store, config: TrainConfig) -> Message:
    """Start a run."""
    from engine.launcher import launch

    try:
        return RunLaunched(launch(store, config))
    except EngineError as error:
        return JobFailed(error)


def examine_dataset(data: str) -> Message:
    """Read the dataset that the setting `data` leads to, unless it would have to be downloaded."""
    from engine.data import class_counts

    try:
        found = dataset_at(data)
    except DataError as error:
        return DatasetExamined(Dataset(data, error=error))
    train, test = (tuple(class_counts(labels)) for labels in (found.train_labels, found.test_labels))
    return DatasetExamined(Dataset(data, found.info, train, test))
