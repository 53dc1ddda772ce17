"""What a run tells about itself, as frozen records and as one JSON object a line.

The kind of a record is in `type` and its moment, in Unix seconds, in `time`. The first line of a log also
carries `schema`, the version of this format.
"""

from __future__ import annotations

import time as clock
from typing import Literal

import msgspec

SCHEMA = 1

Outcome = Literal["completed", "stopped", "failed"]
ExtensionSchedule = Literal["hold", "restart"]
"""What the learning rate does in epochs beyond the plan: keep its last value, or begin its schedule anew."""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every event has."""

    time: float = msgspec.field(default_factory=clock.time)


class DatasetInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Which images a run trains and tests on. `fingerprint` is a digest of pixels and labels."""

    name: str
    source: str
    fingerprint: str
    train_examples: int
    test_examples: int
    sample: bool = False
    class_names: tuple[str, ...] = ()


class ErrorInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run failed: what, with which values, and what to do."""

    title: str
    message: str
    hint: str = ""


class RunRelaunched(Event, frozen=True, kw_only=True, tag="run_relaunched"):
    """A new worker takes an ended run up again; RunStarted follows when its turn has come."""


class RunExtended(Event, frozen=True, kw_only=True, tag="run_extended"):
    """The run was resumed with another number of epochs in all; fewer than before only shorten it.

    `schedule` says what the learning rate does beyond the epochs that were planned until then.
    """

    epochs_before: int
    epochs: int
    schedule: ExtensionSchedule


class DeviceAwaited(Event, frozen=True, kw_only=True, tag="device_awaited"):
    """Another run is training on this device; this one waits for its turn.

    `device` is its id in this run's process; `queue` names it for all, and is empty where that is the same.
    """

    device: str
    queue: str = ""


class DownloadProgressed(Event, frozen=True, kw_only=True, tag="download_progressed"):
    """The dataset is being downloaded; sizes in bytes, `total_bytes` 0 where unknown."""

    file: str
    received_bytes: int
    total_bytes: int


class Preparing(Event, frozen=True, kw_only=True, tag="preparing"):
    """What the worker does from now on, which may take a while, before there are steps to tell of.

    `stage` is `images` (finding and reading the dataset), `framework` (importing it), `network` (building the network
    and moving the images to the device), or `first_step` (which compiles what the later ones only run).
    """

    stage: str


class RunStarted(Event, frozen=True, kw_only=True, tag="run_started"):
    """Training begins. `device` is the one really used; `resumed_from` names a checkpoint's epoch, or is null.

    `kernels` says whose code computes the training steps: `framework` for the framework's own layers, `fused` for ours
    (see engine.backends.base.Kernels). Logs of earlier versions do not say: null.
    `resumed_step` is how many steps of the next epoch that checkpoint holds, and `learning_rate` the base rate that is
    in force: the setting, or what the user changed it to. `epochs` is how many there will be in all.
    """

    run: str
    backend: str
    framework_version: str
    device: str
    device_name: str
    model: str
    parameters: int
    dataset: DatasetInfo
    epochs: int
    resumed_from: int | None = None
    kernels: str | None = None
    resumed_step: int | None = None
    learning_rate: float | None = None


class Step(Event, frozen=True, kw_only=True, tag="step"):
    """Progress inside an epoch. `loss` and `accuracy` are running means over the epoch so far."""

    epoch: int
    step: int
    steps: int
    loss: float
    accuracy: float
    learning_rate: float
    images_per_second: float


class EpochFinished(Event, frozen=True, kw_only=True, tag="epoch_finished"):
    """An epoch's figures; accuracies from 0 to 1. `seconds` is training alone, without the evaluation.

    `peak_memory_bytes` is the most that the process has held of this machine's memory until now.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    learning_rate: float
    seconds: float
    images_per_second: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    peak_memory_bytes: int | None = None


class CheckpointSaved(Event, frozen=True, kw_only=True, tag="checkpoint_saved"):
    """Weights and optimizer state were written to `path` (inside the run); `best` when no earlier epoch was better."""

    epoch: int
    path: str
    best: bool


class PredictionsSaved(Event, frozen=True, kw_only=True, tag="predictions_saved"):
    """The test set's probabilities were written to `path` (inside the run); `mistakes` of them are wrong."""

    epoch: int
    path: str
    mistakes: int


class CommandApplied(Event, frozen=True, kw_only=True, tag="command_applied"):
    """The worker carried out what the user asked; `command` is the command's type.

    It holds from `step` (from 1) of `epoch` on. `learning_rate` is the one that was set, in place of
    `learning_rate_before`; `memory_bytes` is what a paused worker keeps of this machine's memory.
    """

    command: str
    epoch: int | None = None
    step: int | None = None
    learning_rate: float | None = None
    learning_rate_before: float | None = None
    memory_bytes: int | None = None


class Warned(Event, frozen=True, kw_only=True, tag="warned"):
    """Something the user should know that does not end the run."""

    message: str


class RunFinished(Event, frozen=True, kw_only=True, tag="run_finished"):
    """The run's end. `error` is set exactly when `outcome` is failed. `tested` counts the test images."""

    outcome: Outcome
    epochs: int
    best_epoch: int | None = None
    test_accuracy: float | None = None
    tested: int | None = None
    error: ErrorInfo | None = None


AnyEvent = (
    RunRelaunched
    | RunExtended
    | DeviceAwaited
    | DownloadProgressed
    | Preparing
    | RunStarted
    | Step
    | EpochFinished
    | CheckpointSaved
    | PredictionsSaved
    | CommandApplied
    | Warned
    | RunFinished
)

STEP_BEGINS = b'{"type":"step",'
"""How the line of a Step begins."""

_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def encode(event: AnyEvent, first: bool = False) -> bytes:
    """Return the event as one JSON line with its newline; `first` adds the schema version."""
    line = msgspec.json.encode(event)
    if first:
        line = line[:-1] + b',"schema":%d}' % SCHEMA
    return line + b"\n"


def decode(line: bytes) -> AnyEvent | None:
    """Return the event that `line` holds, or None when it is damaged or of a kind from a later version."""
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
