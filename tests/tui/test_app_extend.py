"""A complete run is trained for more epochs: the question on Train and on Runs, with keys alone on a small screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import RunError
from engine.runs import Run, Store
from tests.tui.app_harness import completed, opened, shown, until, until_shown
from tui import control
from tui.jobs import JobFailed
from tui.screens.extend import ExtendScreen

Asked = list[tuple[Any, ...]]


@pytest.fixture
def store(store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store of a user whose dataset has 120 images to train and 50 to test."""
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    return store


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What would have been relaunched: no worker is started here."""
    calls: Asked = []

    def relaunch(run: Run, *wanted: Any) -> JobFailed:
        calls.append((run.id, *wanted))
        return JobFailed(RunError("Not started", "There is no worker in this test."))

    monkeypatch.setattr(control, "relaunch_run", relaunch)
    return calls


@pytest.mark.parametrize("screen", ["1", "2"])
async def test_with_a_constant_rate_it_asks_for_the_number_alone(store: Store, asked: Asked, screen: str) -> None:
    run = completed(store)
    async with opened(store, size=(80, 24)) as (app, pilot):
        await until_shown(app, "✓ completed")
        await pilot.press(screen)
        await until_shown(app, "r More epochs" if screen == "1" else "▸")
        await pilot.press("r")
        await until_shown(app, "has trained 3 epochs", "6 epochs in all. The learning rate stays 0.01.")
        assert "schedule" not in shown(app)
        await pilot.press("backspace", "x")
        await until_shown(app, "Epochs must be a whole number")
        await pilot.press("enter")
        assert isinstance(app.screen, ExtendScreen), "a number that does not fit is not taken"
        await pilot.press("backspace", "5", "enter")
        await until(lambda: asked, "the run goes on")
        assert asked == [(run.id, 8, "hold")]


async def test_with_a_schedule_it_asks_what_the_rate_does_and_says_what_comes_of_it(store: Store, asked: Asked) -> None:
    run = completed(store, schedule="onecycle")
    async with opened(store, size=(80, 24)) as (app, pilot):
        await until_shown(app, "✓ completed")
        await pilot.press("r")
        await until_shown(app, "Hold the last learning rate", "That changes little.")
        await pilot.press("tab", "enter", "down", "enter")
        await until_shown(app, "Restart the onecycle schedule", "a onecycle schedule of", "up to 0.01.")
        await pilot.press("tab", "enter")
        await until(lambda: asked, "the run goes on")
        assert asked == [(run.id, 6, "restart")]


async def test_it_can_be_left_and_is_offered_for_complete_runs_only(store: Store, asked: Asked) -> None:
    completed(store)
    async with opened(store) as (app, pilot):
        await until_shown(app, "✓ completed")
        await pilot.press("r")
        await until(lambda: isinstance(app.screen, ExtendScreen), "it asks")
        await pilot.press("escape")
        await until(lambda: not isinstance(app.screen, ExtendScreen), "it is left")
        assert asked == []
