"""Whatever the footer offers is in the command palette and in the help, and it all holds in ASCII and at any size."""

from __future__ import annotations

import re

import pytest
from textual.command import CommandPalette
from textual.widgets._footer import FooterKey

from engine.runs import Store
from tests.tui.app_harness import completed, opened, shown, until, until_shown
from tui.screens.help import HelpScreen
from tui.screens.too_small import TooSmallScreen
from tui.screens.tour import TourScreen
from tui.widgets.epoch_table import EpochTable
from tui.widgets.gallery import Gallery
from tui.widgets.mode_bar import MODE_TITLES


async def test_what_the_footer_offers_is_in_the_palette_and_in_the_help(store: Store) -> None:
    completed(store, name="a run")
    async with opened(store, size=(200, 60)) as (app, pilot):
        await until(lambda: app.snapshot and app.dataset and len(app.reports) == 2, "the app has looked around")
        for number, mode in enumerate(MODE_TITLES, start=1):
            await pilot.press("escape", str(number))
            await until(lambda mode=mode: app.current_mode == mode, f"{mode} is on display")  # type: ignore[misc]
            if mode == "mistakes":
                await until_shown(app, "wrong 7")
            await until(lambda: app.screen.query(FooterKey), "the footer has its keys")
            commands = {command.title for command in app.get_system_commands(app.screen)}
            footer = {key.action for key in app.screen.query(FooterKey)} - {"app.command_palette"}
            bindings = [one.binding for one in app.screen.active_bindings.values() if one.enabled and one.binding.show]
            offered = [binding for binding in bindings if any(action.endswith(binding.action) for action in footer)]
            assert len(offered) >= 2
            assert {binding.description for binding in offered} <= commands, mode
            await pilot.press("question_mark")
            assert isinstance(app.screen, HelpScreen)
            await pilot.pause()
            told = re.sub(r"[\s│▁-█]+", " ", shown(app))
            for binding in offered:
                words = binding.tooltip or binding.description
                assert f"{app.get_key_display(binding)} {words}" in told, f"{mode}: {words}"
            await pilot.press("escape")


async def test_in_ascii_nothing_else_is_drawn(store: Store) -> None:
    completed(store, name="a run", epochs=30)
    async with opened(store, size=(80, 24), ascii=True) as (app, pilot):
        await until(lambda: app.snapshot and app.dataset and len(app.reports) == 2, "the app has looked around")
        for number, mode in enumerate(MODE_TITLES, start=1):
            await pilot.press("escape", str(number))
            await until(lambda mode=mode: app.current_mode == mode, f"{mode} is on display")  # type: ignore[misc]
            await pilot.pause()
            assert shown(app).isascii(), mode
        for key in ("question_mark", "f2", "ctrl+p"):
            await pilot.press(key)
            await pilot.pause()
            assert shown(app).isascii(), key
            await pilot.press("escape")


async def test_too_small_a_terminal_gets_a_sentence_until_it_grows(store: Store) -> None:
    async with opened(store, size=(80, 24)) as (app, pilot):
        await until_shown(app, "No run yet")
        focused = app.focused
        for size in ((60, 20), (40, 10)):
            await pilot.resize_terminal(*size)
            await until_shown(app, f"{size[0]} × {size[1]}", "q to quit")
            assert isinstance(app.screen, TooSmallScreen)
        await pilot.resize_terminal(80, 24)
        await until_shown(app, "No run yet")
        assert app.focused is focused
        await pilot.resize_terminal(79, 24)
        await until_shown(app, "are needed")
        await pilot.press("q")
    assert app.return_code == 0


async def test_the_palette_takes_the_tours_place(store: Store) -> None:
    async with opened(store) as (app, pilot):
        await pilot.press("f2")
        assert isinstance(app.screen, TourScreen)
        await pilot.press("ctrl+p")
        assert isinstance(app.screen, CommandPalette)
        await pilot.press("escape")
        assert not app.screen.is_modal


async def test_vim_keys_walk_tables_and_galleries(store: Store) -> None:
    completed(store, epochs=3)
    async with opened(store, size=(80, 24)) as (app, pilot):
        table = app.screen.query_one(EpochTable)
        await until(lambda: table.row_count == 3, "the epochs are there")
        table.focus()
        for key, row in (("g", 0), ("j", 1), ("G", 2), ("k", 1)):
            await pilot.press(key)
            assert table.cursor_row == row, key
        await pilot.press("3")
        await until_shown(app, "wrong 7")
        gallery = app.screen.query_one(Gallery)
        for key, position in (("l", 1), ("j", 6), ("h", 5), ("g", 0), ("G", 6)):
            await pilot.press(key)
            assert gallery.cursor == position, key


@pytest.mark.parametrize("width", [80, 97])
async def test_no_key_in_the_footer_is_cut_off(store: Store, width: int) -> None:
    completed(store)
    async with opened(store, size=(width, 24)) as (app, pilot):
        await pilot.press("escape", "3")
        await until_shown(app, "wrong 7", "^p palette")
        await pilot.pause()
        keys = [key for key in app.screen.query("KeyBar > *") if key.display]
        palette = next(key for key in keys if key.has_class("-command-palette"))
        assert max(key.region.right for key in keys if key is not palette) <= palette.region.x
