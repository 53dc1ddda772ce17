"""Runs launched together: both backends over each other, repeats one after the other, and what they come to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine import commands
from engine.backends import BACKENDS
from engine.runs import Store
from tests.tui.app_harness import WrittenRun, completed, opened, shown, until, until_shown
from tui.app import MnistApp
from tui.screens.answers_screen import AnswersScreen
from tui.screens.stop import StopScreen
from tui.widgets.chart import Chart
from tui.widgets.figure_table import FigureTable
from tui.widgets.setup_form import SetupForm

MATCHED = {"conventions": "torch"}
PAIR_LEGEND = ("torch train", "torch test", "tf train", "tf test")


@pytest.fixture
def store(store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store of a user whose dataset has 120 images to train and 50 to test."""
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    return store


def pair(store: Store, **settings: object) -> tuple[WrittenRun, WrittenRun]:
    """Create the two runs of one recipe on both backends."""
    torch, tensorflow = (WrittenRun(store, backend=name, **MATCHED, **settings) for name in BACKENDS)
    return torch, tensorflow


def train(run: WrittenRun, accuracy: float) -> None:
    """Train a run to its end, where it comes to `accuracy` on the test set."""
    run.start()
    for epoch in range(1, run.config.epochs + 1):
        run.epoch(epoch, accuracy=accuracy)
    run.finish()


def on_display(app: MnistApp, run: WrittenRun) -> bool:
    return app.snapshot is not None and app.snapshot.run.id == run.run.id


def drawn(app: MnistApp) -> tuple[str, ...]:
    return tuple(f"{series.run} {series.name}".strip() for series in app.screen.query_one("#loss", Chart).series)


def asked(run: WrittenRun) -> list[commands.AnyCommand]:
    path = run.run.commands_path
    return [commands.decode(line) for line in path.read_bytes().splitlines()] if path.exists() else []


async def test_a_pair_is_followed_from_one_backend_to_the_other_and_judged_at_the_end(store: Store) -> None:
    torch, tensorflow = pair(store)
    torch.start()
    torch.step(1, 5)
    async with opened(store) as (app, _):
        await until_shown(app, "torch, 1 of 2", "torch epoch 1/3")
        for epoch in (1, 2, 3):
            torch.epoch(epoch, accuracy=0.97)
        torch.finish()
        tensorflow.start()
        tensorflow.step(1, 5)
        await until(lambda: on_display(app, tensorflow), "TensorFlow is on display, now that it trains")
        await until_shown(app, "tf epoch 1/3", "(torch)")
        assert "against" not in shown(app)
        for epoch in (1, 2, 3):
            tensorflow.epoch(epoch, wrong=2, accuracy=0.975)
        tensorflow.finish()
        await until_shown(app, "torch ●○ tf ■□", "no more than chance: 97.00 % and 97.50 %", "1 seed each")
        assert set(drawn(app)) == set(PAIR_LEGEND)


async def test_one_run_of_a_pair_opened_later_shows_its_partner_too(store: Store) -> None:
    for run, accuracy in zip(pair(store), (0.97, 0.96), strict=True):
        train(run, accuracy)
    completed(store, learning_rate=0.5)
    async with opened(store, size=(150, 40)) as (app, pilot):
        await until(lambda: drawn(app) == ("train", "test"), "a run by itself has its own curves alone")
        await pilot.press("2")
        await until_shown(app, "3 runs in")
        await pilot.press("down", "enter")
        await until(lambda: set(drawn(app)) == set(PAIR_LEGEND), "both backends' curves are drawn")
        await until_shown(app, "tf, 2 of 2", "0.9600", "0.9700", "Both networks answer all 50 test images alike")
        await pilot.press("v")
        await until_shown(app, "torch, 1 of 2", "(tf)", "Both networks answer all 50 test images alike")


async def test_of_a_pair_the_other_is_laid_over_whichever_is_looked_at(store: Store) -> None:
    torch, tensorflow = pair(store)
    for run, accuracy in ((torch, 0.97), (tensorflow, 0.96)):
        train(run, accuracy)
    async with opened(store, size=(160, 50), open_run=torch.run) as (app, pilot):
        await until_shown(app, "torch, 1 of 2")
        await pilot.press("3")
        await until_shown(app, f"laid over: {tensorflow.run.id}")
        await pilot.press("1")
        await until_shown(app, "torch, 1 of 2")
        await pilot.press("v")
        await until_shown(app, "tf, 2 of 2")
        await pilot.press("3")
        await until_shown(app, f"laid over: {torch.run.id}")


async def test_what_was_laid_over_a_run_is_not_laid_over_another(store: Store) -> None:
    single = completed(store)
    torch, tensorflow = pair(store)
    train(torch, 0.97)
    tensorflow.start()
    async with opened(store, size=(160, 50), open_run=tensorflow.run) as (app, pilot):
        await until_shown(app, "tf, 2 of 2")
        await pilot.press("3")
        await until_shown(app, "No predictions yet")
        screen = app.screen
        assert isinstance(screen, AnswersScreen)
        await until(lambda: screen.other, "the partner is to be laid over")
        app.open_run(single)
        await until_shown(app, "7 of 50 wrong")
        assert screen.other is None
        await until(lambda: screen.browsing and screen.browsing.history, "all epochs are read")
        assert "laid over" not in shown(app)
    tensorflow.vanish()


async def test_runs_whose_conventions_differ_are_no_pair(store: Store) -> None:
    for name in BACKENDS:
        train(WrittenRun(store, backend=name), 0.97)
    async with opened(store) as (app, _):
        await until_shown(app, "✓ completed", "97.00 %")
        assert drawn(app) == ("train", "test")
        assert "Other run" not in shown(app)


async def test_in_a_narrow_terminal_the_backends_marks_are_named_above_the_curves(store: Store) -> None:
    for run in pair(store):
        train(run, 0.97)
    async with opened(store, size=(80, 24)) as (app, _):
        await until_shown(app, "torch ●○ tf ■□", "Both  b", "Both networks answer")


async def test_repeats_are_shown_in_turn_and_end_in_mean_and_deviation(store: Store) -> None:
    seeds = [WrittenRun(store, seed=seed) for seed in range(3)]
    seeds[0].start()
    async with opened(store) as (app, _):
        await until_shown(app, "seed 0, 1 of 3")
        for number, (run, accuracy) in enumerate(zip(seeds, (0.96, 0.97, 0.98), strict=True)):
            if number:
                run.start()
            run.step(1, 5)
            await until_shown(app, f"seed {number}, {number + 1} of 3", f"seed {number} epoch 1/3")
            for epoch in (1, 2, 3):
                run.epoch(epoch, accuracy=accuracy)
            run.finish()
        await until_shown(app, "test accuracy 0.9700 ± 0.0100 over 3 seeds")


async def test_repeats_that_did_not_complete_are_counted(store: Store) -> None:
    seeds = [WrittenRun(store, seed=seed) for seed in range(3)]
    for run in seeds[:2]:
        train(run, 0.97)
    seeds[2].vanish()
    async with opened(store, open_run=seeds[0].run) as (app, _):
        await until_shown(app, "0.9700 ± 0.0000 over 2 seeds; 1 left out: not finished")


async def test_a_run_that_was_opened_by_hand_stays_on_display_while_others_of_its_family_train(store: Store) -> None:
    torch, tensorflow = pair(store)
    train(torch, 0.97)
    tensorflow.start()
    tensorflow.step(1, 5)
    async with opened(store) as (app, pilot):
        await until(lambda: on_display(app, tensorflow), "the run that trains is on display")
        await pilot.press("v")
        await until(lambda: on_display(app, torch), "the other is on display")
        tensorflow.epoch(1)
        tensorflow.step(2, 5)
        await until_shown(app, "tf epoch 2/3")
        assert on_display(app, torch)
        tensorflow.vanish()


@pytest.mark.parametrize(
    ("keys", "stopped"), [(["y"], (1, 1)), (["right", "enter"], (1, 0)), (["n"], (0, 0)), (["escape"], (0, 0))]
)
async def test_stopping_one_of_several_asks_about_the_others(
    store: Store, keys: list[str], stopped: tuple[int, int]
) -> None:
    runs = pair(store)
    runs[0].start()
    async with opened(store) as (app, pilot):
        await until_shown(app, "torch, 1 of 2", "s Stop")
        await pilot.press("s")
        await until(lambda: isinstance(app.screen, StopScreen), "it asks")
        await pilot.press(*keys)
        await until(lambda: not isinstance(app.screen, StopScreen), "it is answered")
        assert tuple(len(asked(run)) for run in runs) == stopped
    for run in runs:
        run.vanish()


async def test_validation_has_a_curve_and_columns_of_its_own_where_there_is_room(store: Store) -> None:
    completed(store, validation=20)
    async with opened(store, size=(120, 40)) as (app, pilot):
        await until_shown(app, "valid loss", "valid acc", "0.9000")
        assert drawn(app) == ("train", "valid", "test")
        await pilot.resize_terminal(80, 24)
        await until(lambda: "valid loss" not in shown(app), "there is no room for the columns")
        assert "validation" not in shown(app)


async def test_without_one_of_the_frameworks_both_is_greyed_out_and_says_why(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BACKENDS, "tensorflow", replace(BACKENDS["tensorflow"], package="no_such_package"))
    async with opened(store) as (app, pilot):
        await until_shown(app, "Both: TensorFlow is not installed", "'mnist-tui[tensorflow]'")
        assert app.screen.query_one("#both").disabled
        await pilot.press("b")
        await pilot.pause()
        assert store.runs() == []


@pytest.mark.parametrize(
    ("repeats", "seed", "message"),
    [("0", "0", "from 1 to 100, not “0”"), ("101", "0", "from 1 to 100, not “101”"), ("3", "2147483646", "no 3 seeds")],
)
async def test_repeats_that_do_not_fit_are_explained(store: Store, repeats: str, seed: str, message: str) -> None:
    async with opened(store, settings={"seed": seed}) as (app, pilot):
        form = app.screen.query_one(SetupForm)
        await form.show_more()
        form.query_one("#set-repeats").focus()
        await pilot.press("home", "shift+end", *repeats)
        await until(lambda: message in form.problems.get("repeats", ""), f"repeats says “{message}”")


async def test_holding_out_all_images_for_validation_is_refused(store: Store) -> None:
    async with opened(store, settings={"validation": 120}) as (app, _):
        form = app.screen.query_one(SetupForm)
        await until(lambda: "some of the 120" in form.problems.get("validation", ""), "validation is refused")


async def test_the_names_of_curves_have_their_colours_in_another_theme_too(store: Store) -> None:
    for run in pair(store):
        train(run, 0.97)

    def colors(app: MnistApp) -> tuple[list[str], list[str]]:
        chart = app.screen.query_one("#loss", Chart)
        styles = (chart.get_component_styles(f"chart--curve-{number}") for number in (0, 1))
        legend = {segment.text.strip("─"): segment.style for segment in chart.render_line(0)}
        marks = (legend[mark] for mark in "●■" if mark in legend)
        return [str(style and style.color and style.color.name) for style in marks], [
            style.color.hex.lower() for style in styles
        ]

    async with opened(store, size=(80, 24)) as (app, pilot):
        await until_shown(app, "torch ●○ tf ■□")
        dark = colors(app)
        assert dark[0] == dark[1]
        app.theme = "mnist-light"
        await until(lambda: colors(app)[1] != dark[1], "the curves have other colours")
        await until(lambda: colors(app)[0] == colors(app)[1], "so have their names")
        await pilot.press("u")
        await until_shown(app, "training time")
        headings = app.screen.query_one("#figures", FigureTable)
        light = list(headings._headings)
        app.theme = "mnist-dark"
        await until(lambda: list(headings._headings) != light, "so have the sides of the duel")


async def test_a_rate_goes_to_the_run_that_was_asked_about_though_another_one_trains_by_then(store: Store) -> None:
    torch, tensorflow = pair(store)
    torch.start()
    torch.step(1, 1)
    async with opened(store) as (app, pilot):
        await until_shown(app, "torch epoch 1")
        app.open_run(torch.run, follow_training=True)
        await pilot.press("R")
        await until_shown(app, "It is 0.01.")
        for epoch in (1, 2, 3):
            torch.epoch(epoch)
        torch.finish()
        tensorflow.start()
        tensorflow.step(1, 1)
        await until(lambda: on_display(app, tensorflow), "the other one is on display")
        await pilot.press("enter")
        await until_shown(app, "is not running")
        assert asked(tensorflow) == []
    tensorflow.vanish()


async def test_the_duel_leads_to_the_pair_s_own_mistakes_whatever_was_laid_over_before(store: Store) -> None:
    other = completed(store, name="another")
    torch, tensorflow = pair(store)
    for run in (torch, tensorflow):
        train(run, 0.97)
    async with opened(store, size=(160, 50), open_run=torch.run) as (app, pilot):
        await pilot.press("3")
        await until_shown(app, f"laid over: {tensorflow.run.id}")
        screen = app.screen
        assert isinstance(screen, AnswersScreen)
        screen.choose_other(next(snapshot for snapshot in app.runs or () if snapshot.run.id == other.id))
        await until_shown(app, "laid over: another")
        await pilot.press("1", "u")
        await until(lambda: app.current_mode == "duel", "the duel is on display")
        await pilot.press("enter")
        await until_shown(app, f"laid over: {tensorflow.run.id}")


async def test_no_verdict_where_one_has_not_come_as_far_as_the_other(store: Store) -> None:
    torch, tensorflow = pair(store)
    train(torch, 0.97)
    tensorflow.start()
    tensorflow.epoch(1)
    async with opened(store, size=(160, 50), open_run=tensorflow.run) as (app, pilot):
        await pilot.press("3")
        await until_shown(app, "epoch 1 beside the other's 3")
        for epoch in (2, 3):
            tensorflow.epoch(epoch)
        await until_shown(app, "no more than chance")
    tensorflow.vanish()


async def test_between_the_two_it_says_that_the_other_one_comes_next(store: Store) -> None:
    torch, tensorflow = pair(store)
    train(torch, 0.97)
    async with opened(store, open_run=torch.run) as (app, _):
        await until_shown(app, "tf comes next, by itself")
    tensorflow.vanish()
