"""The commands that do something to a run, as texts tell them: with the store, where that is not the one in force."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import ConfigError
from tui.settings import locate_store
from tui.terminal import clean

if TYPE_CHECKING:
    from engine.runs import Run


def command_for(verb: str, run: Run) -> str:
    """Return the command that does `verb` to `run`."""
    store = run.path.parent
    words = f"mnist-tui {verb} {run.id}"
    return words if store == store_in_force() else f"{words} --store {clean(shlex.quote(str(store)))}"


def store_in_force() -> Path | None:
    """Return the store that a command without `--store` takes; None where the user's settings name none."""
    try:
        return locate_store(None).path
    except ConfigError:
        return None
