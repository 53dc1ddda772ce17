"""Loading and stopping take seconds: what goes on meanwhile is told, and for how long already."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from rich.console import Console

from engine import commands, events
from engine.config import TrainConfig
from engine.runs import Store
from tests.tui.app_harness import WrittenRun, opened, shown, until, until_shown
from tests.tui.cli_harness import start
from tests.waiting import wait_until
from tui.activity import activity_of, status_word
from tui.commands.reporting import LineReporter, _Waiting
from tui.snapshot import RunReplay, RunSnapshot

pytestmark = pytest.mark.usefixtures("cli_store")


def seen(written: WrittenRun) -> RunSnapshot:
    """Return the run as screens show it."""
    replay = RunReplay(written.run)
    replay.update()
    return replay.snapshot


def words(written: WrittenRun) -> str:
    """Return what it is doing."""
    activity = activity_of(seen(written))
    return activity.words if activity else ""


@pytest.mark.parametrize(
    ("stage", "backend", "told"),
    [
        ("images", "torch", "reading the images"),
        ("framework", "torch", "loading PyTorch"),
        ("framework", "tensorflow", "loading TensorFlow"),
        ("network", "torch", "building the network"),
        ("first_step", "tensorflow", "compiling the first step"),
        ("first_step", "torch", "waiting for the first step"),
        ("a stage of a later version", "torch", "getting ready"),
    ],
)
def test_what_is_being_loaded_is_told(store: Store, stage: str, backend: str, told: str) -> None:
    written = WrittenRun(store, backend=backend)
    assert words(written) == "starting the worker"
    written.tell(events.Preparing(stage=stage))
    assert words(written) == told
    written.start()
    written.tell(events.Preparing(stage="first_step"))
    written.step(1, 1)
    assert words(written) == ""
    written.vanish()


def test_seconds_are_counted_from_the_event_on(store: Store) -> None:
    written = WrittenRun(store)
    written.tell(events.Preparing(stage="framework", time=time.time() - 12.5))
    activity = activity_of(seen(written))
    assert activity
    assert activity.text() == "loading PyTorch… 12 s"
    written.vanish()


def test_what_was_asked_for_shows_at_once_and_until_it_is_done(store: Store) -> None:
    written = WrittenRun(store)
    written.tell(events.Preparing(stage="framework"))
    written.run.send(commands.Pause())
    assert words(written) == "pausing, still loading PyTorch: it holds before its first step"
    written.start()
    written.step(1, 1)
    assert words(written) == "pausing: it holds before its next step"
    assert status_word(seen(written)) == "pausing"
    written.tell(events.CommandApplied(command="pause", epoch=1, step=2))
    assert words(written) == ""
    assert status_word(seen(written)) == "paused"
    written.run.send(commands.Resume())
    assert status_word(seen(written)) == "going on"
    written.tell(events.CommandApplied(command="resume", epoch=1, step=2))
    assert status_word(seen(written)) == "running"
    written.run.send(commands.Stop())
    assert words(written) == "stopping after this step, then testing and saving"
    written.run.send(commands.Stop(now=True))
    assert words(written) == "stopping at once, without testing and saving"
    written.tell(events.CommandApplied(command="stop", epoch=1, step=2))
    assert words(written) == "stopping: testing and saving"
    written.finish("stopped")
    assert status_word(seen(written)) == "stopped"
    assert words(written) == ""


def test_what_an_earlier_worker_was_asked_for_is_over(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    written.run.send(commands.Stop())
    written.tell(events.RunFinished(outcome="stopped", epochs=0), events.RunRelaunched())
    assert words(written) == "starting the worker"
    written.vanish()


async def test_the_app_counts_the_seconds_and_shows_a_stop_while_the_worker_is_busy_loading(store: Store) -> None:
    written = WrittenRun(store, backend="tensorflow")
    written.tell(events.Preparing(stage="framework", time=time.time() - 20))
    async with opened(store, size=(80, 24)) as (app, pilot):
        await until_shown(app, "Starting", "Loading TensorFlow… 2")
        first = shown(app)
        await until(lambda: "Loading TensorFlow… 2" in shown(app) and shown(app) != first, "the seconds go on")
        await pilot.press("s")
        await until_shown(app, "◌ stopping", "Stopping, still loading TensorFlow")
        await pilot.press("2")
        await until_shown(app, "1 run in", "◌ stopping")
    written.vanish()


async def test_the_first_step_is_waited_for_in_the_line_of_the_progress(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    written.tell(events.Preparing(stage="first_step", time=time.time() - 3))
    async with opened(store) as (app, pilot):
        await until_shown(app, "● waiting for the first step… ")
        written.step(1, 2)
        await until_shown(app, "epoch 1/3")
        await pilot.press("p")
        await until_shown(app, "● pausing", "pausing: it holds before its next step… ")
        await pilot.press("s")
        await until_shown(app, "● stopping", "stopping after this step, then testing and saving… ")
    written.vanish()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["stop"], "stopping, still loading PyTorch: nothing has been learnt yet"),
        (["stop", "--now"], "stopping, still loading PyTorch: nothing has been learnt yet"),
        (["pause"], "pausing, still loading PyTorch: it holds before its first step"),
    ],
)
def test_the_command_line_says_at_once_what_is_awaited(cli_store: Path, arguments: list[str], told: str) -> None:
    written = WrittenRun(Store(cli_store))
    written.tell(events.Preparing(stage="framework"))
    command = start(*arguments, "last")
    assert command.stderr
    assert command.stderr.readline().strip() == f"{written.run.id}: {told}"
    assert command.poll() is None
    written.finish("stopped")
    wait_until(lambda: command.poll() is not None, "the command ends with the run")


def test_train_says_what_takes_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = LineReporter(TrainConfig.preset("tensorflow-tutorial"))
    for stage in ("images", "framework", "network", "first_step"):
        reporter.show(b"", events.Preparing(stage=stage))
    assert capsys.readouterr().err.splitlines() == ["Loading TensorFlow", "Compiling the first step"]


def test_the_live_line_of_train_counts_the_seconds() -> None:
    console = Console(width=60, force_terminal=False)
    with console.capture() as captured:
        console.print(_Waiting("Loading PyTorch", time.time() - 7.2))
    assert "Loading PyTorch… 7 s" in captured.get()
