"""Processes of the engine's own: which of them wait when the processor is wanted by several."""

from __future__ import annotations

import os
import subprocess
import sys

from engine.process import AUTOGROUP, python_environment

GIVES_WAY = """
import os
from engine.process import AUTOGROUP, give_way
give_way(7)
print(os.nice(0), AUTOGROUP.read_text().split()[-1] if AUTOGROUP.exists() else os.nice(0))
"""


def told(leads_a_session: bool) -> list[str]:
    """Return the niceness of a process that gives way, and that of its session."""
    command = [sys.executable, "-c", GIVES_WAY]
    answer = subprocess.run(
        command, env=python_environment(), start_new_session=leads_a_session, capture_output=True, check=True
    )
    return answer.stdout.decode().split()


def test_a_worker_gives_way_to_other_sessions_too() -> None:
    expected = str(os.nice(0) + 7)
    assert told(leads_a_session=True) == [expected, expected]


def test_a_process_of_somebody_elses_session_leaves_that_as_it_is() -> None:
    expected = str(os.nice(0) + 7)
    ours = AUTOGROUP.read_text().split()[-1] if AUTOGROUP.exists() else expected
    assert told(leads_a_session=False) == [expected, ours]
