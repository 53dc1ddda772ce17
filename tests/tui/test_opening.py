"""In a terminal the app first shows its layout in one piece, and loses no key while the Train screen is being made."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.runs import Store
from tests.tui.app_harness import cpu_only, driven, shown, until, until_shown
from tui.app import TerminalApp
from tui.memory import Memory
from tui.screens.help import HelpScreen
from tui.screens.opening import OpeningScreen


@pytest.fixture
def app(store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch) -> TerminalApp:
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    return TerminalApp(store, {}, probe=cpu_only)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (200, 60), (40, 9), (10, 3)])
async def test_the_boxes_stand_where_those_of_the_train_screen_will(
    app: TerminalApp, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpeningScreen, "make_way", lambda _: None)
    async with driven(app, size):
        first = shown(app).splitlines()
        assert isinstance(app.screen, OpeningScreen)
        assert len(first) == size[1]
        monkeypatch.undo()
        await app.screen.make_way()
        await until(lambda: app.current_mode == "train", "the Train screen is there")
    if size[0] >= 80:
        await_words = ("mnist-tui", "1 Train", "5 Model", "Setup", "loss", "accuracy", "run")
        assert all(word in "\n".join(first) for word in await_words)


async def test_keys_that_come_before_the_screen_are_handed_on(
    app: TerminalApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_way = OpeningScreen.make_way
    monkeypatch.setattr(OpeningScreen, "make_way", lambda _: None)
    async with driven(app, (120, 40)) as pilot:
        await pilot.press("2", "question_mark")
        opening = app.screen
        assert isinstance(opening, OpeningScreen)
        await make_way(opening)
        await until(lambda: isinstance(app.screen, HelpScreen), "the help is open")
        assert app.current_mode == "runs"


async def test_it_makes_way_by_itself(app: TerminalApp) -> None:
    async with driven(app, (120, 40)):
        await until_shown(app, "Optimizer", "No run yet")
        await until(lambda: app.dataset and app.reports, "it has looked around")


async def test_who_presses_a_key_before_the_tour_comes_needs_none(
    app: TerminalApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.memory = Memory(tmp_path / "state")
    make_way = OpeningScreen.make_way
    monkeypatch.setattr(OpeningScreen, "make_way", lambda _: None)
    async with driven(app, (120, 40)) as pilot:
        await pilot.press("2")
        opening = app.screen
        assert isinstance(opening, OpeningScreen)
        await make_way(opening)
        await until(lambda: app.runs is not None, "the store was looked at")
        await until(lambda: app.current_mode == "runs", "the key has done what it does")
        assert not app.screen.is_modal
        assert not app.memory.recall("tour")  # it is shown the next time
