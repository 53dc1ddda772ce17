"""What an error of the operating system means: which path, the cause, and what to do about it.

`explain` looks at the path that the system named, so its words are about that path, not about what the caller was
doing. Every handler that shows an OSError uses it.
"""

from __future__ import annotations

import errno
import os
import resource
import shlex
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from engine.folders import variable_of


class Explanation(NamedTuple):
    """`message`: the path and the cause, in one sentence. `advice`: what to do; empty where there is nothing."""

    message: str
    advice: str


class _Cause(NamedTuple):
    """`reason` goes on from "PATH cannot be written:". `movable`: another place would help."""

    reason: str
    advice: str
    movable: bool = False


def explain(error: BaseException, action: str, path: Path | str = "", elsewhere: str = "") -> Explanation:
    """Say why something cannot be `action` ("written", "read", "started" …) and what to do about it.

    `error` is an OSError or a MemoryError. The path is the one that the system named, else `path`. `elsewhere` is a
    sentence that says how to choose another place than `path`; for the user's own folders it is known here.
    """
    if isinstance(error, MemoryError):
        error = OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    named = _named_path(error) or (Path(path) if path else None)
    if (named is None or not named.is_absolute()) and working_folder() is not None:
        cause = _Cause("the current folder has been deleted", "Change to a folder that exists (cd), and try again.")
    else:
        try:
            cause = _cause_of(error, named, action)
        except OSError:  # not even looking is permitted
            cause = _as_the_system_says(error)
    place = _another_place(named, path, elsewhere) if cause.movable else ""
    message = f"{named or 'It'} cannot be {action}: {cause.reason}."
    if cause.advice and place:
        place = f"Or {place[0].lower()}{place[1:]}"
    return Explanation(message, " ".join(filter(None, (cause.advice, place))))


def name_path(error: OSError, path: Path, draft: Path) -> None:
    """Have `error` name `path`, where the system named none (as for a full disk), or the `draft` that becomes it."""
    name = _named_path(error)
    if name is None or name.is_relative_to(draft):
        error.filename, error.filename2 = str(path), None


def disk_is_full(path: Path) -> bool:
    """Return whether the disk that holds `path` has no room left, in bytes or in files."""
    try:
        found = os.statvfs(_nearest(path))
    except OSError:
        return False
    return bool(found.f_blocks and not found.f_bavail) or bool(found.f_files and not found.f_favail)


def working_folder() -> str | None:
    """Return where to start a child process: "/" where the current folder has been deleted, else None (here)."""
    try:
        return None if Path.cwd().is_dir() else "/"
    except OSError:
        return "/"


def _named_path(error: BaseException) -> Path | None:
    name = error.filename if isinstance(error, OSError) else None
    return Path(os.fsdecode(name)) if isinstance(name, str | bytes) and name else None


def _another_place(named: Path | None, path: Path | str, elsewhere: str) -> str:
    """Return how to choose another place than the one that failed: the caller's advice is about `path` alone."""
    concerns_path = named is None or named.is_relative_to(path) or Path(path).is_relative_to(named)
    if elsewhere and concerns_path:
        return elsewhere
    variable = variable_of(named) if named else ""
    return f"Set {variable} to a folder that you may write to." if variable else ""


def _cause_of(error: BaseException, path: Path | None, action: str) -> _Cause:
    number = (error.errno if isinstance(error, OSError) else 0) or 0
    if number in _PLAIN:
        return _PLAIN[number]
    if number in _LIMITS:
        return _LIMITS[number]()
    if path is not None and number in _ABOUT_PATH:
        return _ABOUT_PATH[number](path, action)
    return _as_the_system_says(error)


def _as_the_system_says(error: BaseException) -> _Cause:
    words = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return _Cause(words[:1].lower() + words[1:].rstrip("."), "", movable=True)


def _no_access(path: Path, action: str) -> _Cause:
    """EACCES and EPERM: whose file or folder it is, with its rights, and what this user may not do with it."""
    place, verb = _obstacle(path, action)
    you, what = _user(os.geteuid()), "it" if place == path else str(place)
    try:
        found = place.lstat()
    except OSError:
        return _Cause(f"{you} may not {verb} {what}", "Ask its owner for access.", movable=True)
    owner = _user(found.st_uid)
    rights = f"it belongs to {owner}, with the rights {stat.filemode(found.st_mode)}"
    if verb == "change":
        advice = "The system forbids it: the file may be immutable (lsattr), or a security policy applies."
    elif owner == you:
        right = {"read": "r", "enter": "x", "run": "x", "write to": "w"}[verb]
        advice = f"Give yourself the right (chmod u+{right} {shlex.quote(str(place))})."
    else:
        advice = f"Ask its owner ({owner}) for access."
    return _Cause(f"{you} may not {verb} {what} ({rights})", advice, movable=True)


def _obstacle(path: Path, action: str) -> tuple[Path, str]:
    """Return the file or folder whose rights are in the way, and what this user may not do with it."""
    path = path.absolute()
    for folder in reversed(path.parents):
        if not os.access(folder, os.X_OK):
            return folder, "enter"
    if not os.path.lexists(path):
        return _nearest(path), "write to"
    if action == "read" and not os.access(path, os.R_OK):
        return path, "read"
    if action == "started":
        return path, "run"
    if not os.access(path, os.W_OK):
        return path, "write to"
    if not os.access(path.parent, os.W_OK):
        return path.parent, "write to"
    return path, "change"


def _not_there(path: Path, action: str) -> _Cause:
    """ENOENT: what is missing on the way to `path`."""
    if path.is_symlink():
        return _Cause(f"it is a link to {os.readlink(path)}, which is not there", "Correct or remove the link.", True)  # noqa: PTH115
    nearest = _nearest(path)
    if nearest == path:
        return _Cause("it was not there a moment ago", "Try again.")
    missing = nearest / path.relative_to(nearest).parts[0]
    if action == "written" and missing == path:
        reason = f"nothing can be created in {path.parent}"
        return _Cause(reason, "", movable=True)
    if missing == path:
        return _Cause("it is not there", "Check the path.")
    return _Cause(f"there is no folder {missing}", "Check the path, or make that folder.", movable=True)


def _not_a_folder(path: Path, _action: str) -> _Cause:
    """ENOTDIR and EEXIST: the file that stands where a folder is needed."""
    for place in (*reversed(path.parents), path):
        if place.is_symlink() and not place.exists():
            return _Cause(f"{place} is a link that leads nowhere", f"Remove the link {place}.", movable=True)
        if os.path.lexists(place) and not place.is_dir():
            what = "it is" if place == path else f"{place} is"
            return _Cause(f"{what} a file, and a folder is needed there", f"Move {place} away.", movable=True)
    return _Cause("it exists already", "Choose another name.")


def _disk_full(path: Path, _action: str) -> _Cause:
    """ENOSPC: whether bytes or inodes have run out."""
    found = os.statvfs(_nearest(path))
    is_inodes = found.f_files and not found.f_favail and found.f_bavail
    reason = "the disk has no room for another file (no inodes left)" if is_inodes else "the disk is full"
    return _Cause(reason, "Make room on that disk.", movable=True)


def _read_only(path: Path, _action: str) -> _Cause:
    """EROFS: where the read-only file system begins."""
    nearest = _nearest(path)
    read_only = [place for place in (nearest, *nearest.parents) if os.statvfs(place).f_flag & os.ST_RDONLY]
    return _Cause(f"the file system at {read_only[-1] if read_only else nearest} is read-only", "", movable=True)


def _file_too_large() -> _Cause:
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit == resource.RLIM_INFINITY:
        return _Cause("the file would be larger than its file system allows", "", movable=True)
    reason = f"the file would be larger than this process may write ({_bytes(limit)}, ulimit -f)"
    return _Cause(reason, "Raise the limit: ulimit -f unlimited.")


def _too_many_files() -> _Cause:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _Cause(f"this process has {limit:,} files open, and may not open more", "Raise the limit: ulimit -n 4096.")


def _no_memory() -> _Cause:
    return _Cause(*memory_problem())


def memory_is_limited() -> bool:
    """Return whether this process may have only so much memory (ulimit -v)."""
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def memory_problem() -> tuple[str, str]:
    """Return why there is not enough memory, going on from a colon, and what to do: there may be a limit."""
    if not memory_is_limited():
        return "this machine does not have enough memory left", "End other programs, and try again."
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    reason = f"there is not enough memory, because this process is limited to {_bytes(limit)} (ulimit -v)"
    return reason, "Raise the limit: ulimit -v unlimited."


def _nearest(path: Path) -> Path:
    """Return `path`, or the nearest folder above it that is there."""
    return next((place for place in (path, *path.parents) if os.path.lexists(place)), Path("/"))


def _user(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _bytes(number: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:,} bytes"


_ABOUT_PATH: dict[int, Callable[[Path, str], _Cause]] = {
    errno.EACCES: _no_access,
    errno.EPERM: _no_access,
    errno.ENOENT: _not_there,
    errno.ENOTDIR: _not_a_folder,
    errno.EEXIST: _not_a_folder,
    errno.ENOSPC: _disk_full,
    errno.EROFS: _read_only,
}
_LIMITS: dict[int, Callable[[], _Cause]] = {
    errno.EFBIG: _file_too_large,
    errno.EMFILE: _too_many_files,
    errno.ENOMEM: _no_memory,
}
_PLAIN: dict[int, _Cause] = {
    errno.EDQUOT: _Cause("your disk quota is used up", "Delete files that you no longer need.", True),
    errno.EISDIR: _Cause("it is a folder, and a file is needed", "Move the folder away.", True),
    errno.ENAMETOOLONG: _Cause("its name is too long", "Choose a shorter path.", True),
    errno.ELOOP: _Cause("its links lead in a circle", "Remove the link.", True),
    errno.ENOTEMPTY: _Cause("it is not empty", "Remove what is in it.", True),
    errno.EBUSY: _Cause("it is in use", "End what uses it, and try again."),
    errno.EIO: _Cause("the disk reported an error", "It may be failing: look at the system's log (dmesg).", True),
    errno.ESTALE: _Cause("its network file system has lost it (stale handle)", "Mount the file system anew.", True),
    errno.ENOTCONN: _Cause("its file system is not connected any more", "Mount the file system anew.", True),
    errno.ENOLCK: _Cause("its file system has no file locks", "Use a folder on a local disk.", True),
    errno.ENFILE: _Cause("this machine has too many files open", "End other programs, and try again."),
    errno.EAGAIN: _Cause("this user may not start more processes", "End some, or raise the limit: ulimit -u."),
    errno.EPIPE: _Cause("the program that reads it has ended", ""),
}
