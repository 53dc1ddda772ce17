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
print(os.nice(0))
print(AUTOGROUP.read_text() if AUTOGROUP.exists() else "")
"""


def told(leads_a_session: bool) -> list[str]:
    """Return the niceness of a process that gives way, and that of its session where the kernel knows one.

    In a line like "/autogroup-94 nice 7" it comes last; the line is empty where autogroups are off, and in a process
    that has been in no session since the machine started.
    """
    command = [sys.executable, "-c", GIVES_WAY]
    answer = subprocess.run(
        command, env=python_environment(), start_new_session=leads_a_session, capture_output=True, check=True, text=True
    )
    niceness, session = answer.stdout.split("\n")[:2]
    return [niceness, *session.split()[-1:]]


def test_a_worker_gives_way_to_other_sessions_too() -> None:
    niceness, *session = told(leads_a_session=True)
    assert niceness == str(os.nice(0) + 7)
    assert session in ([], [niceness])


def test_a_process_of_somebody_elses_session_leaves_that_as_it_is() -> None:
    ours = AUTOGROUP.read_text().split()[-1:] if AUTOGROUP.exists() else []
    assert told(leads_a_session=False) == [str(os.nice(0) + 7), *ours]
