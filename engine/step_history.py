"""The steps of a run, thinned out, for curves within the epochs: bounded in time and memory however long the log is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import NamedTuple

from engine import events
from engine.eventlog import LineFollower
from engine.events import EpochFinished, Step

MOST_STEPS = 512
"""Steps that are kept of a run, evenly spread over its epochs: a chart of 120 cells has 240 columns of dots."""
READ_WHOLE = 4 << 20
"""Bytes. Of more than that, SAMPLES parts of SAMPLE_BYTES are read: 2 MB, however large the log is."""
SAMPLES, SAMPLE_BYTES = 512, 4096


class StepHistory:
    """Follows the steps in the event log at `path`. `steps` are those kept, in the order of training.

    The first update reads what is there, later ones what was appended. A run that was resumed from an older checkpoint
    trains some steps again: the later ones replace the earlier.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._kept: list[Step] = []
        self._spacing = 0.0

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps kept: the last one, and before it at most MOST_STEPS."""
        return tuple(self._kept)

    def update(self) -> bool:
        """Read what is new in the log; return whether there was a step in it. Raises OSError, but not for no file."""
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return False
        found = False
        for block in self._blocks(size):
            for step in _decoded(block):
                self._keep(step)
                found = True
        return found

    def _blocks(self, size: int) -> Iterator[bytes]:
        """Yield the whole lines between the last look and `size`, or where that is too much, parts of them."""
        reader = LineFollower(self._path, self._offset)
        new = size - self._offset
        if new > READ_WHOLE:
            for sample in range(SAMPLES):
                reader.offset = self._offset + new * sample // SAMPLES
                yield reader.read_block(SAMPLE_BYTES)
            reader.offset = size - SAMPLE_BYTES
        while block := reader.read_block():
            yield block
        self._offset = reader.offset

    def _keep(self, step: Step) -> None:
        """Keep `step`, in place of the one before it where the two are too near each other."""
        at = position(step)
        while self._kept and position(self._kept[-1]) >= at:
            self._kept.pop()
        if len(self._kept) > 1 and position(self._kept[-1]) - position(self._kept[-2]) < self._spacing:
            self._kept.pop()
        self._kept.append(step)
        if len(self._kept) > MOST_STEPS:
            self._spacing = max(2 * self._spacing, 2 * (at - position(self._kept[0])) / MOST_STEPS)
            self._kept = [*_spaced(self._kept[:-1], self._spacing), step]


class Interval(NamedTuple):
    """The mean loss and accuracy over the steps between two positions, in epochs from 0."""

    start: float
    end: float
    loss: float
    accuracy: float


def position(step: Step) -> float:
    """Return where a step is, in epochs: the end of epoch 1 is 1."""
    return step.epoch - 1 + step.step / max(step.steps, 1)


def intervals(steps: Iterable[Step], epochs: Iterable[EpochFinished]) -> list[Interval]:
    """Return the means between one step and the next, and between the last one and the end of its epoch.

    A Step holds running means over its epoch so far, which fall slowly and jump where an epoch begins. With running
    mean a after i steps and b after j steps, the mean of steps i+1 … j is (b·j − a·i) / (j − i). `epochs` have the
    means over a whole epoch, which give its last interval; an epoch without any steps is one interval.
    """
    by_epoch = {epoch: list(some) for epoch, some in groupby(steps, key=lambda step: step.epoch)}
    finished = {epoch.epoch: epoch for epoch in epochs}
    found = []
    for epoch in sorted(by_epoch.keys() | finished.keys()):
        means = [(0.0, 0.0, 0.0)]
        means += [(step.step / max(step.steps, 1), step.loss, step.accuracy) for step in by_epoch.get(epoch, ())]
        if epoch in finished and means[-1][0] < 1:
            means.append((1.0, finished[epoch].train_loss, finished[epoch].train_accuracy))
        found += [_between(epoch - 1, before, after) for before, after in pairwise(means)]
    return found


def smoothed(values: Sequence[float], widths: Sequence[float], span: float) -> list[float]:
    """Return the exponential moving average of `values`, each the mean over so wide an interval.

    A value weighs 1 − exp(−width / span), and what came before it the rest; as in Adam, the weights of the first values
    are corrected to add up to 1. A value that is not finite stays what it is, and the average begins anew behind it.
    """
    averages = []
    total = weight = 0.0
    for value, width in zip(values, widths, strict=True):
        if not math.isfinite(value):
            averages.append(value)
            total = weight = 0.0
            continue
        kept = math.exp(-width / span)
        total, weight = kept * total + (1 - kept) * value, kept * weight + (1 - kept)
        averages.append(total / weight)
    return averages


def _between(epochs_before: int, before: tuple[float, float, float], after: tuple[float, float, float]) -> Interval:
    """Return the mean between two moments of an epoch, each a share of the epoch and the running means until then."""
    (start, *old), (end, *new) = before, after
    loss, accuracy = ((b * end - a * start) / (end - start) for a, b in zip(old, new, strict=True))
    # Rounding may lead out of the range of the values.
    return Interval(epochs_before + start, epochs_before + end, max(loss, 0.0), min(max(accuracy, 0.0), 1.0))


def _decoded(block: bytes) -> Iterator[Step]:
    """Yield at most 2 × MOST_STEPS of the steps in `block`, evenly spread and with the last."""
    lines = [line for line in block.splitlines() if line.startswith(events.STEP_BEGINS)]
    stride = max(1, len(lines) // MOST_STEPS)
    for line in lines[(len(lines) - 1) % stride :: stride] if lines else ():
        if isinstance(step := events.decode(line), Step):
            yield step


def _spaced(steps: Iterable[Step], spacing: float) -> Iterator[Step]:
    """Yield those of `steps` that are at least so far behind the one before."""
    last = -math.inf
    for step in steps:
        if position(step) - last >= spacing:
            last = position(step)
            yield step
