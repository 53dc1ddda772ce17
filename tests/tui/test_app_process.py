"""The app as a process: what it imports, and the terminal it gives back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from engine.runs import Store
from tests.tui.app_harness import WrittenRun, is_locked
from tests.waiting import PATIENCE

FRAMEWORKS = ("torch", "torchvision", "tensorflow", "keras")
OPEN = """
import asyncio, sys
from engine.runs import Store
import tui.app
at_import = set(sys.modules)
app = tui.app.MnistApp(Store.locate(), {})
async def visit():
    async with app.run_test() as pilot:
        await pilot.press("2", "3", "4", "5", "1")
asyncio.run(visit())
print([name for name in ("numpy", "plotext", *FRAMEWORKS) if name in at_import])
print([name for name in FRAMEWORKS if name in sys.modules])
"""
APP = "import sys; from engine.runs import Store; from tui.app import MnistApp; app = MnistApp(Store.locate(), {})\n"
ENTER_SCREEN, LEAVE_SCREEN, MOUSE_OFF = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?1000l"


def test_the_app_imports_no_framework_and_nothing_heavy_before_its_first_frame(store: Store) -> None:
    code = f"FRAMEWORKS = {FRAMEWORKS!r}\n{OPEN}"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines() == ["[]", "[]"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_ends_the_app_gives_the_terminal_back_and_leaves_the_run(
    store: Store, tmp_path: Path, number: signal.Signals
) -> None:
    written = WrittenRun(store)
    written.start()
    environment = os.environ | {"TERM": "xterm-256color"}
    code = APP + "app.run(); sys.exit(app.return_code)"
    child = pexpect.spawn(sys.executable, ["-c", code], env=environment, dimensions=(24, 80), timeout=PATIENCE)
    child.expect_exact(ENTER_SCREEN)
    child.expect_exact("running")
    child.kill(number)
    child.expect_exact(LEAVE_SCREEN)
    rest = child.read()
    child.close()
    assert child.exitstatus == 128 + number
    assert MOUSE_OFF in child.before + rest or b"\x1b[?1003l" in child.before + rest
    assert is_locked(written.run)
    written.vanish()
