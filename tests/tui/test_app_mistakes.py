"""The Mistakes screen: what the run on display gets wrong, or why that cannot be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.data import Dataset
from engine.evaluation import predictions_path
from engine.runs import Store
from tests.conftest import write_idx
from tests.tui.app_harness import WrittenRun, completed, opened, until, until_shown
from tui.app import MnistApp
from tui.datasets import dataset_at
from tui.widgets.digit import Digit
from tui.widgets.mistake_list import MistakeList
from tui.widgets.probabilities import Probabilities


@pytest.fixture
def store(store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store of a user whose dataset has 120 images to train and 50 to test."""
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    return store


def chosen(app: MnistApp) -> int:
    mistake = app.screen.query_one(MistakeList).chosen
    return mistake.index if mistake else -1


async def test_without_a_run_it_says_what_to_do(store: Store) -> None:
    async with opened(store) as (app, pilot):
        await pilot.press("3")
        await until_shown(app, "No run on display", "Press 1 and then t")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_most_wrong_digit_comes_first_and_large(store: Store, size: tuple[int, int]) -> None:
    completed(store)
    async with opened(store, size=size) as (app, pilot):
        await until_shown(app, "✓ completed")
        await pilot.press("3")
        # Of the seven that are wrong after the last epoch, the network is the surest of image 6, which is a 6.
        await until_shown(app, "after epoch 3 of 3", "7 of 50 wrong (14.00 %)", "test image 6", "It is 6")
        digit, probabilities = app.screen.query_one(Digit), app.screen.query_one(Probabilities)
        assert (digit.image == dataset_at("").test_images[6]).all()
        assert (probabilities.label, probabilities.answer) == (6, 7)
        assert sum(probabilities.probabilities) == pytest.approx(1, abs=0.01)
        for widget in (digit, probabilities):
            await until(lambda widget=widget: widget.region in app.screen.region, f"{widget} is wholly on the screen")


async def test_arrows_choose_a_digit_and_an_epoch_and_a_key_the_order(store: Store) -> None:
    completed(store)
    async with opened(store) as (app, pilot):
        await until_shown(app, "✓ completed")
        await pilot.press("3")
        await until(lambda: chosen(app) == 6, "the most wrong is chosen")
        await pilot.press("down")
        await until_shown(app, "test image 5")
        await pilot.press("left")
        await until_shown(app, "after epoch 2 of 3", "8 of 50 wrong")
        assert chosen(app) == 5
        await pilot.press("o", "o")
        await until_shown(app, "by image")
        await pilot.press("home")
        await until(lambda: chosen(app) == 0, "the first image is chosen")
        await pilot.press("end")
        await until(lambda: chosen(app) == 7, "the last mistake is chosen")


async def test_it_follows_a_live_run_from_before_its_first_predictions(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    async with opened(store) as (app, pilot):
        await until_shown(app, "● running")
        await pilot.press("3")
        await until_shown(app, "No predictions yet")
        written.epoch(1, wrong=9)
        await until_shown(app, "after epoch 1 of 1", "9 of 50 wrong")
        written.epoch(2, wrong=4)
        await until_shown(app, "after epoch 2 of 2", "4 of 50 wrong")
        written.epoch(3, wrong=0)
        await until_shown(app, "Not a single mistake")
    written.vanish()


async def test_a_run_that_ended_before_its_first_epoch_has_none(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    written.finish("stopped")
    async with opened(store) as (app, pilot):
        await until_shown(app, "■ stopped")
        await pilot.press("3")
        await until_shown(app, "has no predictions")


async def test_damaged_predictions_are_told_and_other_epochs_still_shown(store: Store) -> None:
    run = completed(store)
    predictions_path(run.predictions_path, 3).write_bytes(b"PK\x03\x04 not an archive")
    async with opened(store) as (app, pilot):
        await until_shown(app, "✓ completed")
        await pilot.press("3")
        await until_shown(app, "Predictions damaged")
        await pilot.press("left")
        await until_shown(app, "8 of 50 wrong")


async def test_a_dataset_that_is_gone_or_another_one_is_told(store: Store, tmp_path: Path, sketches: Dataset) -> None:
    folder = write_idx(tmp_path / "mine", sketches)
    completed(store, data=str(folder))
    labels = folder / "t10k-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:-1] + b"\x05")
    async with opened(store) as (app, pilot):
        await until_shown(app, "✓ completed")
        await pilot.press("3")
        await until_shown(app, "Another dataset")
    gone = completed(store, data=str(tmp_path / "nowhere"))
    async with opened(store, open_run=gone) as (app, pilot):
        await until_shown(app, "✓ completed")
        await pilot.press("3")
        await until_shown(app, "nowhere")
