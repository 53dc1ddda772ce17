"""The terminal goes away while a run trains in it: the worker lives, and whoever comes back finds every event once."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path

import pytest

from engine.commands import Stop
from engine.events import Step
from engine.launcher import launch
from engine.locks import is_held
from engine.runs import Run, Store
from tests.stress.terminals import Pty, Tmux, reattached
from tests.stress.torture import LONG, Record, endless, torture, unseamly, wait_for_end, worker_of
from tests.tui.cli_harness import COMMAND
from tests.waiting import wait_for_event, wait_until

pytestmark = torture

TRAIN = ("train", "--now", "--epochs", "10000", "--batch-size", "8", "--threads", "1", "--device", "cpu")
WAYS_IN = {
    "train": (*TRAIN,),
    "the app": ("attach", "last"),
    "lines": ("attach", "last", "--lines"),
    "events": ("attach", "last", "--json"),
    "the app alone": (),
}
"""How the run is watched when the terminal goes; the first starts it."""
CLOSINGS = 20
SERVERS_KILLED = 5


@pytest.fixture(autouse=True)
def _user(few_digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNIST_TUI_DATA", str(few_digits))


def goes_on(run: Run) -> None:
    """Wait for news of `run`, which its worker alone can give."""
    before = len(run.events_path.read_bytes())
    wait_until(lambda: run.events_path.stat().st_size > before + 1000, f"{run.id} goes on", LONG)
    assert is_held(run.lock_path)


def wrong_after_reattaching(run: Run) -> int:
    """Follow `run` anew until it has ended; return how many events are missing, doubled, or out of their place."""
    follower = reattached(run)
    goes_on(run)
    run.send(Stop())
    output, _ = follower.communicate(timeout=LONG)
    wait_for_end(run)
    told, logged = output.splitlines(), run.events_path.read_bytes().splitlines()
    wrong = sum(one != other for one, other in zip(told, logged, strict=False)) + abs(len(told) - len(logged))
    return wrong + len(unseamly(run.events())) + len(out_of_order(run))


def out_of_order(run: Run) -> list[Step]:
    """Return the steps that do not come after the one before."""
    steps = [event for event in run.events() if isinstance(event, Step)]
    return [later for step, later in itertools.pairwise(steps) if (later.epoch, later.step) <= (step.epoch, step.step)]


def test_closing_the_terminal_leaves_the_worker_and_its_log_alone(store: Store, record: Record) -> None:
    survived = wrong = rounds = 0
    while rounds < CLOSINGS:
        run: Run | None = None
        for arguments in WAYS_IN.values():
            known = len(store.runs())
            terminal = Pty(*arguments)
            if run is None:
                run = wait_until(lambda known=known: store.runs()[known:], "the run is there")[0]  # type: ignore[misc]
                wait_for_event(run, Step)
            terminal.wait_for(
                "images/s" if arguments and "--json" not in arguments else "step" if arguments else "running"
            )
            worker = worker_of(run)
            terminal.hang_up()
            goes_on(run)
            survived += worker_of(run).pid == worker.pid
            rounds += 1
        assert run is not None
        wrong += wrong_after_reattaching(run)
    record(
        f"terminal closed {rounds} times while training",
        "the worker lives; 0 events lost or doubled after reattaching",
        f"{survived} of {rounds} lived; {wrong} lost or doubled",
    )
    assert (survived, wrong) == (rounds, 0)


@pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")
def test_killing_the_tmux_server_leaves_the_worker_and_its_log_alone(store: Store, record: Record) -> None:
    survived = wrong = 0
    for number in range(SERVERS_KILLED):
        tmux = Tmux(f"mnist-tui-{os.getpid()}-{number}", [*COMMAND, *TRAIN])
        run = wait_until(lambda number=number: store.runs()[number:], "the run is there")[0]  # type: ignore[misc]
        wait_for_event(run, Step)
        tmux.wait_for("images/s")
        worker = worker_of(run)
        tmux.kill_server()
        goes_on(run)
        survived += worker_of(run).pid == worker.pid
        wrong += wrong_after_reattaching(run)
    record(
        f"tmux kill-server {SERVERS_KILLED} times while training",
        "the worker lives; 0 events lost or doubled after reattaching",
        f"{survived} of {SERVERS_KILLED} lived; {wrong} lost or doubled",
    )
    assert (survived, wrong) == (SERVERS_KILLED, 0)


def test_a_second_terminal_shows_what_the_lost_one_would_have(store: Store, few_digits: Path, record: Record) -> None:
    run = launch(store, endless(few_digits), skip_queue=True)
    first = Pty("attach", run.id)
    first.wait_for("running", "images/s")
    first.hang_up()
    goes_on(run)
    run.send(Stop())
    wait_for_end(run)
    second = Pty("attach", run.id)
    epochs = run.progress().epochs
    second.wait_for("stopped", f"{epochs[-1].train_loss:.4f}", f"{epochs[-1].test_loss:.4f}")
    second.close()
    record("… and the app opened again", "shows the epochs trained meanwhile", f"shows all {len(epochs)} of them")
