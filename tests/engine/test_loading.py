"""A worker that is busy loading ends at once when it is asked to stop, and only then."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from engine import commands, events
from engine.control import Control
from engine.loading import LoadingWatch
from tests.waiting import wait_until


class Left:
    """Notes that the process would have ended."""

    def __init__(self) -> None:
        self.happened = threading.Event()

    def __call__(self) -> None:
        self.happened.set()


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """The file in which the user's commands come."""
    return tmp_path / "commands.jsonl"


def send(path: Path, command: commands.AnyCommand) -> None:
    """Ask for something."""
    with path.open("ab") as file:
        file.write(commands.encode(command))


def tell(watch: LoadingWatch, leave: Left, event: events.AnyEvent) -> None:
    """Write an event."""
    with watch.telling(event, leave):
        pass


def test_a_stop_while_loading_ends_the_process(asked: Path) -> None:
    watch, leave = LoadingWatch(Control(asked)), Left()
    tell(watch, leave, events.Preparing(stage="framework"))
    send(asked, commands.Pause())
    send(asked, commands.Stop())
    wait_until(leave.happened.is_set, "the process ends")


def test_a_signal_while_loading_ends_the_process(asked: Path) -> None:
    watch, leave = LoadingWatch(Control(asked)), Left()
    tell(watch, leave, events.Preparing(stage="first_step"))
    watch.stop()
    wait_until(leave.happened.is_set, "the process ends")


def test_from_the_first_step_on_the_training_loop_stops_itself(asked: Path) -> None:
    watch, leave = LoadingWatch(Control(asked)), Left()
    tell(watch, leave, events.Preparing(stage="first_step"))
    thread = next(one for one in threading.enumerate() if one.name == "loading" and one.is_alive())
    tell(watch, leave, events.CommandApplied(command="pause", epoch=1, step=1))
    send(asked, commands.Stop())
    thread.join()
    assert not leave.happened.is_set()


def test_while_an_event_is_written_nothing_ends(asked: Path) -> None:
    watch, leave = LoadingWatch(Control(asked)), Left()
    tell(watch, leave, events.Preparing(stage="images"))
    with watch.telling(events.Preparing(stage="framework"), leave):
        send(asked, commands.Stop())
        assert not leave.happened.wait(0.2)
    wait_until(leave.happened.is_set, "the process ends")
