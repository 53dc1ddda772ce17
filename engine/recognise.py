"""What a file is, told from its first bytes: so that a format that cannot be read is not called damaged."""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from contextlib import suppress
from itertools import islice
from pathlib import Path

SAMPLE_BYTES = 4096
IDX_TYPES = {
    0x08: "unsigned bytes",
    0x09: "signed bytes",
    0x0B: "16-bit integers",
    0x0C: "32-bit integers",
    0x0D: "32-bit floats",
    0x0E: "64-bit floats",
}
"""The types of an IDX file's values, by the third byte. Source: https://yann.lecun.com/exdb/mnist/."""
_BEGINNINGS = (
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"\x93NUMPY", "a single NumPy array (npy)"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"MATLAB 5.0", "a MATLAB file"),
    (b"PAR1", "a Parquet table"),
    (b"ARROW1", "an Arrow table"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"version https://git-lfs.github.com", "a Git LFS pointer, not the file itself"),
    (b"/annex/objects/", "a git-annex pointer, not the file itself"),
)
_PICTURE = re.compile(r"\.(png|jpe?g|gif|bmp|webp)$", re.IGNORECASE)
_KNOWN_NAMES = (
    ("EMNIST", re.compile(r"^emnist-.*-idx\d-ubyte")),
    ("QMNIST", re.compile(r"^qmnist-.*-idx\d-(ubyte|int)")),
    ("other IDX files", re.compile(r"idx\d-(ubyte|byte|short|int|float|double)(\.gz|\.xz)?$")),
    ("CIFAR", re.compile(r"^(data_batch_\d|test_batch|cifar-)")),
    ("archives", re.compile(r"\.(zip|tar|tgz|tar\.\w+|7z|rar)$")),
    ("npz files", re.compile(r"\.np[yz]$")),
    ("CSV tables", re.compile(r"\.(csv|tsv)(\.gz)?$")),
    ("Parquet tables", re.compile(r"\.parquet$")),
    ("MATLAB files", re.compile(r"\.mat$")),
    ("pickles or PyTorch files", re.compile(r"\.(pkl|pickle|pt|pth)$")),
    ("pictures", _PICTURE),
)
MOST_ENTRIES = 10_000
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_MARKUP = re.compile(rb"\s*<(!doctype\s+html|html|head|\?xml)", re.IGNORECASE)
STAND_INS = ("an empty file", "a web page", "a Git LFS pointer", "a git-annex pointer")
"""What lies in the place of a file that was not fetched rightly: to be fetched again, not to be supported."""


def kind_of(path: Path) -> str:
    """Return what the file at `path` is, with its article ("a CSV table"); "" where that is not known.

    Raises OSError.
    """
    with path.open("rb") as file:
        start = file.read(SAMPLE_BYTES)
    if start.startswith(b"PK"):
        return _kind_of_zip(path)
    if start.startswith(b"\x1f\x8b"):
        inner = ""
        with suppress(zlib.error):
            inner = _kind_of_bytes(zlib.decompressobj(wbits=31).decompress(start, SAMPLE_BYTES))
        return f"a gzip file that holds {inner}" if inner else ""
    return _kind_of_bytes(start)


def contents_of(folder: Path) -> str:
    """Return what of other datasets is in `folder`, with an example; "" where nothing is known. Raises OSError."""
    with os.scandir(folder) as entries:
        found = sorted(islice((entry.name for entry in entries if not entry.name.startswith(".")), MOST_ENTRIES))
    for what, pattern in _KNOWN_NAMES:
        if match := next((name for name in found if pattern.search(name)), None):
            return f"{what} ({match})"
    folders = [name for name in found if (folder / name).is_dir()]
    if len(folders) > 1 and any(_PICTURE.search(name) for name in os.listdir(folder / folders[0])):  # noqa: PTH208
        return f"pictures in folders, one a class ({folders[0]})"
    return ""


def is_stand_in(kind: str) -> bool:
    """Return whether this kind of file lies in the place of the one that was meant."""
    return kind.startswith(STAND_INS)


def _kind_of_bytes(start: bytes) -> str:
    if not start:
        return "an empty file"
    for beginning, kind in _BEGINNINGS:
        if start.startswith(beginning):
            return kind
    if start[257:262] == b"ustar":
        return "a tar archive"
    if start[:2] == b"\0\0" and len(start) > 3 and start[2] in IDX_TYPES and 1 <= start[3] <= 8:
        axes = "1 axis" if start[3] == 1 else f"{start[3]} axes"
        return f"an IDX file of {IDX_TYPES[start[2]]} with {axes}"
    if _PICKLE.match(start):
        return "a Python pickle"
    if _MARKUP.match(start):
        return "a web page (HTML), which a server sent in its place"
    return _kind_of_text(start)


def _kind_of_text(start: bytes) -> str:
    """Return which kind of text this is; "" where it is none."""
    try:
        text = start[: start.rfind(b"\n") + 1 or None].decode("utf-8-sig")
    except UnicodeDecodeError:
        return ""
    if not text.isprintable() and re.search(r"[\x00-\x08\x0e-\x1f]", text):
        return ""
    first = text.lstrip().splitlines()[0] if text.strip() else ""
    if first.startswith(("{", "[")):
        return "a JSON file"
    for separator, kind in (
        (",", "a CSV table"),
        ("\t", "a table with tabs (TSV)"),
        (";", "a CSV table with semicolons"),
    ):
        if first.count(separator) >= 1:
            return kind
    return "a text file"


def _kind_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return ""
    if names and all(name.endswith(".npy") for name in names):
        return "a NumPy archive (npz)"
    if any(name.endswith("data.pkl") for name in names):
        return "a PyTorch file"
    return "a zip archive"
