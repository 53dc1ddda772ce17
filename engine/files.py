"""Writing files so that a reader, a crash or a full disk never meets half of one."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from engine.causes import name_path
from engine.regular_files import open_to_read


def write_atomically(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Let `write` fill a temporary file beside `path`, put it on disk, and rename it to `path`.

    Until then `path` stays as it was. Raises an OSError that names `path`, with the temporary file removed. The folder
    is not made: one that the user has deleted must not come back.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        _write_by_draft(path, draft, write)
    except OSError as error:
        name_path(error, path, draft)
        raise


def _write_by_draft(path: Path, draft: Path, write: Callable[[IO[bytes]], Any]) -> None:
    try:
        with draft.open("wb") as file:
            _take_after(path, file.fileno())
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


def _take_after(path: Path, descriptor: int) -> None:
    """Give a new file the group and mode of the one at `path` that it replaces, as far as this user may."""
    with suppress(OSError):
        found = os.lstat(path)
        if stat.S_ISREG(found.st_mode):
            os.fchown(descriptor, -1, found.st_gid)  # else the mode would let another group in
            os.fchmod(descriptor, stat.S_IMODE(found.st_mode))


def link_atomically(source: Path, target: Path) -> None:
    """Make `target` what `source` is now, in one step; where the file system has no hard links, by a copy."""
    if target.exists() and target.samefile(source):
        return
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        os.link(source, draft)
    except OSError:
        with open_to_read(source) as content:
            write_atomically(target, lambda file: shutil.copyfileobj(content, file))
    else:
        draft.replace(target)


def clear_drafts(folder: Path) -> None:
    """Remove the temporary files in and below `folder` of writers that were killed; nobody may be writing there."""
    for draft in folder.rglob(".*.tmp"):
        draft.unlink(missing_ok=True)
