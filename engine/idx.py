"""Reading IDX, the format that MNIST and its relatives come in, plain or gzipped.

A file is two zero bytes, the type (8: unsigned bytes), the number of axes, each axis's length as a big-endian
uint32, then the values. Source: https://yann.lecun.com/exdb/mnist/, under FILE FORMATS.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import TYPE_CHECKING

from engine import recognise
from engine.causes import explain, memory_problem
from engine.errors import DataError
from engine.unpacking import excess

if TYPE_CHECKING:
    import numpy as np

UNSIGNED_BYTE = 8
READABLE = (
    "--data (or MNIST_TUI_DATA) takes a folder with MNIST's four IDX files, plain or .gz, or Keras's mnist.npz: "
    "28×28 pixels in unsigned bytes, with labels from 0 to 9."
)
FETCH_AGAIN = "Fetch the file again, or choose other data with --data."
OTHER_DATA = "Choose other data with --data."


def check_header(path: Path, axes: int) -> tuple[int, ...]:
    """Return the shape that the IDX file at `path` announces.

    Raises DataError unless it is one of bytes with so many axes, as far as header and size tell.
    """
    with _opened(path) as file:
        return _read_shape(file, path, axes)


def read(path: Path, axes: int) -> np.ndarray:
    """Return the uint8 array with `axes` axes that the IDX file at `path` holds; raise DataError if it does not."""
    import numpy as np

    with _opened(path) as file:
        shape = _read_shape(file, path, axes)
        values = np.empty(math.prod(shape), np.uint8)
        # Straight into the array: the training images alone are 47 MB.
        if file.readinto(values.data) < values.size:
            raise damaged(path, "ends before the last value that its header announces")
        if file.read(1):
            raise damaged(path, "goes on after the last value that its header announces")
    return values.reshape(shape)


def unzipped(file: BufferedIOBase) -> BufferedIOBase:
    """Return a stream of what the seekable `file` holds, unzipped where its first bytes are gzip's."""
    is_gzip = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if is_gzip else file


def damaged(path: Path | str, what: str) -> DataError:
    """Return the error for a file that is not what it should be; `what` goes on from the file's name."""
    return DataError("Damaged data", f"{path} {what}.", FETCH_AGAIN)


def too_large(path: Path) -> DataError:
    """Return the error for data that do not fit into memory."""
    reason, advice = memory_problem()
    return DataError("Out of memory", f"{path} does not fit into memory: {reason}.", advice)


def not_supported(path: Path | str, what: str, hint: str = "") -> DataError:
    """Return the error for data that are whole but cannot be read yet; `what` goes on from the file's name."""
    return DataError("Format not supported", f"{path} {what}, which mnist-tui cannot read yet.", hint or READABLE)


def not_idx(path: Path, axes: int) -> DataError:
    """Return the error for a file that should be IDX of bytes with so many axes, but begins otherwise."""
    kind = recognise.kind_of(path)
    wanted = f"an IDX file of unsigned bytes with {'1 axis (labels)' if axes == 1 else f'{axes} axes (images)'}"
    if not kind or recognise.is_stand_in(kind):
        fetch = "Fetch it: git lfs pull" if "LFS" in kind else FETCH_AGAIN
        what = f"is {kind}" if kind else f"begins with none of the marks of {wanted}"
        return DataError("Damaged data", f"{path} {what}; {wanted} is needed." if kind else f"{path} {what}.", fetch)
    return DataError("Format not supported", f"{path} is {kind}; mnist-tui reads {wanted} here.", READABLE)


@contextmanager
def _opened(path: Path) -> Iterator[BufferedIOBase]:
    try:
        with path.open("rb") as file:
            yield unzipped(file)
    except EOFError as error:
        raise damaged(path, "is cut off: its gzip stream has no end") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise damaged(path, f"is not intact gzip ({error})") from error
    except MemoryError as error:
        raise too_large(path) from error
    except OSError as error:
        raise DataError("Unreadable data", *explain(error, "read", path, OTHER_DATA)) from error


def _read_shape(file: BufferedIOBase, path: Path, axes: int) -> tuple[int, ...]:
    """Return the lengths of the axes, `file` being at its beginning; raise DataError where they cannot be true."""
    header = file.read(4 + 4 * axes)
    magic = bytes((0, 0, UNSIGNED_BYTE, axes))
    if header[:4] != magic:
        raise not_idx(path, axes)
    if len(header) < 4 + 4 * axes:
        raise damaged(path, "ends inside its header")
    shape = struct.unpack(f">{axes}I", header[4:])
    announced, size = len(header) + math.prod(shape), path.stat().st_size
    if isinstance(file, gzip.GzipFile):
        if reason := excess(announced, size):
            raise damaged(path, reason)
    elif announced != size:
        word = "cut off" if size < announced else "too long"
        raise damaged(path, f"is {word}: it has {size:,} bytes where its header announces {announced:,}")
    return shape
