"""Files of epochs that are trained again, after a resume from an older checkpoint: moved aside, never deleted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from engine.checkpoint import BEST, PREVIOUS, position
from engine.evaluation import predicted_epochs, predictions_path
from engine.runs import Run

FOLDER = "superseded"


def set_aside(run: Run, epoch: int, step: int) -> str:
    """Move what `run` saved after `step` steps of the epoch after `epoch` into a folder of its own.

    Returns a sentence that says what was moved where, or "" if there was nothing. Each file is moved in one step; what
    is left after a crash is moved by the next resume. Until then nobody sees it: the log does not vouch for it.
    """
    later = sorted(_later(run, epoch, step))
    if not later:
        return ""
    folder = _new_folder(run.path / FOLDER)
    for path in later:
        target = folder / path.relative_to(run.path)
        target.parent.mkdir(exist_ok=True)
        path.replace(target)
    what = f"epochs after {epoch}" if epoch else "earlier epochs"
    return f"What was saved of {what} is out of date, since they are trained again: it was moved to {folder}."


def _later(run: Run, epoch: int, step: int) -> Iterator[Path]:
    for number in predicted_epochs(run.predictions_path):
        if number > epoch:
            yield predictions_path(run.predictions_path, number)
    for name in (PREVIOUS, BEST):
        reached = position(run.path / name)
        if reached and reached > (epoch, step):
            yield run.path / name
            if (described := (run.path / name).with_suffix(".json")).exists():
                yield described


def _new_folder(parent: Path) -> Path:
    parent.mkdir(exist_ok=True)
    for number in itertools.count(1):
        folder = parent / str(number)
        if not folder.exists():
            folder.mkdir()
            return folder
    raise AssertionError
