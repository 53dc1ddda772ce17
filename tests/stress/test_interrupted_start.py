"""Ctrl+C at many moments of the start: the process ends with status 130, says nothing, and gives the terminal back."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from engine.process import START
from engine.runs import Store
from tests.stress.terminals import Pty, last_setting
from tests.stress.torture import Record, torture

pytestmark = torture

COMMAND = (sys.executable, "-P", str(START))
STEP = 0.02
IN_PYTHONS_OWN_START = (-signal.SIGINT, 1)
"""By the signal before Python handles it; 1 with a traceback while it starts, before anything of ours is read."""


def test_a_command_can_be_interrupted_at_any_moment(store: Store, record: Record) -> None:
    moments = [STEP * number for number in range(40)]
    outcomes = []
    for moment in moments:
        process = subprocess.Popen(
            [*COMMAND, "runs"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        time.sleep(moment)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        assert process.returncode in (0, 128 + signal.SIGINT, *IN_PYTHONS_OWN_START), said
        assert process.returncode == 1 or said == ""
        assert START.name not in said
        outcomes.append(process.returncode)
    record(
        f"SIGINT after 0 to {moments[-1]:.2f} s of `mnist-tui runs`",
        "status 130, nothing said",
        f"{outcomes.count(130)} quiet, {outcomes.count(0)} done, {sum(map(outcomes.count, IN_PYTHONS_OWN_START))} in "
        "Python's own start",
    )


def test_the_app_can_be_interrupted_at_any_moment(store: Store, record: Record) -> None:
    outcomes = []
    for number in range(75):
        terminal = Pty(program=COMMAND)
        time.sleep(2 * STEP * number)
        terminal.child.kill(signal.SIGINT)
        status = terminal.wait_for_end()
        said = bytes(terminal.raw)
        assert status in (130, 1)
        assert status == 130 or b"Traceback" in said  # Python's own start
        assert START.name.encode() not in said
        assert b"bug" not in said
        assert last_setting(said, "1049") != [b"h"]
        outcomes.append(last_setting(said, "1049"))
    shown = outcomes.count([b"l"])
    record(
        "SIGINT after 0 to 3 s of the app",
        "status 130, terminal as before",
        f"{len(outcomes)} did, {shown} had painted",
    )
