"""The user's own folders: state (runs, locks, crash reports), cache (downloads) and configuration.

They follow the XDG variables, else the home folder. A user without either, such as a container's user with no passwd
entry and no HOME, gets a private temporary folder instead.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from engine.errors import StoreError

VARIABLES = {"state": "XDG_STATE_HOME", "cache": "XDG_CACHE_HOME", "config": "XDG_CONFIG_HOME"}


def state_folder() -> Path:
    """Return the folder for runs, device locks, crash reports and what the app remembers; it need not exist."""
    return _folder("state")


def cache_folder() -> Path:
    """Return the folder for downloads; it need not exist."""
    return _folder("cache")


def config_folder() -> Path:
    """Return the folder of the user's config file; it need not exist."""
    return _folder("config")


def expanded(path: str | Path) -> Path:
    """Return `path` with a leading ~ replaced by the home folder; as it is where that user has none."""
    # Unlike Path.expanduser, this does not raise where there is no home folder.
    return Path(os.path.expanduser(path))  # noqa: PTH111


def has_home() -> bool:
    """Return whether this user has a home folder: HOME, or a passwd entry."""
    if os.environ.get("HOME", "").startswith("/"):
        return True
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir.startswith("/")
    except KeyError:
        return False


def homeless_notice() -> str:
    """Return what to tell a user without a home folder, whose files go to a temporary one; "" for everyone else."""
    if not _homeless("state") and not _homeless("config"):
        return ""
    return (
        f"This user has no home folder (no HOME and no passwd entry), so runs and settings are kept in "
        f"{temporary_home()}. To keep them elsewhere, set HOME, or XDG_STATE_HOME and XDG_CONFIG_HOME."
    )


def homeless_environment() -> dict[str, str]:
    """Return the variables that lead a child process of a user without a home folder to the same folders as here."""
    if has_home():
        return {}
    places = {variable: str(_folder(kind).parent) for kind, variable in VARIABLES.items()}
    return {"HOME": str(temporary_home()), **places}


def temporary_home() -> Path:
    """Make and return the folder that stands in for a missing home, private to this user.

    Raises StoreError where it cannot be made, or where somebody else has put something in its place.
    """
    try:
        path = Path(tempfile.gettempdir()) / f"mnist-tui-{os.getuid()}"
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise StoreError(
            "No home folder",
            f"This user has no home folder, and none can be made to stand in for it: {_words_of(error)}.",
            "Set HOME to a folder that you may write.",
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise StoreError(
            "No home folder",
            f"This user has no home folder, and others may write to {path}, which would stand in for it.",
            "Set HOME to a folder that you may write.",
        )
    return path


def variable_of(path: Path) -> str:
    """Return the environment variable that moves `path` elsewhere, where that is in one of these folders, else ""."""
    for kind, variable in VARIABLES.items():
        try:
            root = _folder(kind)
        except StoreError:  # there is no home, and nothing can stand in for it
            continue
        if path.is_relative_to(root) or root.is_relative_to(path):
            return variable
    return ""


def _folder(kind: str) -> Path:
    if _homeless(kind):
        return temporary_home() / kind / "mnist-tui"
    import platformdirs

    match kind:
        case "state":
            return platformdirs.user_state_path("mnist-tui", appauthor=False)
        case "cache":
            return platformdirs.user_cache_path("mnist-tui", appauthor=False)
        case _:
            return platformdirs.user_config_path("mnist-tui", appauthor=False)


def _homeless(kind: str) -> bool:
    return not os.environ.get(VARIABLES[kind], "").startswith("/") and not has_home()


def _words_of(error: OSError) -> str:
    """Return the system's words for `error`, with the path. engine.causes, which uses this module, cannot say more."""
    words = (error.strerror or str(error)).rstrip(".")
    return f"{error.filename}: {words}" if error.filename else words
