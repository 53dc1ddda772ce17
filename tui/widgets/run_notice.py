"""What a run has to say in words: waiting, downloading, warnings, and how it went wrong."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine import events
from engine.errors import RunError
from tui.activity import activity_of, status_word
from tui.formats import megabytes, place_text
from tui.keys import with_keys
from tui.snapshot import RunSnapshot, kept_text
from tui.terminal import clean
from tui.widgets.repaint import entitle, say


class RunNotice(VerticalScroll):
    """A box that is there only while there is something to say."""

    DEFAULT_CSS = """
    RunNotice {
        display: none;
        height: auto;
        max-height: 12;
        border: round $border-blurred;
        border-title-color: $text;
        padding: 0 1;
        &.-shown { display: block; }
        &.-error { border: round $error; border-title-color: $text-error; }
        &.-warning { border: round $warning; border-title-color: $text-warning; }
        & > Static { height: auto; }
    }
    """

    def compose(self):  # type: ignore[no-untyped-def]
        """Hold the text."""
        yield Static()

    def show(self, snapshot: RunSnapshot | None) -> None:
        """Say what there is to say about `snapshot`."""
        title, text, kind = words_of(snapshot, self.app) if snapshot else ("", Content(""), "")
        entitle(self, Content(clean(title)))
        self.set_class(bool(title), "-shown")
        self.set_class(kind == "error", "-error")
        self.set_class(kind == "warning", "-warning")
        self.can_focus = bool(title)
        say(self.query_one(Static), text)


def words_of(snapshot: RunSnapshot, app: App[Any]) -> tuple[str, Content, str]:
    """Return the title, the text and the kind (error, warning or empty) of a run's notice."""
    finished = snapshot.progress.finished
    if snapshot.problem:
        return "Run not readable", Content(clean(snapshot.problem)), "error"
    if snapshot.status == "failed" and finished and finished.error:
        return finished.error.title, _error_text(finished.error, snapshot), "error"
    if snapshot.crash:
        return f"Crashed: {snapshot.crash.title}", _crash_text(snapshot, snapshot.crash), "error"
    if snapshot.status == "waiting":
        return _waiting(snapshot, app)
    if snapshot.status == "paused":
        text = f"It leaves the processor and keeps {kept_text(snapshot)}. "
        text += with_keys(app, "{pause} goes on; stopping it frees all of that.")
        return "Paused", Content(clean(text)), ""
    if snapshot.warnings:
        return "Please note", Content("\n".join(clean(text) for text in snapshot.warnings)), "warning"
    return "", Content(""), ""


def _error_text(error: events.ErrorInfo, snapshot: RunSnapshot) -> Content:
    shows_log = "worker.log" in error.hint or "worker.log" in error.message
    return _told(error.message, error.hint, snapshot.log_tail if shows_log else ())


def _crash_text(snapshot: RunSnapshot, crash: RunError) -> Content:
    return _told(crash.message, crash.hint, snapshot.log_tail)


def _told(message: str, hint: str, log_tail: tuple[str, ...]) -> Content:
    """Return what happened, what to do, and the worker's last words."""
    lines = [Content(clean(message))]
    if hint:
        lines.append(Content.assemble(("What to do: ", "bold"), Content(clean(hint))))
    if log_tail:
        lines.append(Content.styled("Last lines of worker.log:", "bold"))
        lines += [Content.styled(clean(line), "$text-muted") for line in log_tail]
    return Content("\n").join(lines)


def _waiting(snapshot: RunSnapshot, app: App[Any]) -> tuple[str, Content, str]:
    if activity := activity_of(snapshot):
        title = {"stopping": "Stopping", "pausing": "Pausing"}.get(status_word(snapshot), "Starting")
        text = activity.text("..." if getattr(app, "ascii", False) else "…")
        return title, Content(clean(f"{text[0].upper()}{text[1:]}")), ""
    if snapshot.download:
        received, total = snapshot.download.received_bytes, snapshot.download.total_bytes
        share = f" of {megabytes(total)} ({received / total:.0%})" if total else ""
        return "Downloading", Content(f"{clean(snapshot.download.file)}: {megabytes(received)}{share}"), ""
    if snapshot.place:
        text = f"{place_text(snapshot.place)}. It starts by itself when its turn has come; "
        text += with_keys(app, "{stop} takes it out of the queue.")
        return "Waiting for its turn", Content(clean(text)), ""
    if snapshot.awaited_device:
        text = f"Another run is training on {clean(snapshot.awaited_device)}. This one starts when that has ended."
        return "Waiting for its turn", Content(text), ""
    return "Starting", Content("Its worker is starting."), ""
