"""Opening the app, where there is a terminal for it."""

from __future__ import annotations

import gc
import os
import signal
import sys

from engine.errors import EngineError
from engine.runs import Run
from tui.commands.options import GroupOptions

FRAMES_PER_SECOND = "120"
"""Textual waits for its next frame before it paints: at its own 60 that is a third of what a key takes."""


def has_terminal() -> bool:
    """Return whether stdin and stdout are a terminal that can place text."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb")


def is_in_browser() -> bool:
    """Return whether textual-serve has started this process, whose terminal then is a page in a browser."""
    return os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")


def open_app(options: GroupOptions, store_path: str | None = None, run: Run | None = None) -> int:
    """Run the app, with `run` opened if given, and return its exit status. `store_path` beats that of `options`."""
    if not has_terminal() and not is_in_browser():
        raise EngineError(
            "No terminal",
            "The app needs a terminal for input and output, and TERM set to its kind.",
            "To train without one: mnist-tui train",
        )
    os.environ.setdefault("TEXTUAL_FPS", FRAMES_PER_SECOND)
    gc.disable()  # until the app has settled: collections in between find nothing and take a third of the start
    from tui.escape import answer_escape_at_once

    answer_escape_at_once()
    from tui.app import TerminalApp
    from tui.memory import users_memory
    from tui.settings import locate_store, user_settings
    from tui.theme import remembered_theme

    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    store = locate_store(store_path or options.store_path)
    memory = users_memory()
    settings = user_settings(options.theme)
    settings.setdefault("theme", remembered_theme(memory))
    app = TerminalApp(store, settings, options.use_ascii, open_run=run, memory=memory)
    at_start = signal.getsignal(signal.SIGINT)
    app.run()
    signal.signal(signal.SIGINT, at_start)  # the event loop takes its own handler away
    return app.return_code or 0
