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

from engine.errors import DataError
from engine.unpacking import excess

if TYPE_CHECKING:
    import numpy as np

UNSIGNED_BYTE = 8


def check_header(path: Path, axes: int) -> None:
    """Raise DataError unless `path` is an IDX file of bytes with so many axes, as far as header and size tell."""
    with _opened(path) as file:
        _read_shape(file, path, axes)


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
    return DataError("Damaged data", f"{path} {what}.", "Fetch the file again, or choose other data with --data.")


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
        raise damaged(path, "announces more values than fit into memory") from error
    except OSError as error:
        raise DataError("Unreadable data", f"{path} cannot be read: {error.strerror or error}.") from error


def _read_shape(file: BufferedIOBase, path: Path, axes: int) -> tuple[int, ...]:
    """Return the lengths of the axes, `file` being at its beginning; raise DataError where they cannot be true."""
    header = file.read(4 + 4 * axes)
    magic = bytes((0, 0, UNSIGNED_BYTE, axes))
    if header[:4] != magic:
        found = header[:4].hex(" ") or "nothing"
        raise damaged(path, f"is no IDX file of bytes with {axes} axes: it begins with {found}, not {magic.hex(' ')}")
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
