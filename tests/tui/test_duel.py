"""The duel: both frameworks side by side, on the screen and on the command line, and what the verdict claims."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine import events
from engine.backends import BACKENDS
from engine.runs import Run, Store
from tests.tui.app_harness import WrittenRun, completed, opened, shown, until, until_shown
from tests.tui.cli_harness import printed, refused
from tui.app import MnistApp
from tui.datasets import dataset_at

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
        await until_shown(app, "epoch 1/3 · 50 %", "waiting", "TensorFlow is waiting to start", "no verdict before")
        for epoch in (1, 2, 3):
            torch.epoch(epoch, 3, accuracy=0.94)
        torch.finish()
        tensorflow.start()
        tensorflow.epoch(1, 4, accuracy=0.92)
        await until_shown(app, "94.00 %", "50 answers after epoch 1")
        for epoch in (2, 3):
            tensorflow.epoch(epoch, 5, accuracy=0.90)
        tensorflow.finish()
        await until_shown(
            app, "differ by no more than chance: 94.00 % and 90.00 % of 50 test images (McNemar's p = 0.50)."
        )
        await until_shown(app, "after epoch 3", "only TensorFlow wrong")
        assert "no verdict" not in shown(app)


async def test_it_fits_opens_the_mistakes_of_both_and_goes_back(store: Store) -> None:
    for run in pair(store):
        train(run, 5)
    async with opened(store, size=(80, 24)) as (app, pilot):
        await until_shown(app, "u Duel")
        await pilot.press("u")
        await until_shown(
            app, "Both networks answer all 50 test images alike", "peak memory", "images/s", "2.14.1 on cpu, fused"
        )
        await pilot.press("enter")
        await until_shown(app, "both 5")
        await pilot.press("1", "u", "escape")
        await until(lambda: app.current_mode == "train", "it goes back to the Train screen")
        await pilot.press("2")
        await until_shown(app, "2 runs in")
        await pilot.press("down", "u")
        await until_shown(app, "Both networks answer all 50 test images alike")
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
        await until_shown(
            app, "2 of 2", "93.00 ± 1.41 %", "91.00 ± 1.41 %", "TensorFlow against PyTorch: -2.00 percentage"
        )
        await until_shown(app, "no spread between them to judge that by")
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
    assert "differ by no more than chance: 94.00 % and 90.00 % of 50 test images (McNemar's p = 0.50)." in text
    assert "images/s, median" in text
    assert "Which is faster is open: 8.7 s and 8.7 s of training may be chance (3 epochs each, of one run each)" in text
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
    assert "PyTorch's network is better on these 50 test images: 96.00 % against 60.00 %" in text
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
                seconds=1.4 + epoch / 40, images_per_second=41_200.0, peak_memory_bytes=800_000_000,
            )
        )  # fmt: skip
    tensorflow.finish()
    text = printed(capsys, "compare", torch.run.id, tensorflow.run.id)
    assert "TensorFlow took 0.5 of the time: 4.3 s of training against 8.7 s (3 epochs each, of one run each)." in text
    assert "Both trained with mnist-tui's fused kernels: this compares those, not the frameworks." in text
    assert "800 MB" in text


FASHION = events.DatasetInfo(
    name="Fashion-MNIST", source="a folder", fingerprint="fashion", train_examples=120, test_examples=TESTED
)


def timed(run: WrittenRun, seconds: float, wrong: int = 3, kernels: str | None = "fused", images: int = 0) -> Run:
    """Train a run to its end whose epochs take about so many seconds, on so many images."""
    dataset = dataset_at("").info
    run.start(replace(dataset, train_examples=images) if images else dataset, kernels)
    for epoch in range(1, run.config.epochs + 1):
        run.epoch(epoch, wrong, accuracy=1 - wrong / TESTED, seconds=seconds * (1 + epoch / 100))
    return run.finish()


def test_show_and_compare_give_the_same_two_runs_one_verdict(
    cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(cli_store)
    one = train(WrittenRun(store, seed=0), 2)
    other = train(WrittenRun(store, seed=0, learning_rate=0.5), 20)
    for again in (False, True):
        if again:  # another seed of both, trained later
            train(WrittenRun(store, seed=1), 3)
            train(WrittenRun(store, seed=1, learning_rate=0.5), 22)
        verdict = json.loads(printed(capsys, "compare", one.id, other.id, "--json"))["verdict"]
        assert json.loads(printed(capsys, "show", one.id, other.id, "--json"))["verdict"][-len(verdict) :] == verdict
        assert ("recipe is better" in " ".join(verdict), "2 seeds each" in " ".join(verdict)) == (again, again)


async def test_every_screen_gives_the_same_two_runs_the_verdict_of_the_command_line(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where another seed of each was trained some other time."""
    for seed, wrong in ((0, (2, 20)), (1, (3, 22))):
        for run, count in zip(pair(store, seed=seed), wrong, strict=True):
            train(run, count)
    one, other, *_ = store.runs()
    told = json.loads(printed(capsys, "compare", one.id, other.id, "--json"))["test"]
    verdict = told["sentences"][0][:60]
    assert (told["about"], told["better"]) == ("recipes", "PyTorch")
    async with opened(store, size=(200, 60), open_run=one) as (app, pilot):
        await until_shown(app, verdict)
        await pilot.press("u")
        await until_shown(app, "side by side", verdict)


def test_other_images_do_not_count_as_seeds(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """MNIST with one seed and Fashion-MNIST with another gave "0.8112 ± 0.0807 over 2 seeds"."""
    store = Store(cli_store)
    digits, clothes = WrittenRun(store, seed=10), WrittenRun(store, seed=11)
    digits.start()
    clothes.start(FASHION)
    for run, accuracy in ((digits, 0.89), (clothes, 0.73)):
        for epoch in (1, 2, 3):
            run.epoch(epoch, accuracy=accuracy)
        run.finish()
    other = train(WrittenRun(store, seed=10, learning_rate=0.5), 5)
    text = printed(capsys, "show", digits.run.id, other.id)
    assert "over 2 seeds" not in text
    assert "(1 seed each)" in text
    text = printed(capsys, "show", digits.run.id, clothes.run.id)
    assert "Dataset fingerprint" in text
    assert "They were tested on different images, so their accuracies do not compare." in text


def test_a_run_whose_learning_rate_was_changed_stands_for_itself(
    cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(cli_store)
    one = train(WrittenRun(store, seed=0, learning_rate=0.5), 5)
    train(WrittenRun(store, seed=0), 2)
    changed = WrittenRun(store, seed=1)
    changed.start()
    changed.epoch(1, 9, accuracy=0.82)
    changed.tell(events.CommandApplied(command="set_learning_rate", epoch=2, step=1, learning_rate=5.0))
    for epoch in (2, 3):
        changed.epoch(epoch, 40, accuracy=0.2)
    changed.finish()
    text = printed(capsys, "compare", one.id, changed.run.id)
    assert "stands for itself alone: its learning rate was changed on the way" in text
    assert "over 2 seeds" not in printed(capsys, "show", one.id, changed.run.id)


def test_runs_of_unequal_length_are_compared_by_epoch_or_by_image(
    cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """2 epochs beside 10 gave "took 0.71 of the time"."""
    store = Store(cli_store)
    long, short = timed(WrittenRun(store, epochs=10), 1.0), timed(WrittenRun(store, epochs=5), 2.0)
    text = printed(capsys, "compare", long.id, short.id)
    assert "took 0.51 of the time: 1.1 s an epoch against 2.1 s (10 and 5 epochs, of one run each)." in text
    assert "They trained 10 and 5 epochs, so the time of an epoch is compared." in text
    fewer = timed(WrittenRun(store, epochs=10, limit=60, batch_size=60), 1.0, images=60)
    text = printed(capsys, "compare", long.id, fewer.id)
    assert "an image against" in text
    assert "They trained on 120 and 60 images" in text


@pytest.mark.parametrize(
    ("kernels", "words"),
    [
        (("fused", "fused"), "this compares those, not the frameworks"),
        (("framework", "framework"), "PyTorch trained with PyTorch's layers, TensorFlow with TensorFlow's layers."),
        (("framework", "fused"), "TensorFlow with mnist-tui's fused kernels: this does not compare the frameworks."),
        ((None, "fused"), "is not recorded: they say nothing about the frameworks"),
    ],
)
def test_a_verdict_on_time_says_whose_kernels_it_timed(
    kernels: tuple[str | None, str], words: str, cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = pair(Store(cli_store))
    runs = [timed(one, 1.0, kernels=kernels[0]), timed(other, 2.0, kernels=kernels[1])]
    text = printed(capsys, "compare", runs[0].id, runs[1].id)
    assert "PyTorch took 0.5 of the time" in text
    assert words in text
    (row,) = (line for line in text.splitlines() if line.startswith("version, kernels"))
    assert re.findall(r"cpu, (\w+)", row) == [whose or "unknown" for whose in kernels]


def test_a_live_duel_compares_the_last_epoch_that_both_have_finished(
    cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch, tensorflow = pair(Store(cli_store))
    train(torch, 3)
    tensorflow.start()
    tensorflow.epoch(1, 6, accuracy=0.88)
    tensorflow.epoch(2, 5, accuracy=0.90)
    found = json.loads(printed(capsys, "compare", torch.run.id, tensorflow.run.id, "--json"))
    assert [side["after_epoch"] for side in found["sides"]] == [2, 2]
    assert [side["figures"]["seconds"]["mean"] for side in found["sides"]] == pytest.approx([5.8, 5.8])
    assert found["agreement"]["epochs"] == [2, 2]
    text = printed(capsys, "compare", torch.run.id, tensorflow.run.id)
    (row,) = (line.split() for line in text.splitlines() if line.startswith("after epoch"))
    assert row == ["after", "epoch", "2", "2"]
    assert "There is no verdict before both sides have finished." in text
    assert "After epoch 2 of both, test accuracy is 94.00 % and 90.00 %." in text
    tensorflow.vanish()


def stopped(run: WrittenRun, *accuracies: float) -> Run:
    """Train a run that is stopped within the epoch after those with `accuracies`."""
    run.start()
    for number, accuracy in enumerate(accuracies, start=1):
        run.epoch(number, 3, accuracy=accuracy)
    run.step(len(accuracies) + 1, 4)
    return run.finish("stopped")


@pytest.mark.parametrize("accuracies", [(), (0.829,)])
@pytest.mark.parametrize("command", ["compare", "show"])
def test_no_earlier_run_stands_in_for_one_that_was_stopped(
    command: str, accuracies: tuple[float, ...], cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even one with the same recipe and seed: what is told of each side is its own."""
    store = Store(cli_store)
    train(WrittenRun(store), 4)
    other = train(WrittenRun(store, backend="tensorflow", conventions="torch"), 5)
    run = stopped(WrittenRun(store), *accuracies)
    for pair_of_ids in ((run.id, other.id), (other.id, run.id)):
        text = printed(capsys, command, *pair_of_ids)
        assert f"was stopped after {len(accuracies)} of 3 epochs" in text
        assert "There is no verdict before both sides have finished." in text
        assert ("82.90 %" in text) == bool(accuracies)
        assert "of 1 seeds" not in text
        assert "seeds that count" not in text


def test_a_stopped_run_is_left_out_of_the_seeds_of_its_recipe(
    cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(cli_store)
    for seed in range(3):
        train(WrittenRun(store, seed=seed), 2 + seed)
        train(WrittenRun(store, seed=seed, learning_rate=0.5), 22 - seed)
    run, other = stopped(WrittenRun(store)), store.runs()[1]
    text = printed(capsys, "compare", run.id, other.id)
    assert "seeds that count" in text
    assert "recipe is better" in text
    assert "2 seeds each that both have" in text
    assert "left out: not finished" in text
    assert "They trained" not in text


def test_two_repeats_of_one_recipe_of_which_one_was_stopped_get_no_verdict(
    cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(cli_store)
    one, *_ = (train(WrittenRun(store, seed=seed), 2 + seed) for seed in range(3))
    text = printed(capsys, "compare", one.id, stopped(WrittenRun(store, seed=3), 0.829).id)
    assert "no verdict before" in text
