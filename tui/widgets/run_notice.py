"""What a run has to say in words: waiting, downloading, warnings, and how it went wrong."""

from __future__ import annotations

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine import events
from tui.formats import megabytes
from tui.snapshot import RunSnapshot
from tui.terminal import clean


class RunNotice(VerticalScroll):
    """A box that is there only while there is something to say."""

    DEFAULT_CSS = """
    RunNotice {
        display: none;
        height: auto;
        max-height: 12;
        border: round $border-blurred;
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
        title, text, kind = _words(snapshot) if snapshot else ("", Content(""), "")
        self.border_title = Content(clean(title))
        self.set_class(bool(title), "-shown")
        self.set_class(kind == "error", "-error")
        self.set_class(kind == "warning", "-warning")
        self.can_focus = bool(title)
        self.query_one(Static).update(text)


def _words(snapshot: RunSnapshot) -> tuple[str, Content, str]:
    """Return the title, the text and the kind (error, warning or empty) of a run's notice."""
    finished = snapshot.progress.finished
    if snapshot.problem:
        return "Run not readable", Content(clean(snapshot.problem)), "error"
    if snapshot.status == "failed" and finished and finished.error:
        return finished.error.title, _error_text(finished.error), "error"
    if snapshot.status == "crashed":
        return "Crashed", _crash_text(snapshot), "error"
    if snapshot.status == "waiting":
        return _waiting(snapshot)
    if snapshot.warnings:
        return "Please note", Content("\n".join(clean(text) for text in snapshot.warnings)), "warning"
    return "", Content(""), ""


def _error_text(error: events.ErrorInfo) -> Content:
    parts = [Content(clean(error.message))]
    if error.hint:
        parts.append(Content.assemble(("What to do: ", "bold"), Content(clean(error.hint))))
    return Content("\n").join(parts)


def _crash_text(snapshot: RunSnapshot) -> Content:
    lines = [Content("The worker process is gone and left no final event.")]
    if snapshot.log_tail:
        lines.append(Content.styled("Last lines of worker.log:", "bold"))
        lines += [Content.styled(clean(line), "$text-muted") for line in snapshot.log_tail]
    else:
        lines.append(Content("Its worker.log is empty: it was killed, or never started."))
    return Content("\n").join(lines)


def _waiting(snapshot: RunSnapshot) -> tuple[str, Content, str]:
    if snapshot.download:
        received, total = snapshot.download.received_bytes, snapshot.download.total_bytes
        share = f" of {megabytes(total)} ({received / total:.0%})" if total else ""
        return "Downloading", Content(f"{clean(snapshot.download.file)}: {megabytes(received)}{share}"), ""
    if snapshot.awaited_device:
        text = f"Another run is training on {clean(snapshot.awaited_device)}. This one starts when that has ended."
        return "Waiting for its turn", Content(text), ""
    return "Starting", Content("Loading the framework and the data. The first time can take a while."), ""
