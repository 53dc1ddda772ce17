"""Limits on what a packed file may unfold to, checked before anything is unpacked.

A file of a few kilobytes can announce terabytes (a "compression bomb"). What a header announces is compared with what
the packed bytes can hold at all, and with the most that anyone may need; then exactly as much is unpacked.
"""

from __future__ import annotations

import math
from typing import IO, TYPE_CHECKING
from zipfile import ZipFile

if TYPE_CHECKING:
    import numpy as np

LARGEST_RATIO = 1032
"""Of DEFLATE, see https://zlib.net/zlib_tech.html: packed bytes cannot hold more, whatever a header says."""
CHUNK_BYTES = 1024 * 1024
LARGEST_ARRAY = 2 * 1024**3
"""The most bytes of one array of a dataset: 2.7 million images of 28×28."""


def excess(announced: int, packed: int, most: int = LARGEST_ARRAY) -> str:
    """Return why `announced` bytes cannot come out of `packed` bytes, or are too many; empty where all is well."""
    if announced > packed * LARGEST_RATIO:
        return f"announces {announced:,} bytes, more than its {packed:,} packed bytes can hold"
    if announced > most:
        return f"announces {announced:,} bytes; at most {most:,} are read"
    return ""


def unpacked(archive: ZipFile, name: str, most: int = LARGEST_ARRAY) -> np.ndarray:
    """Return the array `name` of an npz file, of at most `most` bytes.

    Raises KeyError where it is not there; ValueError where it is too large, holds other than numbers, or is damaged;
    and what zipfile raises for damaged archives.
    """
    import numpy as np

    member = archive.getinfo(f"{name}.npy")
    if reason := excess(member.file_size, member.compress_size, most):
        raise ValueError(f"{name} {reason}")
    with archive.open(member) as file:
        shape, is_fortran, dtype = _read_header(file)
        if dtype.hasobject:
            raise ValueError(f"{name} holds pickled Python objects")
        size = math.prod(shape) * dtype.itemsize
        if min(shape, default=0) < 0 or size > member.file_size:
            raise ValueError(f"{name} announces {size:,} bytes in a member of {member.file_size:,}")
        content = bytearray()
        while chunk := file.read(min(CHUNK_BYTES, size + 1 - len(content))):
            content += chunk
        if len(content) != size:
            raise ValueError(f"{name} is not as long as its header announces")
    array = np.frombuffer(content, dtype)
    return array.reshape(shape, order="F" if is_fortran else "C")


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Return shape, order and type from the header of an npy file. Raises ValueError."""
    from numpy.lib import format as npy

    version = npy.read_magic(file)
    if version == (1, 0):
        return npy.read_array_header_1_0(file)
    return npy.read_array_header_2_0(file)
