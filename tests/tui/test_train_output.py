"""The Train screen's log pane: the worker's own words, followed, cleaned, and only the end of a long log."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.postmortem import TAIL_BYTES, WORKER_STARTED
from engine.runs import Store
from tests.tui.app_harness import WrittenRun, opened, shown, until, until_shown
from tui.widgets.epoch_table import EpochTable
from tui.widgets.log_pane import LogPane


@pytest.fixture
def store(store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store of a user whose dataset has 120 images to train and 50 to test."""
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    return store


async def test_its_key_shows_what_the_worker_prints_and_follows_it_until_it_is_hidden(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    with written.run.log_path.open("w") as log:
        log.write(f"{WORKER_STARTED} 2026-11-24 07:00:00\n")
        log.flush()
        async with opened(store, size=(80, 24)) as (app, pilot):
            await until_shown(app, "● running")
            await pilot.press("o")
            await until_shown(app, "The worker has printed nothing.")
            log.write("loading [b]\x1b[31mthings\x1b[0m\n1/9\r9/9\n" + "long " * 20 + "end\n")
            log.flush()
            await until_shown(app, "loading [b]things", "1/9", "9/9", "end")
            assert "printed nothing" not in shown(app)
            log.write("".join(f"line {number}\n" for number in range(50)))
            log.flush()
            await until_shown(app, "line 49")
            await pilot.press("home")
            await until_shown(app, WORKER_STARTED)
            pane = app.screen.query_one(LogPane)
            lines = len(pane.lines)
            log.write("more\n")
            log.flush()
            await until(lambda: len(pane.lines) == lines + 1, "the line is there")
            assert "more" not in shown(app)  # who scrolls up wants to read there
            await pilot.press("o")
            await until(lambda: "line" not in shown(app), "the pane is gone")
            assert app.focused is app.screen.query_one(EpochTable)
    written.vanish()


async def test_of_the_long_log_of_a_crashed_run_it_shows_the_end(store: Store) -> None:
    written = WrittenRun(store)
    written.run.log_path.write_text("first\n" + "x" * TAIL_BYTES + "\nlast words\n")
    written.vanish()
    async with opened(store) as (app, pilot):
        await until_shown(app, "! crashed")
        await pilot.press("o")
        await until_shown(app, "worker.log, the last 64 kB")
        await until(lambda: list(app.screen.query_one(LogPane).lines) == ["last words"], "only whole lines are shown")


async def test_escape_closes_it_and_what_is_behind_it_keeps_its_look(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    async with opened(store, size=(80, 24)) as (app, pilot):
        await until_shown(app, "● running")
        await pilot.press("o")
        await until_shown(app, "esc Close output")
        await pilot.press("L", "escape")
        await until(lambda: "Close output" not in shown(app), "the pane is gone")
        assert "log scale" not in shown(app)
    written.vanish()
