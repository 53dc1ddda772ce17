"""Work that blocks, done on daemon threads: unlike the event loop's own pool, they never hold up the end of the app."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable

from textual.message import Message
from textual.message_pump import MessagePump


class WorkFailed(Message):
    """Background work raised an error that nobody expected."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


def in_background(target: MessagePump, work: Callable[[], Message], name: str) -> None:
    """Run `work` on a thread called `name` and post the message that it returns to `target`, the app or a screen."""
    threading.Thread(target=_do, args=(target, work), name=name, daemon=True).start()


class OneAtATime:
    """Does work that is asked for again and again on one thread at a time; what was overtaken by newer is not done.

    The message that the work returns is posted to `target`.
    """

    def __init__(self, target: MessagePump, name: str) -> None:
        self._target, self._name = target, name
        self._lock = threading.Lock()
        self._next: Callable[[], Message] | None = None
        self._busy = False

    def ask(self, work: Callable[[], Message]) -> None:
        """Do `work` as soon as the work in progress is done, in place of what waits for that."""
        with self._lock:
            self._next = work
            if not self._busy:
                self._busy = True
                threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._lock:
                work, self._next = self._next, None
                if work is None:
                    self._busy = False
                    return
            _do(self._target, work)


class InOrder:
    """Does all work that is asked for, one after the other, on a thread; its messages are posted to `target`."""

    def __init__(self, target: MessagePump, name: str) -> None:
        self._target, self._name = target, name
        self._asked: queue.SimpleQueue[Callable[[], Message]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def ask(self, work: Callable[[], Message]) -> None:
        """Do `work` when all that was asked for before is done."""
        self._asked.put(work)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            _do(self._target, self._asked.get())


def _do(target: MessagePump, work: Callable[[], Message]) -> None:
    try:
        message = work()
    except Exception as error:
        message = WorkFailed(error)
    post_safely(target, message)


def post_safely(target: MessagePump, message: Message) -> None:
    """Post `message` from any thread; after the app's end it has no reader and is dropped."""
    with contextlib.suppress(RuntimeError):
        target.post_message(message)
