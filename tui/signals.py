"""Ending in order on a signal: stock Textual would leave the terminal in the alternate screen."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from functools import partial
from typing import Any

from textual.app import App

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


def exit_on_signals(app: App[Any]) -> None:
    """End `app` on a signal, with the exit status that shells give it."""
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        with contextlib.suppress(RuntimeError, ValueError):  # not the main thread: a test, or a browser session
            loop.add_signal_handler(number, partial(app.exit, return_code=128 + number))
