"""What the Train screen says of a run in words: the title of its box, and what it came to."""

from __future__ import annotations

from textual.content import Content

from tui.activity import status_word
from tui.family import Family
from tui.formats import count, duration, percent
from tui.status import status_text
from tui.terminal import clean

ROOM_OF_ONE, ROOM_OF_A_MEMBER = 100, 150
"""Columns of the terminal from which on a title has room for the framework and the device."""


def title_of(family: Family, ascii_only: bool, width: int) -> Content:
    """Return the run's status and name, which one of its family it is, and, where there is room, its framework."""
    snapshot, members = family.display, family.members
    parts = [status_text(snapshot.status, ascii_only, status_word(snapshot)), Content(clean(snapshot.label))]
    if len(members) > 1:
        position = [member.run.id for member in members].index(snapshot.run.id) + 1
        parts.insert(1, Content(f"{family.name_of(snapshot)}, {position} of {len(members)}"))
    if (started := snapshot.progress.started) and width >= (ROOM_OF_A_MEMBER if len(members) > 1 else ROOM_OF_ONE):
        parts.append(Content(clean(f"{started.backend} {started.framework_version}")))
        parts.append(Content(clean(started.device)))
    return Content(" · ").join(parts)


def summary_of(family: Family, resume_key: str) -> Content:
    """Return, while none is training, which one comes next, or what the one on display came to and how it goes on."""
    snapshot = family.display
    if not family.training and (follower := family.next_in_line):
        return Content(f"{family.name_of(follower)} comes next, by itself")
    if family.training or snapshot.live:
        return Content("")
    lines, best, finished = [], snapshot.progress.best, snapshot.progress.finished
    if best:
        last = snapshot.progress.epochs[-1]
        aside = "" if best.epoch == last.epoch else f" (best {percent(best.test_accuracy)} after {best.epoch})"
        told = f" after epoch {last.epoch}{aside} · {duration(snapshot.progress.seconds)}"
        lines.append(Content.assemble((percent(last.test_accuracy), "bold $success"), told))
        mistakes = dict(snapshot.mistakes).get(last.epoch)
        if mistakes is not None:
            lines[-1] = Content.assemble(lines[-1], f"   {count(mistakes)} mistakes: press ", ("3", "bold $primary"))
    if finished and finished.outcome == "stopped":
        tested = "" if finished.test_accuracy is None else f" at {percent(finished.test_accuracy)}"
        has_begun = snapshot.progress.started is not None
        where = f"in epoch {finished.epochs + 1}{tested}" if has_begun else "before it began"
        lines.append(Content.assemble(f"stopped {where}: press ", (resume_key, "bold $primary"), " to go on"))
    return Content("\n").join(lines)
