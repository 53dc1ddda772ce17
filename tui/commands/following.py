"""Following a run on the command line until it ends, with a way out: INT, TERM and HUP."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, NoReturn

from engine import events
from engine.commands import Stop
from engine.errors import EngineError, RunError
from engine.eventlog import LineFollower
from engine.events import AnyEvent
from engine.locks import is_held
from engine.postmortem import crash_of, last_words
from engine.runs import Run
from engine.turns import Place, place_of
from tui.commands.options import notify, report_error
from tui.commands.reporting import Reporter
from tui.run_commands import command_for

POLL_SECONDS = 0.05
LINGER_SECONDS = 2.0
"""How long an ended run's worker may take to leave the device to the next run."""

OnInterrupt = Callable[[Run, int], bool]
"""Is told the run and how many interrupts came; returns whether to go on following."""


class Interruptions:
    """While entered, notes HUP, INT and TERM instead of dying of them. Ignored ones (nohup) stay ignored."""

    SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.received: list[int] = []
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interruptions:
        for number in self.SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def status(self) -> int:
        """The exit status that the first signal calls for; 0 without one."""
        return 128 + self.received[0] if self.received else 0

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received.append(number)


def stop_run(run: Run, count: int) -> bool:
    """Ask the worker to stop, then to stop at once, then leave it alone; see OnInterrupt."""
    if count > 2:
        notify(f"Left the run to itself. To stop it: {command_for('stop', run)}")
        return False
    notify("Stopping after this step; again to stop without testing" if count == 1 else "Stopping at once")
    with contextlib.suppress(RunError):  # it has ended by itself meanwhile
        run.send(Stop(now=count == 2))
    return True


def leave_run(run: Run, count: int) -> bool:
    """Leave the run to its worker; see OnInterrupt."""
    notify(f"The run goes on. To stop it: {command_for('stop', run)}")
    return False


def follow(run: Run, reporter: Reporter, interruptions: Interruptions, on_interrupt: OnInterrupt) -> int:
    """Tell `reporter` all that happens in `run` until it ends; return the exit status.

    0: completed or stopped, 1: failed or crashed, 128 + n: signal n came. After a HUP it does not return: the
    process ends with 129, and the run goes on.
    """
    watch = _Watch(run, reporter, interruptions, on_interrupt)
    try:
        for line in _lines(run, watch):
            event = events.decode(line)
            reporter.show(line, event)
            watch.note(event)
    except OSError:
        if signal.SIGHUP in interruptions.received:  # the write that failed was to the lost terminal
            _hang_up()
        leave_run(run, 1)
        raise
    finally:
        with contextlib.suppress(OSError):
            reporter.close()
    if watch.left:
        return interruptions.status
    return interruptions.status or _conclude(run, watch.finished)


def _lines(run: Run, watch: _Watch) -> Iterator[bytes]:
    """Yield the lines of the event log until the worker is gone, or until `watch`, asked at each look, gives up."""
    follower = LineFollower(run.events_path)
    while watch.goes_on():
        live = is_held(run.lock_path)  # before the read, so that a worker's last words are not missed
        lines = follower.read()
        yield from lines
        if not lines:
            if not live:
                return
            watch.look_at_the_line()
            time.sleep(POLL_SECONDS)


class _Watch:
    """What following a run has come to: its end, as far as it was told, and which signals were answered."""

    def __init__(self, run: Run, reporter: Reporter, interruptions: Interruptions, on_interrupt: OnInterrupt) -> None:
        self.finished: events.RunFinished | None = None
        self.left = False
        self._finished_at = 0.0
        self._awaited: events.DeviceAwaited | None = None
        self._place: Place | None = None
        self._run = run
        self._reporter = reporter
        self._interruptions = interruptions
        self._on_interrupt = on_interrupt
        self._answered = 0

    def note(self, event: AnyEvent | None) -> None:
        """Take notice of a run's end, and of a new beginning after it."""
        if isinstance(event, events.RunFinished):
            self.finished, self._finished_at = event, time.monotonic()
        elif isinstance(event, events.RunRelaunched | events.RunStarted):
            self.finished = None
        self._awaited = event if isinstance(event, events.DeviceAwaited) else None

    def look_at_the_line(self) -> None:
        """While the run waits for its device, tell where it stands whenever that is another place."""
        awaited = self._awaited
        place = place_of(self._run, awaited.queue or awaited.device, awaited.device) if awaited else None
        if place and place != self._place:
            self._reporter.stand_in_line(place)
        self._place = place

    def goes_on(self) -> bool:
        """Answer the signals that came; return whether there is a reason to look on."""
        if signal.SIGHUP in self._interruptions.received:
            _hang_up()
        while not self.left and self._answered < len(self._interruptions.received):
            self._answered += 1
            self.left = not self._on_interrupt(self._run, self._answered)
        lingers = self.finished is not None and time.monotonic() > self._finished_at + LINGER_SECONDS
        return not self.left and not lingers


def _hang_up() -> NoReturn:
    """End at once, as after the signal: the terminal is gone, and whatever else is written to it would fail."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(128 + signal.SIGHUP)


def _conclude(run: Run, finished: events.RunFinished | None) -> int:
    """Report a run that failed or crashed; return the exit status that its end calls for."""
    if finished is None:
        crash = crash_of(run)
        error = RunError(f"Run crashed: {crash.title}", crash.message, crash.hint)
        report_error(error, _log_lines(run))
        return 1
    if finished.error is not None:
        told = finished.error
        details = _log_lines(run) if "worker.log" in f"{told.message} {told.hint}" else []
        report_error(EngineError(told.title, told.message, told.hint), details)
    return 1 if finished.outcome == "failed" else 0


def _log_lines(run: Run) -> list[str]:
    """Return the worker's last lines with where they are from; [] when it printed none."""
    words = last_words(run)
    return [f"The worker's last lines, of {run.log_path}:", *(f"  {line}" for line in words)] if words else []
