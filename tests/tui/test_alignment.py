"""What belongs together on a screen starts in the same column, and nothing covers what is live."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Collapsible, Select

from engine.runs import Store
from tests.tui.app_harness import WrittenRun, completed, opened, shown, until, until_shown
from tui.widgets.epoch_table import EpochTable

SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.fixture
def store(store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store of a user whose dataset has 120 images to train and 50 to test."""
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    return store


def column_of(text: str, beside: str, screen: str) -> int:
    """Return the column where `text` starts on the line that has `beside` in it."""
    (line,) = (line for line in screen.splitlines() if beside in line and text in line)
    return line.index(text)


async def test_lists_boxes_and_values_of_the_form_start_in_one_column(store: Store) -> None:
    async with opened(store, size=(120, 60)) as (app, _):
        await until_shown(app, "Optimizer", "Seed")
        app.screen.query_one(Collapsible).collapsed = False
        await until_shown(app, "Shuffle")
        value = column_of("64", "Batch", shown(app))
        assert column_of("[x] on", "Shuffle", shown(app)) == value
        assert column_of("adam ", "Optimizer", shown(app)) == value
        app.screen.query_one("#set-optimizer", Select).expanded = True
        await until_shown(app, " nesterov")
        assert column_of("nesterov", " nesterov", shown(app)) == value


@pytest.mark.parametrize("size", SIZES)
async def test_the_epochs_stand_below_their_headings_and_inside_their_box(store: Store, size: tuple[int, int]) -> None:
    completed(store, epochs=3)
    async with opened(store, size=size) as (app, _):
        await until_shown(app, "✓ completed", "test loss")
        await until(lambda: app.screen.query_one(EpochTable).row_count == 3, "the epochs are listed")
        lines = shown(app).splitlines()
        top = next(number for number, line in enumerate(lines) if "test loss" in line)
        left = app.screen.query_one(EpochTable).region.x
        heading, *rows = (line[left:] for line in lines[top : top + 4])
        for title in ("test loss", "test acc"):
            end = heading.index(title) + len(title)
            assert all(row[end - 1].isdigit() and row[end] == " " for row in rows)
        assert rows[2].startswith("★")
        assert all(line[1] == " " for line in (heading, *rows)), "the first column has a margin"
        assert rows[0].rstrip("│").endswith(" "), "the last one too"


@pytest.mark.parametrize("size", SIZES)
async def test_notices_leave_the_progress_of_a_run_in_sight(store: Store, size: tuple[int, int]) -> None:
    written = WrittenRun(store)
    written.start()
    written.step(1, 4)
    async with opened(store, size=size) as (app, _):
        await until_shown(app, "● running", "ETA")
        progress = app.screen.query_one("#progress").region
        app.notify("A notice of some length, which takes two lines or even more of them.", title="Something")
        await until(lambda: app.screen.query("Toast"), "the notice is there")
        toast = app.screen.query("Toast").first()
        await until(lambda: toast.region.area, "it is on the screen")
        assert not toast.region.overlaps(progress)
        assert not any(toast.region.overlaps(chart.region) for chart in app.screen.query("Chart"))
    written.vanish()
