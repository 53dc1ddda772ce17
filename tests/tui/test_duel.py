"""The duel: both frameworks side by side, on the screen and on the command line, and what the verdict claims."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import events
from engine.backends import BACKENDS
from engine.runs import Run, Store
from tests.tui.app_harness import WrittenRun, completed, opened, shown, until, until_shown
from tests.tui.cli_harness import printed, refused
from tui.app import MnistApp

TESTED = 50


@pytest.fixture
def store(store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store of a user whose dataset has 50 images to test."""
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    return store


def pair(store: Store, **settings: object) -> list[WrittenRun]:
    """Create the two runs of one recipe on both backends."""
    return [WrittenRun(store, backend=name, conventions="torch", **settings) for name in BACKENDS]


def train(run: WrittenRun, wrong: int) -> Run:
    """Train a run to its end, where it gets the first `wrong` test images wrong."""
    run.start()
    for epoch in range(1, run.config.epochs + 1):
        run.epoch(epoch, wrong, accuracy=1 - wrong / TESTED)
    return run.finish()


async def test_a_pair_is_followed_side_by_side_until_there_is_a_verdict(store: Store) -> None:
    torch, tensorflow = pair(store)
    torch.start()
    torch.step(1, 4)
    async with opened(store) as (app, pilot):
        await until_shown(app, "u Duel")
        await pilot.press("u")
        await until_shown(app, "epoch 1/3 · 50 %", "waiting", "TensorFlow has not started yet", "no verdict before")
        for epoch in (1, 2, 3):
            torch.epoch(epoch, 3, accuracy=0.94)
        torch.finish()
        tensorflow.start()
        tensorflow.epoch(1, 4, accuracy=0.92)
        await until_shown(app, "94.00 %", "50 answers after epoch 1")
        for epoch in (2, 3):
            tensorflow.epoch(epoch, 5, accuracy=0.90)
        tensorflow.finish()
        await until_shown(app, "The same accuracy within chance: 94.00 % and 90.00 % (McNemar's p = 0.50).")
        await until_shown(app, "after epoch 3", "only TensorFlow wrong")
        assert "no verdict" not in shown(app)


async def test_it_fits_opens_the_mistakes_of_both_and_goes_back(store: Store) -> None:
    for run in pair(store):
        train(run, 5)
    async with opened(store, size=(80, 24)) as (app, pilot):
        await until_shown(app, "u Duel")
        await pilot.press("u")
        await until_shown(app, "both answer all 50 test images alike", "peak memory", "images/s", "2.14.1 on cpu")
        await pilot.press("enter")
        await until_shown(app, "both 5")
        await pilot.press("1", "u", "escape")
        await until(lambda: app.current_mode == "train", "it goes back to the Train screen")
        await pilot.press("2")
        await until_shown(app, "2 runs in")
        await pilot.press("down", "u")
        await until_shown(app, "both answer all 50 test images alike")
        await pilot.press("escape")
        await until(lambda: app.current_mode == "runs", "it goes back to the Runs screen")


async def test_a_run_by_itself_has_no_duel(store: Store) -> None:
    completed(store)
    async with opened(store) as (app, pilot):
        await until_shown(app, "98.00 %")
        await pilot.press("u")
        await pilot.pause()
        assert app.current_mode == "train"
        assert "Duel" not in shown(app)
        await app.switch_mode("duel")
        await until_shown(app, "Press 1 and then b to train")


async def test_several_seeds_show_mean_and_deviation_and_one_after_the_other(store: Store) -> None:
    for seed in (0, 1):
        for number, run in enumerate(pair(store, seed=seed)):
            train(run, 3 + number + seed)
    async with opened(store, size=(200, 60)) as (app, pilot):
        await until_shown(app, "u Duel")
        await pilot.press("u")
        await until_shown(app, "2 of 2", "93.00 ± 1.41 %", "91.00 ± 1.41 %", "-2.00 percentage points, within")
        seed = _seed(app)
        await pilot.press("v")
        await until(lambda: _seed(app) == 1 - seed, "the pair with the other seed is on display")
        await until_shown(app, f"seed {1 - seed}")


def _seed(app: MnistApp) -> int:
    return app.snapshot.config.seed if app.snapshot and app.snapshot.config else -1


def test_compare_prints_the_figures_and_calls_no_difference_that_is_chance(
    cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (train(run, wrong) for run, wrong in zip(pair(Store(cli_store)), (3, 5), strict=True))
    text = printed(capsys, "compare", one.id, other.id)
    assert "The same accuracy within chance: 94.00 % and 90.00 % (McNemar's p = 0.50)." in text
    assert "Which is faster is open: 8.7 s and 8.7 s" in text
    found = json.loads(printed(capsys, "compare", one.id, other.id, "--json"))
    assert [side["figures"]["mistakes"]["mean"] for side in found["sides"]] == [3, 5]
    assert (found["agreement"]["only_second_wrong"], found["agreement"]["alike"]) == (2, 48)
    assert found["differences"] == []


def test_what_is_more_than_chance_is_said_and_what_else_differs(
    cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(cli_store)
    one = train(WrittenRun(store), 2)
    other = train(WrittenRun(store, backend="tensorflow", learning_rate=0.5), 20)
    text = printed(capsys, "compare", one.id, other.id)
    assert "besides the framework, this differs, too: learning rate, framework's own defaults." in text
    assert "PyTorch's network is better on these images, 96.00 % against 60.00 %" in text
    assert "only more seeds can tell" in text


def test_a_run_that_did_not_finish_gets_no_verdict(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch, tensorflow = pair(Store(cli_store))
    train(torch, 3)
    tensorflow.start()
    tensorflow.epoch(1, 1, accuracy=0.98)
    tensorflow.finish("stopped")
    text = printed(capsys, "compare", torch.run.id, tensorflow.run.id)
    assert "TensorFlow was stopped after 1 of 3 epochs. There is no verdict" in text
    assert "within chance" not in text
    assert "The same run" in refused(capsys, ["compare", "last", "last"])


def test_the_faster_one_is_named_only_on_the_same_device(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch, tensorflow = pair(Store(cli_store))
    train(torch, 3)
    tensorflow.start()
    for epoch in (1, 2, 3):
        tensorflow.tell(
            events.EpochFinished(
                epoch=epoch, train_loss=0.1, train_accuracy=0.9, test_loss=0.1, test_accuracy=0.94, learning_rate=0.01,
                seconds=1.45, images_per_second=41_200.0, peak_memory_bytes=800_000_000,
            )
        )  # fmt: skip
    tensorflow.finish()
    text = printed(capsys, "compare", torch.run.id, tensorflow.run.id)
    assert "TensorFlow took 0.5 of the time: 4.3 s of training against 8.7 s." in text
    assert "800 MB" in text
