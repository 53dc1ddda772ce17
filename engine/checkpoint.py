"""Checkpoints: weights and optimizer state as arrays in one safetensors file, never code.

The file carries its own metadata and a digest of everything in it; the `.json` beside it is for people.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.causes import explain
from engine.errors import CheckpointError
from engine.files import link_atomically, write_atomically
from engine.regular_files import NotRegularError, open_to_read

if TYPE_CHECKING:
    from engine.models import Architecture, State

MOST_HEADER_BYTES = 1024 * 1024
LAST, PREVIOUS, BEST = "last.safetensors", "previous.safetensors", "best.safetensors"


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a checkpoint says of itself.

    `epoch` epochs are complete, and `step` steps of the next one, in `seconds`. `loss_sum` and `correct` are that
    epoch's running sums over images. `best_epoch` and `best_accuracy` are the run's best so far. `test_accuracy` is the
    network's on the test set when the checkpoint was written. `learning_rate` is the one that the user changed to.
    """

    model: str
    optimizer: str
    seed: int
    epoch: int
    step: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    seconds: float = 0.0
    best_epoch: int | None = None
    best_accuracy: float = -1.0
    test_accuracy: float | None = None
    learning_rate: float | None = None
    backend: str = ""
    framework_version: str = ""
    schema: int = 1


def save(path: Path, state: State, metadata: Metadata) -> None:
    """Write a checkpoint and the `.json` beside it, each atomically. Raises OSError, leaving the old one whole."""
    from safetensors.numpy import save as serialise

    described = msgspec.json.encode(metadata)
    digest = _digest(state, described)
    content = serialise(state, metadata={"mnist_tui": described.decode(), "sha256": digest})
    write_atomically(path, lambda file: file.write(content))
    readable = msgspec.json.format(described, indent=2) + b"\n"
    write_atomically(path.with_suffix(".json"), lambda file: file.write(readable))


def keep_previous(folder: Path) -> None:
    """Keep the last checkpoint in `folder`, if there is one, as the one before the last: a newer is about to come."""
    for path in (folder / LAST, (folder / LAST).with_suffix(".json")):
        if path.exists():
            link_atomically(path, (folder / PREVIOUS).with_suffix(path.suffix))


def repair_best(folder: Path, best_epoch: int | None) -> None:
    """Make the best checkpoint in `folder` that of `best_epoch`, if it is another one and that is still at hand.

    It is another one where the worker was killed after it wrote the last checkpoint and before it kept that as the
    best one, too.
    """
    if best_epoch is None or position(folder / BEST) == (best_epoch, 0):
        return
    for name in (LAST, PREVIOUS):
        if position(folder / name) == (best_epoch, 0):
            for path in (folder / name, (folder / name).with_suffix(".json")):
                _copy_atomically(path, (folder / BEST).with_suffix(path.suffix))
            return


def position(path: Path) -> tuple[int, int] | None:
    """Return after how many epochs, and steps of the next one, a checkpoint was written; None if it cannot be read.

    Its arrays are not read.
    """
    from safetensors import SafetensorError, safe_open

    try:
        open_to_read(path).close()
        with safe_open(path, framework="numpy") as file:
            metadata = msgspec.json.decode((file.metadata() or {})["mnist_tui"], type=Metadata)
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, OverflowError):
        return None
    return metadata.epoch, metadata.step


def load(path: Path, architecture: Architecture, optimizer: str) -> tuple[State, Metadata]:
    """Return the arrays and metadata of the checkpoint at `path`, checked against what the network needs.

    Raises CheckpointError when the file is missing, damaged, no safetensors file, belongs to another model or
    optimizer, or holds values that are not finite. Nothing in the file is ever executed.
    """
    expected = expected_shapes(architecture, optimizer)
    needed = sum(8 * math.prod(shape) for shape in expected.values())
    state, metadata = _read(path, needed + MOST_HEADER_BYTES)
    _check_names(path, state, metadata, architecture, expected)
    _check_values(path, state, expected)
    return state, metadata


def expected_shapes(architecture: Architecture, optimizer: str) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every array that a network's checkpoint holds."""
    from engine.models import BatchNorm
    from engine.optimization import SLOTS

    trained = {
        f"{row.layer.name}.{parameter}": shape
        for row in architecture.table()
        for parameter, shape in row.parameter_shapes.items()
    }
    running = {
        f"{row.layer.name}.{statistic}": row.output_shape[:1]
        for row in architecture.table()
        if isinstance(row.layer, BatchNorm)
        for statistic in ("running_mean", "running_var")
    }
    slots = {f"optimizer.{slot}.{name}": shape for slot in SLOTS[optimizer] for name, shape in trained.items()}
    return trained | running | slots | {"optimizer.step": ()}


def latest(folder: Path, architecture: Architecture, optimizer: str) -> tuple[State, Metadata, str] | None:
    """Return the newest checkpoint in a run's folder that loads: the last one, else the newer of previous and best.

    The third value is empty for the last one; when another stands in, it is a sentence to warn the user with. None
    when there is no checkpoint; raises CheckpointError when there are some but none loads.
    """
    if not any(os.path.lexists(folder / name) for name in (LAST, PREVIOUS, BEST)):
        return None
    try:
        return *load(folder / LAST, architecture, optimizer), ""
    except CheckpointError as error:
        damaged = [error.message]
    found: dict[str, tuple[State, Metadata]] = {}
    for name in (PREVIOUS, BEST):
        if os.path.lexists(folder / name):
            try:
                found[name] = load(folder / name, architecture, optimizer)
            except CheckpointError as error:
                damaged.append(error.message)
    if not found:
        raise CheckpointError("No checkpoint loads", " ".join(damaged), "Start the training anew.")
    name = max(found, key=lambda name: (found[name][1].epoch, found[name][1].step))
    return *found[name], f"{' '.join(damaged)} Going on from {name} instead."


def _copy_atomically(source: Path, target: Path) -> None:
    """Make `target` a copy of `source`, if that is there: no link, so that damage to the one spares the other."""
    with contextlib.suppress(FileNotFoundError), open_to_read(source) as content:
        write_atomically(target, lambda file: shutil.copyfileobj(content, file))


def _read(path: Path, most: int) -> tuple[State, Metadata]:
    """Return the arrays and metadata of a file of at most `most` bytes; safetensors compares its header with these."""
    from safetensors import SafetensorError, safe_open

    damaged = "It may have been cut off or changed; use another checkpoint."
    try:
        with open_to_read(path) as file:
            size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(f"it has {size:,} bytes, and the network needs at most {most:,}")
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        described = header["mnist_tui"].encode()
        metadata = msgspec.json.decode(described, type=Metadata)
    except FileNotFoundError as error:
        raise CheckpointError("No checkpoint", f"{path} is not there.", "Train first.") from error
    except KeyError as error:
        raise CheckpointError("Checkpoint damaged", f"{path} is no checkpoint of mnist-tui.", damaged) from error
    except (SafetensorError, OSError, ValueError, TypeError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno and not isinstance(error, NotRegularError):
            raise CheckpointError("Checkpoint not readable", *explain(error, "read", path)) from error
        raise CheckpointError("Checkpoint damaged", f"{path} cannot be read: {_reason(error)}.", damaged) from error
    if header.get("sha256") != _digest(state, described):
        raise CheckpointError("Checkpoint damaged", f"{path} does not match its own checksum.", damaged)
    return state, metadata


def _reason(error: Exception) -> str:
    words = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return words.rstrip(".")


def _digest(state: State, described: bytes) -> str:
    """Return the sha256 of the metadata and of every array's name, type, shape and bytes, in order of the names."""
    digest = hashlib.sha256(described)
    for name in sorted(state):
        array = state[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _check_names(
    path: Path,
    state: State,
    metadata: Metadata,
    architecture: Architecture,
    expected: dict[str, tuple[int, ...]],
) -> None:
    if metadata.model != architecture.name:
        raise CheckpointError(
            "Checkpoint of another model", f"{path} is of {metadata.model}, not of {architecture.name}."
        )
    missing, extra = sorted(expected.keys() - state.keys()), sorted(state.keys() - expected.keys())
    if missing or extra:
        lacks = f" lacks {', '.join(missing[:3])}" if missing else ""
        adds = f" has {', '.join(extra[:3])} that does not belong there" if extra else ""
        raise CheckpointError("Checkpoint does not fit", f"{path}{lacks}{' and' if lacks and adds else ''}{adds}.")


def _check_values(path: Path, state: State, expected: dict[str, tuple[int, ...]]) -> None:
    import numpy as np

    for name, shape in expected.items():
        array = state[name]
        wanted = np.int64 if name == "optimizer.step" else np.float32
        if array.shape != shape or array.dtype != wanted:
            raise CheckpointError(
                "Checkpoint does not fit",
                f"{path}: {name} is {array.dtype} {list(array.shape)}, not {np.dtype(wanted)} {list(shape)}.",
            )
        if not np.isfinite(array).all():
            raise CheckpointError("Checkpoint damaged", f"{path}: {name} holds values that are not finite.")
