"""`mnist-tui pause`, `resume` and `train --repeats`: runs that are held, taken up again, and repeated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import events
from engine.backends import BACKENDS
from engine.runs import Run, Store
from tests.tui.cli_harness import QUICK, call, each_backend, printed, refused, start
from tests.waiting import wait_for_event, wait_until

needs_both = pytest.mark.skipif(
    not all(info.installed for info in BACKENDS.values()), reason="both frameworks are needed"
)


def last_run(store: Path) -> Run:
    return Store(store).find("last")


@each_backend
def test_a_paused_run_holds_and_goes_on(cli_store: Path, capsys: pytest.CaptureFixture[str], backend: str) -> None:
    child = start("train", "--backend", backend, "--epochs", "10000", *QUICK)
    run = wait_until(lambda: Store(cli_store).runs(), "the run is there")[0]
    wait_for_event(run, events.EpochFinished, epoch=1)
    assert f"{run.id} is paused." in printed(capsys, "pause", "last")
    before = run.events()
    assert run.status() == "paused"
    assert run.events() == before
    assert printed(capsys, "resume", "last").startswith(run.id)
    wait_for_event(run, events.CommandApplied, command="resume")
    epochs = len(run.progress().epochs)
    wait_until(lambda: len(run.progress().epochs) > epochs, "another epoch is done")
    assert "stopped after" in printed(capsys, "stop", "last")
    assert child.wait() == 0


def test_a_completed_run_says_how_to_train_on(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("train", "--epochs", "1", *QUICK).returncode == 0
    message = refused(capsys, ["resume", "last"])
    assert "Run is complete" in message
    assert f"mnist-tui resume {last_run(cli_store).id} --epochs 2" in message


@needs_both
@pytest.mark.parametrize(("first", "second"), [("torch", "tensorflow"), ("tensorflow", "torch")])
def test_a_run_goes_on_with_the_other_framework_under_the_same_conventions(
    cli_store: Path, first: str, second: str
) -> None:
    assert call("train", "--backend", first, "--epochs", "2", *QUICK).returncode == 0
    ended = call("resume", "last", "--backend", second, "--epochs", "3")
    assert ended.returncode == 0, ended.stderr
    assert "Resumed after epoch 2" in ended.stdout
    run = last_run(cli_store)
    assert run.config.backend == second
    assert run.config.conventions == {"torch": "torch", "tensorflow": "keras"}[first]
    assert [epoch.epoch for epoch in run.progress().epochs] == [1, 2, 3]


def test_a_run_keeps_the_settings_that_make_it_that_run(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("train", "--epochs", "1", *QUICK).returncode == 0
    assert "No such option" in refused(capsys, ["resume", "last", "--seed", "3"])
    assert "must be a whole number" in refused(capsys, ["resume", "last", "--epochs", "0"])


def test_repeats_train_consecutive_seeds_and_tell_their_spread(
    cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = call("train", "--repeats", "2", "--seed", "5", "--epochs", "1", *QUICK)
    assert ended.returncode == 0, ended.stderr
    runs = Store(cli_store).runs()
    assert [run.config.seed for run in runs] == [5, 6]
    assert ended.stdout.count("Test accuracy: ") == 2
    assert "over 2 seeds" in ended.stderr
    other = call("train", "--repeats", "2", "--epochs", "1", "--optimizer", "sgd", *QUICK)
    assert other.returncode == 0, other.stderr
    shown = printed(capsys, "show", runs[0].id, "last")
    assert shown.count("over 2 seeds") == 2
    assert "Welch's t test, 2 seeds each" in shown


def test_detached_repeats_take_turns_and_all_complete(cli_store: Path) -> None:
    ended = call("train", "--repeats", "2", "--epochs", "1", "--detach", "--json", *QUICK)
    assert ended.returncode == 0, ended.stderr
    names = [json.loads(text + "}")["run"] for text in ended.stdout.split("}") if text.strip()]
    runs = [Store(cli_store).find(name) for name in names]
    assert len(runs) == 2
    for run in runs:
        wait_for_event(run, events.RunFinished, outcome="completed")
    spans = [_training_span(run) for run in runs]
    (_, first_end), (second_start, _) = sorted(spans)
    assert first_end <= second_start


def _training_span(run: Run) -> tuple[float, float]:
    """Return when the run began to train, and when it ended."""
    started = next(event for event in run.events() if isinstance(event, events.RunStarted))
    return started.time, run.events()[-1].time
