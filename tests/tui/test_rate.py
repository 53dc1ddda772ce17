"""Changing the learning rate of a live run from the command line and by a key, holding it, and stopping it at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from engine import commands, events
from engine.commands import AnyCommand, SetLearningRate, Stop
from engine.eventlog import EventWriter
from engine.locks import FileLock
from engine.runs import Store
from tests.tui.app_harness import WrittenRun, completed, opened, shown, until, until_shown
from tests.tui.cli_harness import QUICK, needs_a_framework, printed, refused, start
from tests.waiting import wait_for_event, wait_until
from tui.screens.rate import RateScreen
from tui.screens.stop import StopScreen

CHANGED = events.CommandApplied(command="set_learning_rate", epoch=2, step=1_200, learning_rate=0.0005)


@pytest.fixture
def written(cli_store: Path) -> Iterator[WrittenRun]:
    """A run that trains, as far as can be seen from outside."""
    made = WrittenRun(Store(cli_store))
    made.start()
    yield made
    made.vanish()


def asked(written: WrittenRun) -> list[AnyCommand]:
    """Return what was asked of the run's worker so far."""
    if not written.run.commands_path.exists():
        return []
    return [commands.decode(line) for line in written.run.commands_path.read_bytes().splitlines()]


def test_set_says_from_which_step_on_it_holds(written: WrittenRun, capsys: pytest.CaptureFixture[str]) -> None:
    written.tell(CHANGED)  # an earlier change is not taken for this one
    child = start("set", "last", "--learning-rate", "5e-4")
    wait_until(lambda: asked(written), "it is asked for")
    assert child.poll() is None
    written.tell(events.CommandApplied(command="set_learning_rate", epoch=3, step=7, learning_rate=0.0005))
    out, err = child.communicate()
    assert (child.returncode, err) == (0, "")
    assert out == f"{written.run.id}: learning rate 0.0005 from epoch 3, step 7 on\n"
    assert "0.01 → 0.0005 in epoch 2" in printed(capsys, "show", "last")


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "much", "", "1e999"])
def test_set_refuses_what_is_no_learning_rate(
    written: WrittenRun, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    assert "Learning rate must be a number above 0" in refused(capsys, ["set", "last", "--learning-rate", value])
    assert asked(written) == []


def test_set_needs_a_live_run_and_a_value(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = completed(Store(cli_store))
    assert f"Run {run.id} has finished" in refused(capsys, ["set", "last", "--learning-rate", "1"])
    assert "Missing option '--learning-rate'" in refused(capsys, ["set", "last"])


def test_set_on_a_run_that_ends_before_it_hears_says_so(written: WrittenRun, cli_store: Path) -> None:
    other = WrittenRun(Store(cli_store), name="other")
    other.start()
    child = start("set", "other", "--learning-rate", "0.1")
    wait_until(lambda: asked(other), "it is asked for")
    other.finish("stopped")
    _, err = child.communicate()
    assert child.returncode == 2
    assert "ended before its next step: it was stopped" in err


@needs_a_framework
def test_a_real_run_is_set_paused_and_stopped_at_once(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, "train", "--epochs", "10000", "--detach", *QUICK)
    run = Store(cli_store).find("last")
    wait_for_event(run, events.EpochFinished, epoch=1)
    assert "learning rate 0.01 → 0.0625 from epoch" in printed(capsys, "set", "last", "--learning-rate", "0.0625")
    assert "It leaves the processor and keeps its place on cpu and 0." in printed(capsys, "pause", "last")
    told = run.events()
    assert "learning rate 0.0625 → 0.125 from epoch" in printed(capsys, "set", "last", "--learning-rate", "0.125")
    assert run.status() == "paused"
    assert not [event for event in run.events()[len(told) :] if isinstance(event, events.Step)]
    assert "stopped after" in printed(capsys, "stop", "last", "--now")
    assert run.status() == "stopped"
    finished = run.progress().finished
    assert finished is not None
    assert finished.test_accuracy == run.progress().epochs[-1].test_accuracy


async def test_a_key_asks_for_the_rate_while_the_run_is_live(written: WrittenRun) -> None:
    async with opened(Store(written.run.path.parent), size=(80, 24)) as (app, pilot):
        await until_shown(app, "● running", "R Rate")
        await pilot.press("R")
        await until(lambda: isinstance(app.screen, RateScreen), "it asks")
        await until_shown(app, "It is 0.01.")
        await pilot.press("home", "shift+end", "0", "enter")
        await until_shown(app, "must be a number above 0")
        assert asked(written) == []
        await pilot.press(*".0005", "enter")
        await until(lambda: asked(written), "the worker is asked")
        (command,) = asked(written)
        assert isinstance(command, SetLearningRate)
        assert command.learning_rate == 0.0005
        written.tell(CHANGED)
        await until_shown(app, "Learning rate 0.0005 from")
        written.step(2, 4)
        written.tell(events.CommandApplied(command="pause", memory_bytes=1_230_000_000))
        await until_shown(app, "It leaves the processor")
        await pilot.press("R", "escape")
        await until(lambda: not isinstance(app.screen, RateScreen), "one may leave it as it is")
        assert len(asked(written)) == 1


async def test_the_rate_is_not_offered_for_a_run_that_has_ended(cli_store: Path) -> None:
    completed(Store(cli_store))
    async with opened(Store(cli_store), size=(120, 40)) as (app, pilot):
        await until_shown(app, "✓ completed")
        await pilot.press("R", "S")
        await pilot.press("question_mark")
        await until_shown(app, "Esc closes")
        assert "learning rate of the run" not in shown(app)
        assert "R Rate" not in shown(app)


async def test_a_capital_s_stops_at_once_and_the_help_tells_it(written: WrittenRun) -> None:
    async with opened(Store(written.run.path.parent), size=(120, 60)) as (app, pilot):
        await until_shown(app, "● running")
        await pilot.press("question_mark")
        await until_shown(app, "Stop at once, without testing and saving")
        await pilot.press("escape", "S")
        await until(lambda: asked(written), "the worker is asked")
        await until_shown(app, "It ends without testing and saving.")
        (command,) = asked(written)
        assert isinstance(command, Stop)
        assert command.now


async def test_several_launched_together_are_asked_about_before_they_stop_at_once(cli_store: Path) -> None:
    members = [WrittenRun(Store(cli_store), seed=seed) for seed in (1, 2)]
    members[0].start()
    async with opened(Store(cli_store), size=(120, 40)) as (app, pilot):
        await until_shown(app, "● running", "1 of 2")
        await pilot.press("S")
        await until(lambda: isinstance(app.screen, StopScreen), "it asks")
        await until_shown(app, "at once, without testing")
        await pilot.press("y")
        await until(lambda: all(asked(each) for each in members), "both workers are asked")
        assert all(isinstance(command, Stop) and command.now for each in members for command in asked(each))
    for each in members:
        each.vanish()


async def test_a_change_of_long_ago_is_no_news_when_the_run_goes_on(cli_store: Path) -> None:
    written = WrittenRun(Store(cli_store))
    written.start()
    written.tell(CHANGED)
    run = written.finish("stopped")
    async with opened(Store(run.path.parent)) as (app, _):
        await until_shown(app, "■ stopped")
        log, lock = EventWriter(run.events_path), FileLock(run.lock_path)
        assert lock.acquire()
        log.append(events.RunRelaunched())
        await until_shown(app, "◌ waiting")
        log.append(msgspec.structs.replace(CHANGED, epoch=3, learning_rate=0.001))
        await until_shown(app, "Learning rate 0.0005 → 0.001")
        assert "from epoch 2" not in shown(app)
        lock.release()
        log.close()
