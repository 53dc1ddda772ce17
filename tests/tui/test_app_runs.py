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
from tui.snapshot import RunReplay


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


async def test_runs_are_found_sorted_and_labelled_by_keys(store: Store) -> None:
    completed(store, epochs=2, name="first try")
    completed(store, epochs=5, name="[b]second[/] try", schedule="cosine")
    completed(store, epochs=3)
    nameless = store.runs()[2]
    async with opened(store, size=(120, 40)) as (app, pilot):
        await pilot.press("2")
        await until_shown(app, "created ▼", "newest first", "96-100.0 %", "torch-3", nameless.id)
        await until_shown(app, "▁▂▂▄█", "▁▂ ")  # on one scale
        await pilot.press(">", ">", ">", ">")  # status, run, name, schedule
        await until_shown(app, "schedule ▲", "schedule, A to Z")
        table = app.screen.query_one(RunTable)
        assert [one.name for one in table.runs][-1] == "[b]second[/] try"
        await pilot.press(">")
        await until_shown(app, "epochs▼", "epochs, highest first")
        assert [len(one.progress.epochs) for one in table.runs] == [5, 3, 2]
        await pilot.press("i")
        await until(lambda: [len(one.progress.epochs) for one in table.runs] == [2, 3, 5], "the order is turned round")
        await pilot.press("/", *"TRY seco")
        await until_shown(app, "1 of 3 runs")
        assert [one.name for one in table.runs] == ["[b]second[/] try"]
        await pilot.press(*" nowhere")
        await until_shown(app, "No run has “TRY seco nowhere” in it")
        await pilot.press("escape")
        await until_shown(app, "▸  ✓ completed", "3 runs in")
        await pilot.press("end", "up", "N")
        await until_shown(app, f"What is run {nameless.id} to be called?")
        await pilot.press(*"last")
        await until_shown(app, "means the newest run wherever")
        await pilot.press("enter", *" [b]one", "enter")
        await until_shown(app, "last [b]one")
        await pilot.press("a", *"too slow", "enter")
        await until_shown(app, "Note  too slow")
        await pilot.press("/", *"slow", "enter")
        await until_shown(app, "1 of 3 runs")
    assert (nameless.name, nameless.labels.note, nameless.config.name) == ("last [b]one", "too slow", "")


async def test_marked_runs_are_compared(store: Store) -> None:
    for seed in (1, 2):
        completed(store, epochs=2, seed=seed, name=f"seed {seed}")
    completed(store, epochs=3, seed=1, learning_rate=0.5, name="fast")
    async with opened(store, size=(120, 40)) as (app, pilot):
        await pilot.press("2")
        await until_shown(app, "seed 1", "fast")
        await pilot.press("space")
        await until_shown(app, "1 marked")
        await pilot.press("m")
        await until_shown(app, "fast is marked. Mark another run with Space.")
        await pilot.press("down", "space", "down", "space", "up")
        await until_shown(app, "3 marked", "m Compare")
        await pilot.press("m")
        await until_shown(
            app, "3 runs compared", "B C: test", " 98.00 %  ", "Trained: A B C with mnist-tui's fused kernels"
        )
        await until_shown(app, "differ by no more than chance: 98.00 % and 97.00 % of", "2 seeds", "Learning rate")
        text = shown(app)
        assert "B C: test accuracy 0.9700 ± 0.0000 over 2 seeds" in text
        settings = text[text.index("setting ") :].splitlines()[1:4]
        assert [line.strip("│ ").split() for line in settings] == [
            ["Epochs", "3", "2", "2"],
            ["Learning", "rate", "0.5", "0.01", "0.01"],
            ["Seed", "1", "2", "1"],
        ]
        assert [line.split()[2] for line in text.splitlines() if "✓" in line and " 98.00 %" in line] == ["A"]
        await pilot.press("escape")
        await until_shown(app, "3 marked")
        await pilot.press("escape")
        await until(lambda: "3 marked" not in shown(app), "the marks are taken away")


async def test_a_run_s_settings_fill_the_form(store: Store) -> None:
    run = completed(store, epochs=7, name="mine", seed=5, preset_name="tensorflow-tutorial", momentum=0.5)
    async with opened(store, size=(120, 40)) as (app, pilot):
        await until(lambda: app.config, "the form is read")
        await pilot.press("2")
        await until_shown(app, "mine")
        await pilot.press("f")
        await until(lambda: app.current_mode == "train", "the form is shown")
        await until(lambda: app.config == run.config.replace(name=""), "all settings but the name are taken over")


async def test_marked_runs_are_deleted_together_but_not_a_live_one(store: Store) -> None:
    for name in ("one", "two", "three"):
        completed(store, name=name)
    written = WrittenRun(store)
    async with opened(store) as (app, pilot):
        await pilot.press("2")
        await until_shown(app, "three", "◌ waiting")
        await pilot.press("space", "down", "space", "down", "space", "x")
        await until(lambda: isinstance(app.screen, ConfirmScreen), "it asks")
        assert "Delete 2 runs with their checkpoints" in shown(app)
        assert all(f"“{run.name}” ({run.id})" in shown(app) for run in store.runs() if run.name in ("two", "three"))
        await pilot.press("y")
        await until(lambda: len(store.runs()) == 2, "those that have ended are deleted")
        await until_shown(app, "2 runs in", "1 marked")
    assert [run.label for run in store.runs()] == ["one", written.run.id]
    written.vanish()


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


async def test_a_store_that_can_be_read_again_is_shown_again(store: Store) -> None:
    made = completed(store)
    async with opened(store) as (app, pilot):
        await pilot.press("2")
        await until_shown(app, made.id)
        aside = store.path.rename(store.path.with_name("aside"))
        for _ in range(2):  # and the same trouble is told a second time
            store.path.write_text("not a folder")
            await until(lambda: app.store_problem, "there is a problem")
            await until(lambda: made.id not in shown(app), "no runs are listed")
            store.path.unlink()
            aside.rename(store.path)
            await until(lambda: not app.store_problem, "the trouble is over")
            await until_shown(app, made.id)
            store.path.rename(aside)


def test_a_run_whose_log_cannot_be_read_for_a_while_stays_as_it_was_and_is_followed_on(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    written.epoch(1)
    replay = RunReplay(written.run)
    replay.update()
    log = written.run.events_path
    aside = log.rename(log.with_name("aside"))
    log.mkdir()
    replay.update()
    assert (replay.snapshot.status, len(replay.snapshot.progress.epochs)) == ("running", 1)
    log.rmdir()
    aside.rename(log)
    written.epoch(2)
    replay.update()
    assert len(replay.snapshot.progress.epochs) == 2
    written.vanish()


async def test_escape_leaves_the_keys_to_the_list(store: Store) -> None:
    completed(store)
    completed(store)
    async with opened(store) as (app, pilot):
        await pilot.press("2")
        await until(lambda: app.screen.query_one(RunTable).row_count == 2, "the runs are listed")
        await pilot.press("escape", "escape", "down")
        assert app.screen.query_one(RunTable).cursor == 1
