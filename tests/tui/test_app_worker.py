"""The whole way with a real worker: from the form's key to the mistakes of the network that was trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.backends import BACKENDS
from engine.runs import Store
from tests.tui.app_harness import opened, until, until_shown
from tui.widgets.mistake_list import MistakeList

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
        await until_shown(app, "✓ completed", "shows them")
        assert app.snapshot is not None
        assert app.snapshot.backend == backend
        assert len(app.snapshot.progress.epochs) == 2
        await pilot.press("3")
        await until(
            lambda: app.current_mode == "mistakes" and app.screen.query_one(MistakeList).chosen, "a mistake is chosen"
        )


async def test_a_store_that_cannot_be_written_is_told(store: Store) -> None:
    store.path.parent.mkdir(exist_ok=True)
    store.path.write_text("not a folder")
    async with opened(store) as (app, pilot):
        await until(lambda: app.config, "the form is ready")
        await pilot.press("t")
        await until_shown(app, "Store cannot be written")
