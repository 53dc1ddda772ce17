"""The whole suite on a machine that is busy with something else."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.process import python_environment
from engine.worker import NICENESS
from tests.stress.torture import Record

SUITE_RUNS = int(os.environ.get("STRESS_SUITE_RUNS", "1"))
"""How many times; each takes minutes."""
AT_ONCE = 3
"""So many beside one another, and beside a busy loop on every processor."""

pytestmark = [pytest.mark.stress, pytest.mark.timeout(3600 * max(1, SUITE_RUNS))]

BURN = f"from engine.process import give_way; give_way({NICENESS})\nwhile True: pass"


@contextlib.contextmanager
def busy_machine() -> Iterator[None]:
    """Give every processor something else to do, with the priority and in a session of its own as a training run."""
    command = [sys.executable, "-c", BURN]
    burners = [
        subprocess.Popen(command, env=python_environment(), start_new_session=True) for _ in range(os.cpu_count() or 1)
    ]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


@pytest.mark.skipif(not SUITE_RUNS, reason="STRESS_SUITE_RUNS is 0")
def test_the_suite_passes_under_full_load(record: Record, tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    suite = [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "loadfile", "-q", "-p", "no:cacheprovider"]

    def run_suite(number: int) -> int:
        with (tmp_path / f"suite-{number:02d}.log").open("wb") as log:
            return subprocess.run(suite, cwd=root, stdout=log, stderr=log, start_new_session=True).returncode

    with busy_machine(), ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = list(pool.map(run_suite, range(SUITE_RUNS)))
    told = "".join(log.read_text(errors="replace") for log in sorted(tmp_path.glob("suite-*.log")))
    failed = sum(int(number) for number in re.findall(r"(\d+) (?:failed|error)", told))
    passed = sum(int(number) for number in re.findall(r"(\d+) passed", told))
    record(
        f"the whole suite under full load, {SUITE_RUNS} times",
        "0 failures",
        f"{failed} failures, {passed:,} tests passed",
    )
    assert not any(statuses), told[-5000:]
