"""Who opens the app for the first time is shown three sentences, once; and what was chosen is remembered."""

from __future__ import annotations

from pathlib import Path

from engine.runs import Store
from tests.tui.app_harness import completed, opened, until, until_shown
from tui.app import MnistApp
from tui.memory import Memory
from tui.screens.help import HelpScreen
from tui.screens.tour import TourScreen
from tui.widgets.setup_field import SetupField


async def test_the_tour_is_shown_once_and_a_key_goes_through_it(store: Store, tmp_path: Path) -> None:
    memory = Memory(tmp_path / "state")
    async with opened(store, memory=memory) as (app, pilot):
        await until_shown(app, "Welcome to mnist-tui", "F2 shows this again")
        app.screen_stack[0].query_one("#set-epochs").focus()
        await pilot.press("7")
        assert not isinstance(app.screen, TourScreen)
        await until(lambda: app.screen.query_one("#field-epochs", SetupField).value == "7", "the digit was typed")
        await pilot.press("f2")
        assert isinstance(app.screen, TourScreen)
        await pilot.press("enter")
        assert not isinstance(app.screen, TourScreen)
        await pilot.press("escape", "2")
        await until(lambda: app.current_mode == "runs", "the Runs screen is there")
    await until(lambda: memory.recall("tour"), "it is known that the tour was seen")
    async with opened(store, memory=memory) as (app, _):
        await until_shown(app, "No run yet")
        await until(lambda: app.runs is not None, "the store was looked at")
        assert not isinstance(app.screen, TourScreen)


async def test_who_has_runs_needs_no_tour(store: Store, tmp_path: Path) -> None:
    completed(store)
    async with opened(store, memory=Memory(tmp_path)) as (app, _):
        await until(lambda: app.runs, "the runs are known")
        assert not isinstance(app.screen, TourScreen)


async def test_the_theme_that_was_chosen_is_kept(store: Store, tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    async with opened(store, memory=memory, settings={"theme": "nord"}) as (app, _):
        assert not memory.recall("theme")
        app.theme = "mnist-light"
        await until(lambda: memory.recall("theme") == "mnist-light", "the theme is kept")


def colors(app: MnistApp) -> list[tuple[str, str, str]]:
    """Return the colours of every widget of all screens."""
    widgets = [widget for screen in app._screens() for widget in screen.walk_children(with_self=True)]
    return [(repr(widget), widget.styles.background.hex, widget.styles.color.hex) for widget in widgets]


async def test_another_theme_is_taken_over_by_all_screens_as_if_it_had_been_there_from_the_start(store: Store) -> None:
    completed(store)
    seen = []
    for first, last in (("nord", "nord"), ("mnist-dark", "nord")):
        async with opened(store, settings={"theme": first}) as (app, pilot):
            await until_shown(app, "✓ completed")
            await pilot.press("2")
            await until_shown(app, "test acc")
            await pilot.press("question_mark")
            await until(lambda: isinstance(app.screen, HelpScreen), "the help lies over the runs")
            seen.append(colors(app))
            app.theme = last
            await until(lambda: len(seen) == 1 or colors(app) == seen[0], "all have the colours of the theme")
    assert seen[0] != seen[1]


def test_a_folder_that_cannot_be_used_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = Memory(tmp_path / "file")
    memory._write("tour", "shown")
    assert memory.recall("tour") == ""
