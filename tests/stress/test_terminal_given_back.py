"""However the app ends, the terminal is as it was: seen in the bytes that it sent."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.runs import Store
from tests.stress.terminals import Pty, last_setting
from tests.stress.torture import Record, torture

pytestmark = torture

MODES = {"alternate screen": ("1049", b"l"), "bracketed paste": ("2004", b"l"), "cursor": ("25", b"h")}
MOUSE = ("1000", "1002", "1003", "1006", "1015")
BROKEN = """
import sys
from engine.runs import Store
from tui.app import MnistApp

def action_break(app):
    raise RuntimeError("a bug")

MnistApp.action_break = action_break
app = MnistApp(Store.locate(), {})
app.bind("x", "break")
app.run()
sys.exit(app.return_code or 0)
"""


def send(number: signal.Signals) -> Callable[[Pty], None]:
    """Return what sends the app a signal."""
    return lambda terminal: terminal.child.kill(number)


def press(key: str) -> Callable[[Pty], None]:
    """Return what presses a key."""
    return lambda terminal: terminal.child.send(key)


ENDS: dict[str, tuple[Callable[[Pty], None], int]] = {
    "quit": (press("q"), 0),
    "INT": (send(signal.SIGINT), 130),
    "TERM": (send(signal.SIGTERM), 143),
    "HUP": (send(signal.SIGHUP), 129),
    "QUIT": (send(signal.SIGQUIT), 131),
    "exception": (press("x"), 1),
}


def test_however_it_ends_the_app_gives_the_terminal_back(
    store: Store, few_digits: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNIST_TUI_DATA", str(few_digits))
    restored = []
    for name, (end, status) in ENDS.items():
        terminal = Pty(code=BROKEN if name == "exception" else "")
        terminal.wait_for("Mistakes", "Train", "Backend")
        assert last_setting(terminal.raw, "1049", "2004", "25") == [b"h", b"h", b"l"]
        assert b"h" in last_setting(terminal.raw, *MOUSE)
        end(terminal)
        assert terminal.wait_for_end() == status, name
        for what, (mode, expected) in MODES.items():
            assert last_setting(terminal.raw, mode) == [expected], f"{what} after {name}"
        assert b"h" not in last_setting(terminal.raw, *MOUSE), f"mouse after {name}"
        restored.append(name)
    record(
        "the app ends by " + ", ".join(ENDS),
        "alternate screen, mouse, bracketed paste and cursor given back",
        f"{len(restored)} of {len(ENDS)} give all back",
    )
