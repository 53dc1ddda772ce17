"""Listening while a worker loads: importing a framework and compiling the first step take many seconds."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from engine import commands, events
from engine.control import SECONDS_BETWEEN_LOOKS, Control
from engine.events import AnyEvent

BEFORE_TRAINING = (events.Preparing, events.DownloadProgressed, events.RunStarted, events.Warned)
"""The events of a run that has not learnt anything yet."""


class LoadingWatch:
    """Ends the process as soon as the user asks for it while the run loads: there is nothing to test and to save yet.

    `control` brings the user's commands; it is this watch's own, for what else is asked is the training loop's to read.
    """

    def __init__(self, control: Control) -> None:
        self._control = control
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._is_stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def telling(self, event: AnyEvent, leave: Callable[[], object]) -> Iterator[None]:
        """Enter to write `event` to the log. The first one of loading begins the watch, the first one after it ends it.

        `leave` writes the end of the run and ends the process.
        """
        with self._lock:
            if not isinstance(event, BEFORE_TRAINING):
                self._is_over.set()
            elif self._thread is None:
                self._thread = threading.Thread(target=self._listen, args=(leave,), name="loading", daemon=True)
                self._thread.start()
            yield

    def stop(self) -> None:
        """End the process if it is loading, as after a signal; safe in a signal handler."""
        self._is_stopped.set()

    def _listen(self, leave: Callable[[], object]) -> None:
        while not self._is_over.wait(SECONDS_BETWEEN_LOOKS):
            asked = any(isinstance(command, commands.Stop) for command in self._control.pending())
            if asked or self._is_stopped.is_set():
                with self._lock:
                    if not self._is_over.is_set():
                        leave()
                return
