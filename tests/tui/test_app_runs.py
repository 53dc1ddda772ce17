"""The Runs screen: every run of the store, opened and deleted by keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.synthetic import write_run
from engine.eventlog import EventWriter
from engine.events import RunRelaunched
from engine.locks import FileLock
from engine.runs import Store
from tests.tui.app_harness import WrittenRun, completed, opened, shown, until, until_shown
from tui.screens.confirm import ConfirmScreen
from tui.screens.runs import RunTable


@pytest.fixture
def store(store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store of a user whose dataset has 120 images to train and 50 to test."""
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    return store


async def test_without_runs_it_says_how_to_make_one(store: Store) -> None:
    async with opened(store) as (app, pilot):
        await pilot.press("2")
        await until_shown(app, "No runs yet. Press 1, then t")


async def test_runs_are_listed_with_what_became_of_them_and_kept_up_to_date(store: Store) -> None:
    completed(store, name="first try")
    written = WrittenRun(store)
    async with opened(store, size=(80, 24)) as (app, pilot):
        await pilot.press("2")
        await until_shown(app, "✓ completed", "first try", "98.00 %", "3/3", "0:09", "◌ waiting", written.run.id)
        written.start()
        written.epoch(1)
        await until_shown(app, "● running", "1/3", "96.00 %")
        written.vanish()
        await until_shown(app, "! crashed")


async def test_enter_opens_the_chosen_run(store: Store) -> None:
    completed(store)
    completed(store)
    old, new = store.runs()
    async with opened(store) as (app, pilot):
        await until(lambda: app.snapshot and app.snapshot.run.id == new.id, "the newest run is on display")
        await pilot.press("2")
        await until_shown(app, old.id, "x Delete")
        await pilot.press("down", "enter")
        await until(lambda: app.snapshot and app.snapshot.run.id == old.id, "the old run is on display")
        assert app.current_mode == "train"


async def test_deleting_asks_first(store: Store) -> None:
    completed(store)
    async with opened(store) as (app, pilot):
        await pilot.press("2")
        await until_shown(app, "✓ completed", "x Delete")
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, ConfirmScreen), "it asks")
        await pilot.press("enter")
        await until(lambda: not isinstance(app.screen, ConfirmScreen), "the answer is to keep it")
        assert len(store.runs()) == 1
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, ConfirmScreen), "it asks again")
        await pilot.press("y")
        await until(lambda: not store.runs(), "the run is deleted")
        await until_shown(app, "No runs yet")


async def test_a_live_run_is_not_deleted(store: Store) -> None:
    written = WrittenRun(store)
    async with opened(store) as (app, pilot):
        await pilot.press("2")
        await until_shown(app, "◌ waiting", "x Delete")
        await pilot.press("x")
        await until_shown(app, "Run is live")
        assert not isinstance(app.screen, ConfirmScreen)
    written.vanish()


async def test_a_run_whose_settings_are_damaged_is_listed_and_explained(store: Store) -> None:
    run = completed(store)
    run.config_path.write_text("{")
    async with opened(store) as (app, pilot):
        await until_shown(app, "Run not readable")
        await pilot.press("2")
        await until_shown(app, run.id)


async def test_a_store_that_cannot_be_read_is_told(store: Store) -> None:
    store.path.write_text("not a folder")
    async with opened(store) as (app, pilot):
        await pilot.press("2")
        await until(lambda: "Store cannot be read" in shown(app), "the store's problem is told")


async def test_with_thousands_of_runs_the_newest_come_first_and_the_others_after_them(store: Store) -> None:
    first = write_run(store.path, 0, epochs=2, steps=2)
    for number in range(1, 1000):
        newest = write_run(store.path, number, epochs=2, steps=2)
    async with opened(store) as (app, pilot):
        await pilot.press("2")
        await until_shown(app, newest.id, "1,000 runs")
        await until(lambda: app.screen.query_one(RunTable).row_count == 1000, "all have a row")
        await pilot.press("ctrl+end")
        await until_shown(app, first.id)


async def test_a_run_that_had_ended_is_followed_when_it_goes_on(store: Store) -> None:
    completed(store)
    ended = completed(store)
    async with opened(store) as (app, pilot):
        await pilot.press("2")
        await until_shown(app, ended.id, "✓ completed")
        log = EventWriter(ended.events_path)
        lock = FileLock(ended.lock_path)
        assert lock.acquire()
        log.append(RunRelaunched())
        await until_shown(app, "◌ waiting")
        lock.release()
        log.close()
