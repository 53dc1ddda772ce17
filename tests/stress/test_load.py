"""The whole suite on a machine that is busy with something else."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stress.torture import Record

SUITE_RUNS = int(os.environ.get("STRESS_SUITE_RUNS", "1"))
"""How many times; each takes minutes."""

pytestmark = [pytest.mark.stress, pytest.mark.timeout(3600 * max(1, SUITE_RUNS))]

BURN = "while True: pass"


@contextlib.contextmanager
def busy_machine() -> Iterator[None]:
    """Give every processor something else to do."""
    burners = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


@pytest.mark.skipif(not SUITE_RUNS, reason="STRESS_SUITE_RUNS is 0")
def test_the_suite_passes_under_full_load(record: Record) -> None:
    root = Path(__file__).parents[2]
    suite = [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "loadfile", "-q", "-p", "no:cacheprovider"]
    outputs = []
    with busy_machine():
        for _ in range(SUITE_RUNS):
            outputs.append(subprocess.run(suite, cwd=root, capture_output=True, text=True))
    failed = sum(int(number) for each in outputs for number in re.findall(r"(\d+) (?:failed|error)", each.stdout))
    passed = sum(int(number) for each in outputs for number in re.findall(r"(\d+) passed", each.stdout))
    record(
        f"the whole suite under full load, {SUITE_RUNS} times",
        "0 failures",
        f"{failed} failures, {passed:,} tests passed",
    )
    for each in outputs:
        assert not each.returncode, each.stdout[-5000:]
