"""TERM at random moments: the run tells its end in time, and nothing is left running."""

from __future__ import annotations

import random
import time
from pathlib import Path

import psutil
import pytest

from engine.events import RunFinished, Step
from engine.locks import is_held
from engine.runs import Store
from tests.stress.torture import (
    LONG,
    Record,
    each_backend,
    endless,
    new_run,
    processes_of,
    start_worker,
    torture,
    weights_of,
)
from tests.waiting import wait_for_event, wait_until

pytestmark = torture

STOPS = {"torch": 14, "tensorflow": 6}
SECONDS_TO_STOP = 5.0


@each_backend
def test_term_ends_a_run_in_order_and_in_time(store: Store, few_digits: Path, record: Record, backend: str) -> None:
    dice = random.Random(7)
    slowest, in_order, left = 0.0, 0, 0
    for _ in range(STOPS[backend]):
        run = new_run(store, endless(few_digits, backend=backend))
        worker = start_worker(run, "--now")
        wait_for_event(run, Step)
        time.sleep(dice.uniform(0, 1.5))
        family = [psutil.Process(worker.pid), *psutil.Process(worker.pid).children(recursive=True)]
        asked = time.time()
        worker.terminate()
        status = worker.wait(LONG)
        last = run.events()[-1]
        assert isinstance(last, RunFinished)
        slowest = max(slowest, last.time - asked)
        in_order += status == 143 and last.outcome == "stopped" and weights_of(run) is not None
        left += len(psutil.wait_procs(family, timeout=5)[1]) + len(processes_of(run.path)) + is_held(run.lock_path)
    record(
        f"TERM, {STOPS[backend]} times, {backend}",
        "the final event within 5 s, exit status 143, nothing left running",
        f"within {slowest:.2f} s, 143 in {in_order} of {STOPS[backend]}, {left} left",
    )
    assert slowest <= SECONDS_TO_STOP
    assert in_order == STOPS[backend]
    assert not left


@pytest.mark.parametrize("backend", ["torch"])
def test_term_while_a_worker_starts_ends_it_too(store: Store, few_digits: Path, record: Record, backend: str) -> None:
    """From the moment on at which it has the run's lock: before that it is a process like any other."""
    dice = random.Random(8)
    ends, slowest = set(), 0.0
    for _ in range(5):
        run = new_run(store, endless(few_digits, backend=backend))
        worker = start_worker(run, "--now")
        wait_until(run.events_path.exists, "the worker is about to start")
        time.sleep(dice.uniform(0, 2))
        asked = time.time()
        worker.terminate()
        ends.add((worker.wait(LONG), run.status()))
        slowest = max(slowest, time.time() - asked)
    record(
        "TERM while the framework is loading, 5 times", "stopped, exit status 143", f"{ends}, within {slowest:.2f} s"
    )
    assert ends == {(143, "stopped")}
