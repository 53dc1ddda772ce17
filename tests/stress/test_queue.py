"""Twenty at once: for one run, of which one wins; for one device, where all get their turn in the order they came."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.backends import BACKENDS
from engine.events import RunFinished, RunStarted
from engine.launcher import launch
from engine.runs import Run, Store
from tests.stress.torture import LONG, Record, endless, new_run, start_worker, starts, torture, wait_for_end, worker_of
from tests.tui.cli_harness import call
from tests.waiting import wait_for_event, wait_until

pytestmark = torture

MANY = 20
LISTEN = """
import signal, sys
caught = []
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, lambda n, frame: caught.append(n))
print("here", flush=True)
while not sys.stdin.readline():
    pass
print(caught)
"""


def test_of_twenty_workers_for_one_run_one_trains_it(store: Store, few_digits: Path, record: Record) -> None:
    run = new_run(store, endless(few_digits, epochs=2))
    workers = [start_worker(run, "--now") for _ in range(MANY)]
    statuses = sorted(worker.wait(LONG) for worker in workers)
    record(
        f"{MANY} workers started at once for one run",
        "exactly one trains it, the others say so and leave",
        f"{statuses.count(0)} trained it, {statuses.count(2)} left; it {run.status()}",
    )
    assert statuses == [0] + [2] * (MANY - 1)
    assert len(starts(run)) == 1
    assert run.status() == "completed"
    assert run.log_path.read_text().count("is being trained by another worker") == MANY - 1


def test_twenty_runs_on_one_device_train_one_at_a_time_in_order(store: Store, few_digits: Path, record: Record) -> None:
    installed = [name for name, info in BACKENDS.items() if info.installed]
    backends = [installed[number % 10 == 9 and len(installed) > 1] for number in range(MANY)]
    runs = [launch(store, endless(few_digits, epochs=1, backend=backend)) for backend in backends]
    for run in runs:
        wait_for_end(run)
    spans = [span(run) for run in runs]
    overlaps = sum(later[0] < earlier[1] for earlier, later in zip(sorted(spans), sorted(spans)[1:], strict=False))
    completed = sum(run.status() == "completed" for run in runs)
    in_order = spans == sorted(spans)
    record(
        f"{MANY} runs started at once on one device",
        "one trains at a time, all finish, in the order of their arrival",
        f"{overlaps} overlap, {completed} finish, {'in order' if in_order else 'out of order'}",
    )
    assert (overlaps, completed, in_order) == (0, MANY, True)


def span(run: Run) -> tuple[float, float]:
    """From when to when a run trained."""
    moments = [event.time for event in run.events() if isinstance(event, RunStarted | RunFinished)]
    return moments[0], moments[-1]


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[str]]:
    """A process that has nothing to do with any run and notes every signal that it gets."""
    process = subprocess.Popen(
        [sys.executable, "-c", LISTEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout
    assert process.stdout.readline() == "here\n"
    yield process
    process.kill()
    process.communicate()


def test_a_foreign_process_under_a_recorded_number_gets_no_signal(
    store: Store, few_digits: Path, bystander: subprocess.Popen[str], record: Record
) -> None:
    run = launch(store, endless(few_digits), skip_queue=True)
    wait_for_event(run, RunStarted)
    worker = worker_of(run)
    worker.kill()
    wait_until(lambda: run.status() == "crashed", "the run has crashed")
    forge(run, worker.pid, bystander.pid)
    for command in ("stop", "pause", "show", "runs"):
        call(command, *([] if command == "runs" else [run.id]))
    assert call("resume", run.id, "--now", "--detach").returncode == 0
    wait_until(lambda: len(starts(run)) == 2, "the run goes on", LONG)
    assert call("stop", run.id, "--now").returncode == 0
    forge(run, worker.pid, bystander.pid)
    assert call("delete", run.id, "--yes").returncode == 0
    caught, _ = bystander.communicate("end\n")
    record(
        "a foreign process under the dead worker's number; stop, pause, resume, delete",
        "it is never signalled",
        f"signals it got: {caught.strip()}",
    )
    assert caught == "[]\n"


def forge(run: Run, old: int, new: int) -> None:
    """Write the process number `new` wherever a run's files may keep that of its worker, `old`."""
    for name in ("run.lock", "worker.pid", "pid"):
        (run.path / name).write_text(f"{new}\n")
    for path in run.path.rglob("*"):
        if path.is_file() and str(old) in path.name:
            path.rename(path.with_name(path.name.replace(str(old), str(new))))
    for path in (run.events_path, run.commands_path, run.log_path):
        if path.exists():
            path.write_bytes(path.read_bytes().replace(f":{old},".encode(), f":{new},".encode()))
