"""Ending in order on a signal: stock Textual would leave the terminal in the alternate screen."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from functools import partial
from types import FrameType
from typing import Any

from textual.app import App

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def exit_on_signals(app: App[Any]) -> None:
    """End `app` on a signal, with the exit status that shells give it.

    It ends when it next handles messages: Textual takes no end while it still makes its first screen.
    """
    loop = asyncio.get_running_loop()
    with contextlib.suppress(RuntimeError, ValueError):  # not the main thread: a test, or a browser session
        for number in SIGNALS:
            loop.add_signal_handler(number, partial(app.call_later, app.exit, return_code=128 + number))
        signal.signal(signal.SIGHUP, partial(_hang_up, app, loop))


def _hang_up(app: App[Any], loop: asyncio.AbstractEventLoop, number: int, frame: FrameType | None) -> None:
    """End `app`, at once where the terminal is gone.

    There is nothing to give back then, and Textual would wait for ever: the thread that writes for it has died of the
    lost terminal, and the main thread waits for room in that one's queue. Hence a handler that interrupts even this.
    """
    if not os.isatty(sys.__stdin__.fileno() if sys.__stdin__ else 0):
        os._exit(128 + number)
    loop.call_soon_threadsafe(partial(app.call_later, app.exit, return_code=128 + number))
