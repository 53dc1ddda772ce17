"""Work that blocks, done on daemon threads: unlike the event loop's own pool, they never hold up the end of the app."""

from __future__ import annotations

import contextlib
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

    def run() -> None:
        try:
            message = work()
        except Exception as error:
            message = WorkFailed(error)
        post_safely(target, message)

    threading.Thread(target=run, name=name, daemon=True).start()


def post_safely(target: MessagePump, message: Message) -> None:
    """Post `message` from any thread; after the app's end it has no reader and is dropped."""
    with contextlib.suppress(RuntimeError):
        target.post_message(message)
