"""The datasets that the screens show, read once each and never downloaded. For background threads only: NumPy."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.errors import DataError

if TYPE_CHECKING:
    from engine.config import TrainConfig
    from engine.data import Dataset, Source
    from engine.events import RunStarted

_read: dict[Source, Dataset] = {}
_reading = threading.Lock()

FETCHED_LATER = "MNIST is not on this machine yet."


def dataset_at(data: str, sample: bool = False) -> Dataset:
    """Return the dataset that the setting `data` means here, or the embedded sample.

    Raises DataError when there is none on this machine, or it is damaged.
    """
    from engine import data as source_of

    skipped: tuple[str, ...] = ()
    if sample:
        source = source_of.sample()
        found = _read_once(source) if source else None
    else:
        found, skipped = source_of.find(data, _read_once)
    if found is None:
        raise DataError("No dataset", FETCHED_LATER, "It is fetched when training starts, or use --data FOLDER.")
    return replace(found, notices=(*skipped, *found.notices)) if skipped else found


def _read_once(source: Source) -> Dataset:
    from engine import data as source_of

    with _reading:
        if source not in _read:
            _read[source] = source_of.read(source)
        return _read[source]


def dataset_of(config: TrainConfig | None, started: RunStarted | None) -> Dataset:
    """Return the dataset of the run that has these settings and began like this.

    Raises DataError when it is not on this machine any more, or what is found in its place is another one.
    """
    from engine.answers import check_dataset

    dataset = dataset_at(config.data if config else "", sample=bool(started and started.dataset.sample))
    check_dataset(started, dataset)
    return dataset
