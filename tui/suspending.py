"""Ctrl+Z: the app stops like any other job of the shell, and `fg` brings it back. Runs train on meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
from types import FrameType
from typing import Any

from textual.app import App


def has_job_control() -> bool:
    """Return whether a shell waits for this job, so that it can be continued once it is stopped.

    There is none where the app is what a terminal runs, as in `ssh -t HOST mnist-tui` or `docker run -it`: the parent
    of the job's first process is then in another session.
    """
    import psutil

    try:
        process = psutil.Process()
        while process is not None and os.getpgid(process.pid) == os.getpgrp():
            process = process.parent()
        return process is not None and os.getsid(process.pid) == os.getsid(0)
    except (psutil.Error, OSError):
        return False


def suspend(app: App[Any]) -> None:
    """Stop the app and whatever else belongs to its job, such as the `make` or `time` before it."""
    app.app_suspend_signal.publish(app)
    os.killpg(os.getpgrp(), signal.SIGTSTP)  # Textual's handler gives the terminal back before it stops the process


def come_back_well(app: App[Any]) -> None:
    """Have the app paint all of itself when it is continued, even after a stop that it did not notice: SIGSTOP.

    Textual paints only where the terminal's size has changed. Its handler for SIGCONT takes every stop for one by
    SIGTSTP; after SIGSTOP it would start a second thread that reads keys, and the process would never end.
    """
    app.app_resume_signal.subscribe(app, lambda _: app.refresh(layout=True))
    loop = asyncio.get_running_loop()
    stop, go_on = signal.getsignal(signal.SIGTSTP), signal.getsignal(signal.SIGCONT)
    if not callable(stop) or not callable(go_on):  # another driver than a terminal's
        return
    is_suspended = False

    def on_stop(number: int, frame: FrameType | None) -> None:
        nonlocal is_suspended
        is_suspended = True
        stop(number, frame)

    def on_continue(number: int, frame: FrameType | None) -> None:
        nonlocal is_suspended
        if is_suspended:
            is_suspended = False
            go_on(number, frame)
        else:
            loop.call_soon_threadsafe(app.call_later, _start_anew, app)

    signal.signal(signal.SIGTSTP, on_stop)
    signal.signal(signal.SIGCONT, on_continue)


def _start_anew(app: App[Any]) -> None:
    with app.suspend():
        pass
