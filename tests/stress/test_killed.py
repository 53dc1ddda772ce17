"""SIGKILL at any moment, above all in the middle of a checkpoint's write: every run goes on."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import psutil

from engine.checkpoint import LAST
from engine.events import CheckpointSaved, RunStarted
from engine.launcher import launch, relaunch
from engine.locks import is_held
from engine.runs import Progress, Run, Store
from tests.stress.torture import (
    LONG,
    Record,
    drafts,
    each_backend,
    endless,
    starts,
    torture,
    unseamly,
    wait_for_end,
    weights_of,
    worker_of,
)
from tests.waiting import wait_until

pytestmark = torture

KILLS = {"torch": 35, "tensorflow": 15}
WRITES = {"torch": 14, "tensorflow": 7}
"""So many of the kills, at least, must hit the write of a checkpoint."""
SECONDS_TO_TELL = 2.0


class Killer:
    """Kills the workers of one run again and again, and keeps count."""

    def __init__(self, run: Run, dice: random.Random) -> None:
        self.run = run
        self.dice = dice
        self.kills = self.resumed = self.inside_writes = 0
        self.slowest = 0.0
        self.most_lost = 0
        self._unanswered = 0

    def wait_for_start(self, count: int) -> None:
        """Wait until worker number `count` trains; note what the kills before have cost."""
        started: RunStarted = wait_until(lambda: starts(self.run)[count:], "the next worker trains", LONG)[0]
        log = self.run.events()
        before = log[: log.index(started)]
        saved = max((event.epoch for event in before if isinstance(event, CheckpointSaved)), default=0)
        finished = max((epoch.epoch for epoch in Progress.of(before).epochs), default=0)
        resumed_from = started.resumed_from or 0
        if count:
            assert resumed_from >= saved, "an epoch whose checkpoint was told is lost"
            self.most_lost = max(self.most_lost, finished - resumed_from)
        self.resumed, self._unanswered = self.resumed + self._unanswered, 0

    def kill(self, worker: psutil.Process) -> None:
        """Kill the worker, and time how long its run takes to say so."""
        worker.kill()
        killed = time.monotonic()
        wait_until(lambda: not is_held(self.run.lock_path), "the worker is gone")
        wait_until(lambda: self.run.status() == "crashed", "the run has crashed")
        self.slowest = max(self.slowest, time.monotonic() - killed)
        self.kills, self._unanswered = self.kills + 1, self._unanswered + 1

    def kill_inside_a_write(self, worker: psutil.Process) -> None:
        """Kill the worker as soon as the temporary file of its checkpoint is there; see whether it still is."""
        draft = str(self.run.path / f".{LAST}.{worker.pid}.tmp")
        deadline = time.monotonic() + LONG
        while not os.path.exists(draft):  # noqa: PTH110  (the write takes a few milliseconds: look without a pause)
            assert time.monotonic() < deadline, "a checkpoint is written"
        self.kill(worker)
        self.inside_writes += os.path.exists(draft)  # noqa: PTH110


@each_backend
def test_every_killed_worker_is_followed_by_one_that_goes_on(
    store: Store, few_digits: Path, record: Record, backend: str
) -> None:
    config = endless(few_digits, backend=backend)
    run = launch(store, config, skip_queue=True)
    killer, dice = Killer(run, random.Random(5)), random.Random(5)
    trained = 0
    while killer.kills < KILLS[backend] or killer.inside_writes < WRITES[backend]:
        assert killer.kills < 3 * KILLS[backend], f"only {killer.inside_writes} kills hit a write"
        worker = worker_of(run)
        if killer.kills % 7 == 3:
            time.sleep(dice.uniform(0, 3))  # while it starts, most likely
            trained = len(starts(run))
        else:
            killer.wait_for_start(trained)
            trained += 1
            if killer.kills % 2:
                time.sleep(dice.uniform(0, 1.5))
        if killer.kills % 2:
            killer.kill(worker)
        else:
            killer.kill_inside_a_write(worker)
        relaunch(run, skip_queue=True)
    killer.wait_for_start(trained)
    record(
        f"SIGKILL of the worker at random moments, {backend}",
        f"all resume; ≥ {WRITES[backend]} inside a checkpoint's write; ≤ 1 epoch lost; crashed within 2 s",
        f"{killer.resumed} of {killer.kills} resume; {killer.inside_writes} inside a write; "
        f"{killer.most_lost} lost; {killer.slowest:.2f} s",
    )
    assert killer.resumed == killer.kills >= KILLS[backend]
    assert killer.most_lost <= 1
    assert killer.slowest <= SECONDS_TO_TELL
    assert not unseamly(run.events())
    check_the_end(store, run, record)


def check_the_end(store: Store, run: Run, record: Record) -> None:
    """Kill the run once more, let it end, and compare it with one that was left alone."""
    worker_of(run).kill()
    wait_until(lambda: run.status() == "crashed", "the run has crashed")
    epochs = run.progress().epochs[-1].epoch + 1
    relaunch(run, skip_queue=True, epochs=epochs)
    alone = launch(store, run.config, skip_queue=True)
    for each in (run, alone):
        wait_for_end(each)
        assert each.status() == "completed"
    same = all(values.tobytes() == weights_of(run)[name].tobytes() for name, values in weights_of(alone).items())
    left = len(drafts(run))
    record(
        f"… and at the end of its {epochs} epochs",
        "the weights of an undisturbed run, bit for bit; no temporary file left",
        f"{'the same weights' if same else 'other weights'}; {left} files left",
    )
    assert same
    assert not left
