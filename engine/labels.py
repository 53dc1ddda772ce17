"""What people write on a run that exists already: another name, and a note. Its settings stay as they were.

They are in a file of their own, which neither the worker nor a resume reads, so a live run can be labelled too.
"""

from __future__ import annotations

import errno
import stat
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from engine.causes import explain
from engine.config import PRINTABLE, parse_field
from engine.errors import RunError
from engine.files import write_atomically
from engine.regular_files import read_regular

LABELS_FILE = "labels.json"
NOTE_LENGTH = 200
MOST_BYTES = 16_384
"""Enough for the longest name and note, were each character an escape."""


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """A run's labels; `name` is None while the run goes by the name in its settings."""

    name: Annotated[str, Meta(pattern=PRINTABLE, max_length=80)] | None = None
    note: Annotated[str, Meta(pattern=PRINTABLE, max_length=NOTE_LENGTH)] = ""


UNLABELLED = Labels()
Stamp = tuple[int, int, int]


def stamp_of(folder: Path) -> Stamp | None:
    """Return what changes whenever the labels in a run's folder do; None where there are none."""
    try:
        found = (folder / LABELS_FILE).lstat()
    except OSError:
        return None
    is_file = stat.S_ISREG(found.st_mode) and found.st_size <= MOST_BYTES
    return (found.st_ino, found.st_size, found.st_mtime_ns) if is_file else None


def read_labels(folder: Path) -> Labels:
    """Return the labels in a run's folder. Those that are damaged count as none: the run has its settings' name."""
    if stamp_of(folder) is None:
        return UNLABELLED
    try:
        return msgspec.json.decode(read_regular(folder / LABELS_FILE, MOST_BYTES), type=Labels)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return UNLABELLED


def write_labels(folder: Path, labels: Labels) -> None:
    """Put `labels` into a run's folder; raise RunError when that cannot be written."""
    content = msgspec.json.format(msgspec.json.encode(labels), indent=2) + b"\n"
    try:
        if not folder.is_dir():
            raise FileNotFoundError(errno.ENOENT, "the run is gone", str(folder))
        write_atomically(folder / LABELS_FILE, lambda file: file.write(content))
    except OSError as error:
        raise RunError("Run not labelled", *explain(error, "written", folder / LABELS_FILE)) from error


def checked_name(text: str) -> str:
    """Return `text` as a run's name; raise ConfigError where it is too long or not plain text."""
    name: str = parse_field("name", text.strip())
    return name


def checked_note(text: str) -> str:
    """Return `text` as a note; raise RunError where it is too long or not plain text."""
    note = text.strip()
    try:
        return msgspec.convert({"note": note}, Labels).note
    except msgspec.ValidationError as error:
        message = f"A note must be plain text of at most {NOTE_LENGTH} characters, without control characters."
        raise RunError(
            "Note not usable", message, f"This one has {len(note):,}." if len(note) > NOTE_LENGTH else ""
        ) from error
