"""Writing files so that a reader, a crash or a full disk never meets half of one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any


def write_atomically(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Let `write` fill a temporary file beside `path`, put it on disk, and rename it to `path`.

    Until then `path` stays as it was. Raises OSError, with the temporary file removed. The folder is not made: one that
    the user has deleted must not come back.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def link_atomically(source: Path, target: Path) -> None:
    """Make `target` what `source` is now, in one step; where the file system has no hard links, by a copy."""
    if target.exists() and target.samefile(source):
        return
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        os.link(source, draft)
    except OSError:
        write_atomically(target, lambda file: file.write(source.read_bytes()))
    else:
        draft.replace(target)


def clear_drafts(folder: Path) -> None:
    """Remove the temporary files in and below `folder` of writers that were killed; nobody may be writing there."""
    for draft in folder.rglob(".*.tmp"):
        draft.unlink(missing_ok=True)
