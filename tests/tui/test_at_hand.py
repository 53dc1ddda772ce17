"""Terminals that are too small, keys that walk, and a footer and a palette that are there when wanted."""

from __future__ import annotations

from textual.command import CommandPalette

from engine.runs import Store
from tests.tui.app_harness import completed, opened, until, until_shown
from tui.screens.too_small import TooSmallScreen
from tui.screens.tour import TourScreen
from tui.widgets.epoch_table import EpochTable
from tui.widgets.gallery import Gallery


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
            assert table.cursor == row, key
        await pilot.press("3")
        await until_shown(app, "wrong 7")
        gallery = app.screen.query_one(Gallery)
        for key, position in (("l", 1), ("j", 6), ("h", 5), ("g", 0), ("G", 6)):
            await pilot.press(key)
            assert gallery.cursor == position, key


async def test_no_key_in_the_footer_is_cut_off(store: Store) -> None:
    completed(store)
    async with opened(store, size=(80, 24)) as (app, pilot):
        await pilot.press("escape", "3")
        await until_shown(app, "wrong 7", "^p palette")
        await pilot.pause()
        keys = [key for key in app.screen.query("KeyBar > *") if key.display]
        palette = next(key for key in keys if key.has_class("-command-palette"))
        assert max(key.region.right for key in keys if key is not palette) <= palette.region.x
