"""The Model screen: what the network of the run on display has learnt, and what it makes of a test image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.checkpoint import LAST
from engine.evaluation import log_softmax
from engine.runs import Store
from tests.reference import ReferenceLearner, State
from tests.tui.app_harness import WrittenRun, opened, shown, until, until_shown
from tui.app import MnistApp
from tui.datasets import dataset_at
from tui.widgets.digit import Digit
from tui.widgets.plates import Plates
from tui.widgets.probabilities import Probabilities
from tui.widgets.signed import short


@pytest.fixture
def store(store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store of a user whose dataset has 120 images to train and 50 to test."""
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    return store


def first_weight(state: State) -> str:
    """The number in the first cell of the first filter."""
    return short(float(state["conv1.weight"][0, 0, 0, 0]))


def first_cell(app: MnistApp) -> str:
    plates = app.screen.query_one("#filters Plates", Plates).plates
    return plates[0].pictures[0][0].text[:4] if plates else ""


async def test_the_first_filters_follow_a_run_while_it_trains(store: Store) -> None:
    written = WrittenRun(store, name="mine")
    written.start()
    async with opened(store) as (app, pilot):
        await pilot.press("5")
        await until_shown(app, "No checkpoint yet")
        before = first_weight(written.save_checkpoint(epoch=1))
        await until_shown(app, "conv1 of mine", "after epoch 1", "filter 4", before)
        after = first_weight(written.save_checkpoint(epoch=2, seed=5))
        await until_shown(app, "after epoch 2")
        assert before != after == first_cell(app)
    written.vanish()


async def test_a_digit_is_followed_through_the_network(store: Store) -> None:
    written = WrittenRun(store, model="cnn")
    written.start()
    state = written.save_checkpoint(epoch=1)
    written.finish()
    async with opened(store, size=(200, 60)) as (app, pilot):
        await pilot.press("5")
        await until_shown(app, "the form is set to cnn-bn", "test image 0", "relu2 · 4 filters")
        await pilot.press("]", "+")
        dataset = dataset_at("")
        index = int(np.flatnonzero(dataset.test_labels == 1)[1])
        await until_shown(app, f"test image {index} · 1", "26×26 numbers each", "11×11 numbers each")
        assert (app.screen.query_one("#digit Digit", Digit).image == dataset.test_images[index]).all()
        learner = ReferenceLearner(written.config, dataset.train_images, dataset.train_labels)
        learner.load_state(state)
        expected = np.exp(log_softmax(learner.predict(dataset.test_images[index : index + 1])))[0]
        assert app.screen.query_one(Probabilities).probabilities == pytest.approx(expected.tolist(), abs=1e-4)


async def test_it_says_why_there_is_nothing_to_look_into(store: Store) -> None:
    async with opened(store, size=(80, 24)) as (app, pilot):
        await pilot.press("5", "tab")
        await until_shown(app, "No run on display", "Press 1 and then t")
        ended = WrittenRun(store)
        ended.start()
        app.open_run(ended.finish("stopped"))
        await until_shown(app, "ended before its first checkpoint", "Press 2")
        damaged = WrittenRun(store)
        damaged.start()
        damaged.save_checkpoint(epoch=1)
        (damaged.run.path / LAST).write_bytes(b"nothing of the kind")
        app.open_run(damaged.finish())
        await until_shown(app, "No checkpoint loads.", "Start the training anew")
        assert shown(app).count("cannot be read") == 1


async def test_layers_filters_and_digit_are_seen_together_or_a_key_away(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    written.save_checkpoint(epoch=1)
    written.finish()
    sizes = {
        (80, 24): [["layers"], ["filters"], ["digit"]],
        (120, 40): [["layers", "filters"], ["layers", "filters"], ["digit"]],
        (200, 60): [["layers", "filters", "digit"]] * 3,
    }
    async with opened(store, size=(80, 24)) as (app, pilot):
        await app.open_ahead()  # as on a terminal: the other screens' styles are there too
        await pilot.press("5")
        await until(lambda: first_cell(app), "the checkpoint is read")
        panes = {name: app.screen.query_one(f"#{name}") for name in ("layers", "filters", "digit")}
        for size, groups in sizes.items():
            await pilot.resize_terminal(*size)
            for expected in groups:
                await until(
                    lambda expected=expected: [name for name, pane in panes.items() if pane.region.area] == expected,
                    f"{expected} are seen",
                )
                assert all(pane.region in app.screen.region for pane in panes.values())
                await pilot.press("tab")
        await until_shown(app, f"for {written.config.epochs} epochs.", "2,174", "filter 4", "relu2 · 4 filters")
