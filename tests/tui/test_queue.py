"""Waiting for a device: the place in line is told on the command line and in the app, and moves up with the line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import events
from engine.runs import Store
from engine.turns import Ticket
from tests.tui.app_harness import WrittenRun, opened, shown, until, until_shown
from tests.tui.cli_harness import on_terminal, printed, start
from tests.waiting import wait_for_event, wait_until


class Line:
    """Three runs: one that trains, one in line that is called `second`, and one at the end of the line."""

    def __init__(self, store: Store) -> None:
        self.training, self.second, self.last = (WrittenRun(store, name=name) for name in ("first", "second", "mine"))
        self.tickets = [Ticket.draw("cpu", each.run) for each in (self.training, self.second, self.last)]
        self.training.start()
        for each in (self.second, self.last):
            each.tell(events.DeviceAwaited(device="cpu"))

        self.live = [self.training, self.second, self.last]

    def cancel(self, written: WrittenRun) -> None:
        self.tickets[(self.training, self.second, self.last).index(written)].release()
        written.finish("stopped")
        self.live.remove(written)


@pytest.fixture
def line(cli_store: Path) -> Iterator[Line]:
    made = Line(Store(cli_store))
    yield made
    for written in made.live:
        written.vanish()
    for ticket in made.tickets:
        ticket.release()


def test_runs_and_show_tell_the_place_in_line(line: Line, capsys: pytest.CaptureFixture[str]) -> None:
    assert "waiting (2nd)" in printed(capsys, "runs")
    assert "waiting: 2nd in line for cpu, behind second\n" in printed(capsys, "show", "mine")
    assert json.loads(printed(capsys, "show", "--json", "mine"))["place"] == {
        "device": "cpu", "number": 2, "behind": "second",
    }  # fmt: skip
    assert [row["place"] and row["place"]["number"] for row in json.loads(printed(capsys, "runs", "--json"))] == [
        None, 1, 2,
    ]  # fmt: skip
    line.cancel(line.second)
    assert "waiting: 1st in line for cpu, behind first\n" in printed(capsys, "show", "mine")


def test_attach_follows_the_line(line: Line) -> None:
    attached = start("attach", "mine")
    assert attached.stderr is not None
    told = iter(attached.stderr.readline, "")
    assert "Waiting: 2nd in line for cpu, behind second\n" in told
    line.cancel(line.second)
    assert "Waiting: 1st in line for cpu, behind first\n" in told
    line.cancel(line.last)
    attached.communicate()
    assert attached.returncode == 0


def test_on_a_terminal_train_shows_the_place_and_an_interrupt_cancels_it(line: Line, cli_store: Path) -> None:
    child = on_terminal("train", "--device", "cpu", "--epochs", "1", columns=100)
    child.expect_exact("3rd in line for cpu, behind mine")
    child.sendintr()
    child.expect_exact("Stopped after 0 epochs")
    child.expect_exact("\r\n")
    child.wait()
    assert Store(cli_store).find("last").status() == "stopped"


def test_stop_cancels_a_waiting_run_at_once(line: Line, cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, "train", "--device", "cpu", "--detach")
    run = Store(cli_store).find("last")
    wait_for_event(run, events.DeviceAwaited)
    assert "does not train yet" in printed(capsys, "pause", "last")
    assert "stopped after 0 of 10 epochs" in printed(capsys, "stop", "last", "--now")
    assert run.status() == "stopped"


async def test_the_app_shows_the_place_on_both_screens_and_keeps_it_honest(line: Line) -> None:
    async with opened(Store(line.last.run.path.parent), size=(80, 24), open_run=line.last.run) as (app, pilot):
        await until_shown(app, "Waiting for its turn", "2nd in line for cpu, behind second")
        await pilot.press("2")
        await until_shown(app, "waiting #1", "waiting #2", "2nd in line for cpu, behind second")
        line.cancel(line.second)
        await until_shown(app, "1st in line for cpu, behind first")
        await until(lambda: "waiting #2" not in shown(app), "the line has moved up")


async def test_the_app_takes_a_waiting_run_out_of_the_line(
    line: Line, cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed(capsys, "train", "--device", "cpu", "--detach", "--name", "real")
    run = wait_until(lambda: Store(cli_store).find("real"), "it is there")
    wait_for_event(run, events.DeviceAwaited)
    async with opened(Store(cli_store), open_run=run) as (app, pilot):
        await until_shown(app, "3rd in line for cpu, behind mine", "s Stop")
        await pilot.press("s")
        await until_shown(app, "■ stopped")
