"""The whole way with a real worker: from the form's key to the mistakes of the network that was trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.backends import BACKENDS
from engine.data import Dataset
from engine.evaluation import load_predictions, predictions_path
from engine.families import matched
from engine.runs import Store
from tests.tui.app_harness import opened, shown, until, until_shown
from tui.availability import installed_backend
from tui.widgets.gallery import Gallery
from tui.widgets.setup_form import SetupForm

needs_both = pytest.mark.skipif(
    not all(info.installed for info in BACKENDS.values()), reason="both frameworks are needed"
)
QUICK = {"epochs": 2, "batch_size": 32, "threads": 1, "device": "cpu", "learning_rate": 1e-6}


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param(name, marks=pytest.mark.skipif(not info.installed, reason=f"{name} is not installed"))
        for name, info in BACKENDS.items()
    ],
)
async def test_keys_alone_train_a_network_and_open_its_mistakes(
    store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    async with opened(store, settings={**QUICK, "backend": backend}) as (app, pilot):
        await until(lambda: app.config, "the form is ready")
        await pilot.press("t")
        await until(lambda: app.snapshot and app.snapshot.live, "a run is live")
        await until_shown(app, "✓ completed", ": press 3")
        assert app.snapshot is not None
        assert app.snapshot.backend == backend
        assert len(app.snapshot.progress.epochs) == 2
        await pilot.press("3")
        await until(
            lambda: app.current_mode == "mistakes" and app.screen.query_one("#gallery", Gallery).chosen is not None,
            "a mistake is chosen",
        )


@needs_both
async def test_both_backends_train_the_form_s_recipe_matched_and_in_turn_and_keys_lead_to_the_worst_mistake(
    store: Store, sketches_folder: Path, sketches: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    async with opened(store, settings={**QUICK, "seed": 7}) as (app, pilot):
        await until(lambda: app.config, "the form is ready")
        recipe = app.config
        await pilot.press("b")
        await until_shown(app, "Both networks answer all 50 test images alike", "1 seed each")
        await pilot.press("u")
        await until_shown(app, "50 answers after epoch 2", "McNemar's p", "both wrong")
        await pilot.press("escape", "3")
        await until(lambda: app.current_mode == "mistakes" and app.screen.query("#gallery"), "the mistakes come")
        assert app.snapshot
        probabilities = load_predictions(predictions_path(app.snapshot.run.predictions_path, epoch=2))
        true = probabilities[range(50), sketches.test_labels]
        wrong = probabilities.argmax(axis=1) != sketches.test_labels
        gallery = app.screen.query_one("#gallery", Gallery)
        await until(lambda: gallery.count, "there are mistakes")
        worst = gallery.chosen
        assert worst is not None
        assert wrong[worst]
        assert true[worst] == true[wrong].min()
        await pilot.press("enter")
        await until_shown(app, f"test image {worst}")
    assert recipe is not None
    assert [run.config for run in store.runs()] == matched(recipe)
    first, second = (run.progress() for run in store.runs())
    assert first.finished is not None
    assert second.finished is not None
    assert first.started is not None
    assert second.started is not None
    assert min(first.finished.time, second.finished.time) <= max(first.started.time, second.started.time)


async def test_repeats_train_with_consecutive_seeds_and_end_in_mean_and_deviation(
    store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    async with opened(store, settings={**QUICK, "backend": installed_backend("torch"), "seed": 5}) as (app, pilot):
        form = app.screen.query_one(SetupForm)
        await form.show_more()
        form.query_one("#set-repeats").focus()
        await pilot.press("home", "shift+end", "2", "enter")
        await until_shown(app, "test accuracy", "over 2 seeds")
    assert [run.config.seed for run in store.runs()] == [5, 6]


async def test_keys_hold_a_run_stop_it_and_take_it_up_again(
    store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    endless = {**QUICK, "epochs": 10_000, "backend": installed_backend("torch")}
    async with opened(store, settings=endless) as (app, pilot):
        await until(lambda: app.config, "the form is ready")
        await pilot.press("t")
        await until_shown(app, "● running", "p Pause")
        await pilot.press("p")
        await until_shown(app, "‖ paused", "p Go on")
        await pilot.press("p")
        await until_shown(app, "● running", "p Pause", "s Stop")
        await pilot.press("s")
        await until_shown(app, "■ stopped", "r Resume")
        assert "Pause" not in shown(app)
        await pilot.press("r")
        await until_shown(app, "● running")
        assert app.snapshot is not None
        assert app.snapshot.progress.started is not None
        assert app.snapshot.progress.started.resumed_from is not None
        await pilot.press("s")
        await until_shown(app, "■ stopped")
        await pilot.press("2")
        await until_shown(app, "r Resume", "Delete")
        await pilot.press("r")
        await until_shown(app, "● running")
        await pilot.press("s")
        await until_shown(app, "■ stopped")
    assert len(store.runs()) == 1


async def test_a_store_that_cannot_be_written_is_told(store: Store) -> None:
    store.path.parent.mkdir(exist_ok=True)
    store.path.write_text("not a folder")
    async with opened(store) as (app, pilot):
        await until(lambda: app.config, "the form is ready")
        await pilot.press("t")
        await until_shown(app, "Store cannot be written")
