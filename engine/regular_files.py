"""Open files that others may have put there: regular files only, and never more bytes of one than expected.

A named pipe in place of a run's file would block its reader for ever, a device or a huge file would fill the memory,
and a symbolic link would lead a write to somewhere else.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotRegularError(OSError):
    """Something other than a regular file is where a file should be; `strerror` says what it is."""


def open_regular(path: Path, flags: int = os.O_RDONLY, follow: bool = False) -> int:
    """Return a descriptor for the regular file at `path`, with `flags` as for os.open; it is not inherited.

    With `follow` it may be a symbolic link to one, as files that users keep elsewhere are. A file made by O_CREAT gets
    the mode that the umask leaves. Raises NotRegularError for anything else than a regular
    file, without waiting for the other end of a pipe or touching a device, and OSError as os.open does.
    """
    try:
        _check_kind(path, Path(path).stat(follow_symlinks=follow).st_mode)
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise
    descriptor = os.open(path, flags | (0 if follow else os.O_NOFOLLOW) | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    try:
        _check_kind(path, os.fstat(descriptor).st_mode)  # it may have been exchanged meanwhile
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def open_to_read(path: Path, follow: bool = False) -> BinaryIO:
    """Return the regular file at `path`, open for reading. Raises NotRegularError or another OSError."""
    return os.fdopen(open_regular(path, follow=follow), "rb")


def read_regular(path: Path, most: int, follow: bool = False) -> bytes:
    """Return what the regular file at `path` holds, at most `most` bytes.

    Raises NotRegularError or another OSError, also where there is more.
    """
    with open_to_read(path, follow) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EINVAL, f"it is larger than the {most:,} bytes that such a file can have", str(path))
    return content


def is_regular(path: Path) -> bool:
    """Return whether there is a regular file at `path`, or nothing yet."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except FileNotFoundError:
        return True


def _check_kind(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((words for is_kind, words in _KINDS if is_kind(mode)), "no regular file")
        raise NotRegularError(errno.EINVAL, f"it is {kind}, not a file", str(path))
