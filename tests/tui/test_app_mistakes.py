"""The Mistakes screen: what the run on display gets wrong, or why that cannot be shown."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score
from textual.pilot import Pilot
from textual.widgets import Input, Static

from engine.answers import load_answers
from engine.data import Dataset
from engine.evaluation import predictions_path, save_predictions
from engine.neighbours import NearestDigits
from engine.runs import Run, Store
from engine.selection import EVERYTHING, Cell
from tests.conftest import write_idx
from tests.tui.app_harness import WrittenRun, completed, opened, shown, until, until_shown
from tui.app import MnistApp
from tui.datasets import dataset_at
from tui.mistakes import NeighboursFound
from tui.screens.answers_screen import AnswersScreen
from tui.screens.export import ExportScreen
from tui.widgets.confusion_matrix import ConfusionMatrix
from tui.widgets.digit import Digit
from tui.widgets.digit_detail import DigitDetail
from tui.widgets.epoch_slider import EpochSlider
from tui.widgets.gallery import Gallery
from tui.widgets.probabilities import Probabilities

SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.fixture
def store(store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    """An empty store of a user whose dataset has 120 images to train and 50 to test."""
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    monkeypatch.chdir(tmp_path)
    return store


def gallery(app: MnistApp) -> Gallery:
    return app.screen.query_one("#gallery", Gallery)


def chosen(app: MnistApp) -> int:
    index = gallery(app).chosen
    return -1 if index is None else index


def indices(app: MnistApp) -> list[int]:
    return list(gallery(app)._indices)


def neighbours(app: MnistApp) -> list[int]:
    return list(app.screen.query(".neighbours").first(Gallery)._indices)


def answers(app: MnistApp) -> AnswersScreen:
    screen = app.screen
    assert isinstance(screen, AnswersScreen)
    return screen


def matrix(app: MnistApp) -> ConfusionMatrix:
    return app.screen.query_one(ConfusionMatrix)


async def visit(app: MnistApp, pilot: Pilot[None]) -> None:
    """Open the Mistakes screen of a run with predictions, and wait until it has looked at all epochs."""
    await until_shown(app, "✓ completed")
    await pilot.press("3")
    await until(lambda: isinstance(app.screen, AnswersScreen) and app.screen.browsing, "the answers are read")
    await until(lambda: app.screen.browsing.history, "all epochs are read")  # type: ignore[attr-defined]


def written(store: Store, *epochs: dict[int, int], **settings: Any) -> Run:
    """Write a run that takes, after each of `epochs`, these images for these digits, and the rest for what it is."""
    run = WrittenRun(store, epochs=len(epochs), **settings)
    run.start()
    labels = dataset_at("").test_labels
    for number, mistaken in enumerate(epochs, start=1):
        run.epoch(number, wrong=0)
        answers = labels.copy()
        answers[list(mistaken)] = list(mistaken.values())
        logits = np.zeros((len(labels), 10), np.float32)
        logits[np.arange(len(labels)), answers] = np.linspace(4, 6, len(labels))
        save_predictions(predictions_path(run.run.predictions_path, number), logits)
    return run.finish()


async def test_without_a_run_it_says_what_to_do(store: Store) -> None:
    async with opened(store) as (app, pilot):
        await pilot.press("3")
        await until_shown(app, "No run on display", "Press 1 and then t")


@pytest.mark.parametrize("size", SIZES)
async def test_the_most_wrong_digit_comes_first_and_large(store: Store, size: tuple[int, int]) -> None:
    completed(store)
    async with opened(store, size=size) as (app, pilot):
        await visit(app, pilot)
        # Of the seven that are wrong after the last epoch, the network is the surest of image 6, which is a 6.
        await until_shown(app, "after epoch 3 of 3", "7 of 50 wrong (14.00 %)", "6→7")
        await pilot.press("enter")
        await until_shown(app, "test image 6", "It is 6")
        digit, probabilities = app.screen.query_one(Digit), app.screen.query_one(Probabilities)
        assert (digit.image == dataset_at("").test_images[6]).all()
        assert (probabilities.label, probabilities.answer) == (6, 7)
        assert sum(probabilities.probabilities) == pytest.approx(1, abs=0.01)
        for widget in (digit, probabilities):
            await until(lambda widget=widget: widget.region in app.screen.region, f"{widget} is wholly on the screen")


@pytest.mark.parametrize("size", SIZES)
async def test_matrix_gallery_and_digit_are_seen_together_or_one_by_one(store: Store, size: tuple[int, int]) -> None:
    completed(store)
    async with opened(store, size=size) as (app, pilot):
        await visit(app, pilot)
        parts = [matrix(app), gallery(app), app.screen.query_one(DigitDetail)]
        if size == (80, 24):
            for part in (parts[1], parts[2], parts[0], parts[1]):
                await until(lambda part=part: part.has_focus, f"{part} has the keys")
                await until(lambda part=part: [one for one in parts if one.region.area] == [part], f"{part} is alone")
                await pilot.press("tab")
        else:
            seen = app.screen.region
            await until(lambda: all(part.region.area and part.region in seen for part in parts), "all are seen")


async def test_without_colour_everything_is_drawn(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    completed(store)
    async with opened(store) as (app, pilot):
        await visit(app, pilot)
        await until_shown(app, "rows true, columns predicted", "6→7", "It is ")


async def test_out_of_sight_it_is_ready_but_reads_nothing(store: Store) -> None:
    completed(store)
    async with opened(store) as (app, pilot):
        await until_shown(app, "✓ completed")
        await app.open_ahead()
        (screen,) = app._screen_stacks["mistakes"]
        assert app.current_mode == "train"
        assert screen.query(ConfusionMatrix)
        assert isinstance(screen, AnswersScreen)
        assert screen.browsing is None
        await visit(app, pilot)
        await until_shown(app, "7 of 50 wrong (14.00 %)")
        assert app.screen is screen


class TestMatrix:
    async def test_it_counts_and_scores_as_scikit_learn_does(self, store: Store) -> None:
        run = completed(store)
        answers = load_answers(run, 3, dataset_at(""))
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            counts = confusion_matrix(answers.labels, answers.predicted, labels=range(10))
            assert (np.array(matrix(app).counts) == counts).all()
            await until(lambda: matrix(app).scores, "the scores are there")
            scores = matrix(app).scores
            assert scores
            assert scores.f1 == pytest.approx(f1_score(answers.labels, answers.predicted, average=None))
            await until_shown(app, "prec", f"{scores.f1[4]:.3f}".removeprefix("0"))

    async def test_walking_in_it_filters_the_gallery(self, store: Store) -> None:
        written(store, {2: 7, 12: 7, 3: 7, 22: 5})
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            matrix(app).focus()
            await pilot.press("down", "down", "down")
            await until(lambda: sorted(indices(app)) == [2, 12, 22], "row 2")
            await until_shown(app, "wrong · digit 2")
            await pilot.press(*["right"] * 8)
            await until(lambda: sorted(indices(app)) == [2, 12], "2 taken for 7")
            await until_shown(app, "wrong · 2 taken for 7")
            await pilot.press("up", "up", "up")
            await until(lambda: sorted(indices(app)) == [2, 3, 12], "column 7")
            assert matrix(app).cell == Cell(predicted=7)
            await pilot.press("escape")
            await until(lambda: len(indices(app)) == 4, "everything")
            assert matrix(app).cell == EVERYTHING

    async def test_the_diagonal_holds_the_right_answers(self, store: Store) -> None:
        written(store, {2: 7})
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            await pilot.press("=")
            await until_shown(app, "right · the diagonal")
            assert len(indices(app)) == 49
            await pilot.press("=")
            await until(lambda: indices(app) == [2], "the mistakes again")

    async def test_a_click_chooses_cell_row_and_column(self, store: Store) -> None:
        written(store, {2: 7, 12: 7, 3: 7, 22: 5})
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            # Inside the border and the padding; names take 1 cell, counts 4 each.
            for offset, cell in (
                ((2 + 1 + 4 * 7 + 2, 1 + 3), Cell(2, 7)),
                ((2, 1 + 3), Cell(true=2)),
                ((2 + 1 + 4 * 7 + 2, 1), Cell(predicted=7)),
                ((2, 1), EVERYTHING),
            ):
                await pilot.click(ConfusionMatrix, offset=offset)
                await until(lambda cell=cell: matrix(app).cell == cell, f"{cell} is chosen")

    async def test_an_empty_cell_says_so(self, store: Store) -> None:
        written(store, {2: 7})
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            matrix(app).focus()
            await pilot.press("down")
            await until_shown(app, "None of these: digit 0")


class TestNamedClasses:
    """Images whose classes have names, as those of Fashion-MNIST."""

    @pytest.mark.parametrize("size", SIZES)
    async def test_every_pane_calls_them_by_name(
        self, store: Store, size: tuple[int, int], tmp_path: Path, sketches: Dataset, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MNIST_TUI_DATA", str(write_idx(tmp_path / "fashion-mnist", sketches)))
        written(store, {9: 4}, {9: 4})
        async with opened(store, size=size) as (app, pilot):
            await visit(app, pilot)
            await until_shown(app, "Ankle boot  ", "→Coat 90%")
            await pilot.press("enter")
            await until_shown(app, "It is Ankle boot; the network says", "Coat  Coat")
            await pilot.press("tab")
            await until_shown(app, "rows true, columns predicted", "T-shirt/top ", "Ankle boot ")
            matrix(app).focus()
            await pilot.press(*["down"] * 10, *["right"] * 5)
            await until_shown(
                app, "wrong · Ankle boot taken for Coat" if size != (80, 24) else "Ankle boot taken for Coat"
            )


class TestGallery:
    async def test_arrows_pages_and_the_mouse_choose_a_digit(self, store: Store) -> None:
        written(store, {index: (index + 1) % 10 for index in range(50)})
        async with opened(store, size=(80, 24)) as (app, pilot):
            await visit(app, pilot)
            await pilot.press(">", ">")
            await until_shown(app, "by image")
            await pilot.press("home")
            await until(lambda: chosen(app) == 0, "the first")
            assert gallery(app).columns == 5
            await pilot.press("right", "down")
            await until(lambda: chosen(app) == 6, "one to the right, one down")
            await pilot.press("pagedown")
            await until(lambda: chosen(app) == 16, "the same place, two rows on")
            await until(lambda: gallery(app).scroll_offset.y == 16, "a page on")
            await pilot.press("end")
            await until(lambda: chosen(app) == 49, "the last")
            await pilot.press("home")
            await until(lambda: gallery(app).scroll_offset.y == 0, "the first row is seen")
            await pilot.click("#gallery", offset=(1 + 15 + 3, 1 + 8 + 2))
            await until(lambda: chosen(app) == 6, "what was clicked")
            await pilot.click("#gallery", offset=(1 + 30 + 3, 3), times=2)
            await until_shown(app, "test image 2", "It is 2; the network says 3")

    async def test_the_order_goes_round(self, store: Store) -> None:
        written(store, {40: 1, 30: 1, 20: 1, 3: 9})
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            found = []
            for title in ("highest loss first", "most sure first", "by image", "one of each pair in turns"):
                await until_shown(app, title)
                found.append(indices(app))
                await pilot.press("end", ">")
                assert chosen(app) == indices(app)[0], "another order is looked at from its beginning"
            # The later an image, the surer is the network; 3→9 comes before the second and third 0→1.
            assert found == [[40, 30, 20, 3], [40, 30, 20, 3], [3, 20, 30, 40], [40, 3, 30, 20]]
            await until_shown(app, "highest loss first")

    async def test_captions_tell_truth_answer_and_confidence(self, store: Store) -> None:
        run = written(store, {13: 8})
        sure = load_answers(run, 1, dataset_at("")).confidence[13]
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            await until_shown(app, f"3→8 {100 * sure:.0f}%")
        async with opened(store, ascii=True) as (app, pilot):
            await until_shown(app, "completed")
            await pilot.press("3")
            await until_shown(app, f"3>8 {100 * sure:.0f}%")
            await until_shown(app, "doubtful labels")
            above_the_footer = shown(app).splitlines()[:-1]
            scroll_bar = set("▁▂▃▄▅▆▇")
            assert {sign for sign in "".join(above_the_footer) if not sign.isascii()} <= {"·"} | scroll_bar


class TestDigit:
    @pytest.mark.parametrize(("size", "lines"), [((80, 24), 17), ((120, 40), 32), ((200, 60), 52)])
    async def test_large_takes_the_room_there_is(self, store: Store, size: tuple[int, int], lines: int) -> None:
        completed(store)
        async with opened(store, size=size) as (app, pilot):
            await visit(app, pilot)
            await pilot.press("enter")
            digit, probabilities = app.screen.query_one(Digit), app.screen.query_one(Probabilities)
            await until(lambda: digit.size == (2 * lines, lines), f"it is {lines} lines high", lambda: str(digit.size))
            await until(lambda: probabilities.region in app.screen.region, "the probabilities are beside it")
            await until_shown(app, "sure %", "true %")

    async def test_it_has_its_history_and_its_neighbours(self, store: Store) -> None:
        written(store, {14: 9, 5: 6}, {5: 6}, {14: 9, 5: 6})
        async with opened(store, size=(200, 60)) as (app, pilot):
            await visit(app, pilot)
            await until(lambda: chosen(app) == 14, "the surest mistake")
            await until_shown(app, "says      9    4✓   9", "nearest training images, the nearest first")
            dataset = dataset_at("")
            nearest = NearestDigits(dataset.train_images).find(dataset.test_images[14], 3)
            for index in nearest:
                await until_shown(app, f"{dataset.train_labels[index]} · {index:,}")

    async def test_its_neighbours_are_images_that_the_run_has_trained_on(self, store: Store) -> None:
        info = dataset_at("").info
        runs = []
        for seen in (info.train_examples, 3):
            run = WrittenRun(store, epochs=1)
            run.start(msgspec.structs.replace(info, train_examples=seen))
            run.epoch(1, wrong=5)
            runs.append(run.finish())
        many, few = runs
        async with opened(store, size=(200, 60), open_run=many) as (app, pilot):
            await visit(app, pilot)
            await until(lambda: len(neighbours(app)) > 3, "the neighbours among all training images")
            late = NeighboursFound(dataset_at(""), info.train_examples, chosen(app), tuple(neighbours(app)))
            app.open_run(few)
            await until(lambda: sorted(neighbours(app)) == [0, 1, 2], "the neighbours among the first three")
            app.screen.post_message(late)
            await pilot.pause()
            assert sorted(neighbours(app)) == [0, 1, 2]

    async def test_next_and_previous_and_back(self, store: Store) -> None:
        written(store, {14: 9, 5: 6})
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            await pilot.press("enter")
            await until_shown(app, "test image 14")
            await until(lambda: not gallery(app).region.area, "the digit has the screen")
            await pilot.press("right")
            await until_shown(app, "test image 5")
            await pilot.press("left")
            await until_shown(app, "test image 14")
            await pilot.press("escape")
            await until(lambda: gallery(app).has_focus and gallery(app).region.area, "the gallery is back")

    async def test_its_index_goes_to_the_clipboard(self, store: Store) -> None:
        written(store, {14: 9})
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            await pilot.press("c")
            await until(lambda: app.clipboard == "14", "the clipboard has it")


class TestTime:
    async def test_keys_and_the_slider_go_through_the_epochs(self, store: Store) -> None:
        completed(store)
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            await pilot.press("comma")
            await until_shown(app, "after epoch 2 of 3", "8 of 50 wrong")
            app.screen.query_one(EpochSlider).focus()
            await pilot.press("left")
            await until_shown(app, "after epoch 1 of 3", "9 of 50 wrong")
            await pilot.click(EpochSlider, offset=(len("after epoch 1 of 3  ") + 39, 0))
            await until_shown(app, "after epoch 3 of 3", "7 of 50 wrong")

    async def test_the_digit_chosen_stays_chosen_where_it_is_still_wrong(self, store: Store) -> None:
        completed(store)
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            await pilot.press("right")
            await until(lambda: chosen(app) == 5, "the second")
            await pilot.press("comma")
            await until_shown(app, "8 of 50 wrong")
            assert chosen(app) == 5

    async def test_groups_tell_what_was_learnt_and_forgotten(self, store: Store) -> None:
        written(store, {1: 0, 2: 0, 3: 0, 4: 0}, {1: 0, 2: 0, 9: 0}, {1: 0, 2: 0}, {1: 0, 4: 0})
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            await until_shown(app, "wrong: every test image that is wrong after this epoch")
            for name, images, meaning in (
                ("just learnt 1", [2], "just learnt: wrong after the epoch before, right after this one"),
                ("just forgotten 1", [4], "just forgotten: right after the epoch before, wrong after this one"),
                ("never right 1", [1], "never right: wrong after every epoch: the hardest images"),
            ):
                await until_shown(app, name)
                await pilot.press("w")
                await until(lambda images=images: sorted(indices(app)) == images, f"{name} is shown")
                await until_shown(app, meaning)
            await pilot.click("#groups", offset=(3, 0))
            await until(lambda: sorted(indices(app)) == [1, 4], "the click shows the mistakes")

    async def test_it_follows_a_live_run_from_before_its_first_predictions(self, store: Store) -> None:
        live = WrittenRun(store)
        live.start()
        async with opened(store) as (app, pilot):
            await until_shown(app, "● running")
            await pilot.press("3")
            await until_shown(app, "No predictions yet")
            live.epoch(1, wrong=9)
            await until_shown(app, "after epoch 1 of 1", "9 of 50 wrong")
            live.epoch(2, wrong=4)
            await until_shown(app, "after epoch 2 of 2", "4 of 50 wrong", "just learnt 5")
            await pilot.press("comma")
            await until_shown(app, "after epoch 1 of 2")
            live.epoch(3, wrong=0)
            await until_shown(app, "after epoch 1 of 3", "never right 0")
            await pilot.press("full_stop", "full_stop")
            await until_shown(app, "Not a single mistake")
        live.vanish()


class TestTwoRuns:
    async def test_another_run_is_laid_over_with_mcnemars_test_in_words(self, store: Store) -> None:
        other = written(store, {index: (index + 1) % 10 for index in range(10, 30)}, name="worse")
        written(store, {10: 5, 40: 5}, name="better")
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            await pilot.press("m")
            await until_shown(app, "Lay another run over this one", "worse")
            await pilot.press("enter")
            await until_shown(
                app, "wrong in both 1", "only here 1", "only there 19", "this run is better on these images: p < 0.001"
            )
            sure = load_answers(other, 1, dataset_at("")).confidence[10]
            await until_shown(app, f"→1 {100 * sure:.0f}%", "laid over: worse")
            await pilot.press("W")
            await until(lambda: sorted(indices(app)) == [*range(11, 30)], "wrong there alone")
            await pilot.press("m", "home", "enter")
            await until(lambda: "only there" not in shown(app), "this run alone again")

    async def test_the_other_half_of_a_matched_pair_is_laid_over_unasked(self, store: Store) -> None:
        written(store, {1: 7, 2: 8}, conventions="torch", backend="tensorflow")
        written(store, {1: 7, 3: 5, 4: 9}, conventions="torch", backend="torch")
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            await until_shown(app, "wrong in both 1", "only here 2", "only there 1")

    async def test_without_another_run_it_says_so(self, store: Store) -> None:
        completed(store)
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            await pilot.press("m")
            await until_shown(app, "Nothing to compare with")

    async def test_labels_that_all_runs_doubt_are_a_group(self, store: Store) -> None:
        written(store, {10: 1, 20: 1, 49: 3})
        written(store, {20: 1, 49: 4, 7: 1})
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            await pilot.click("#groups", offset=(65, 0))
            await until_shown(app, "doubtful labels 2")
            assert sorted(indices(app)) == [20, 49]


class TestExport:
    async def test_the_csv_has_exactly_what_is_on_display(self, store: Store, tmp_path: Path) -> None:
        run = written(store, {14: 9, 5: 6, 15: 6})
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            await pilot.press("e")
            await until_shown(app, "Write 3 images: wrong")
            await pilot.press("enter")
            await until_shown(app, "3 rows in")
            path = tmp_path / f"mistakes-{run.id}-epoch-1.csv"
            rows = list(csv.DictReader(path.open()))
            assert [int(row["index"]) for row in rows] == [15, 14, 5]
            await pilot.press("e")
            await until(lambda: isinstance(app.screen, ExportScreen), "the question is there again")
            await pilot.press("enter")
            await until_shown(app, "There is a ")

    async def test_it_has_what_was_on_display_when_it_was_asked_for(self, store: Store, tmp_path: Path) -> None:
        live = WrittenRun(store)
        live.start()
        live.epoch(1, wrong=9)
        async with opened(store) as (app, pilot):
            await until_shown(app, "● running")
            await pilot.press("3")
            await until_shown(app, "after epoch 1 of 1")
            browsing = answers(app).browsing
            assert browsing
            await pilot.press("e")
            await until_shown(app, "Write 9 images: wrong")
            live.epoch(2, wrong=3)
            await until(lambda: browsing.epoch == 2, "the screen below is an epoch further")
            await pilot.press("enter")
            await until_shown(app, "9 rows in")
            rows = list(csv.DictReader((tmp_path / f"mistakes-{live.run.id}-epoch-1.csv").open()))
            assert len(rows) == 9
        live.vanish()

    @pytest.mark.parametrize(
        ("path", "objection"),
        [
            ("/", "This is no name for a file."),
            ("a\0b", "This is no name for a file."),
            ("n" * 300, "long"),  # the message wraps where the folder's name ends
            ("/dev/null/x.csv", "/dev/null is a file,"),
        ],
    )
    async def test_a_path_that_cannot_be_is_explained(self, store: Store, path: str, objection: str) -> None:
        written(store, {14: 9})
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            await pilot.press("e")
            await until_shown(app, "Write 1 images")
            for widget in ("Input", "#csv", "#png"):
                app.screen.query_one(Input).value = path
                app.screen.query_one("#problem", Static).update()
                app.screen.query_one(widget).focus()
                await pilot.press("enter")
                await until_shown(app, objection)
            await pilot.press("escape")
            await until(lambda: not isinstance(app.screen, ExportScreen), "the question is gone")

    async def test_a_user_that_there_is_not_is_a_folder(self, store: Store, tmp_path: Path) -> None:
        written(store, {14: 9})
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            await pilot.press("e")
            await until_shown(app, "Write 1 images")
            app.screen.query_one(Input).value = "~no such user/digits"
            await pilot.press("enter")
            await until_shown(app, "1 rows in")
            assert (tmp_path / "~no such user" / "digits.csv").exists()

    async def test_in_a_folder_that_is_gone_another_is_asked_for(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written(store, {14: 9})
        gone = tmp_path / "gone"
        gone.mkdir()
        monkeypatch.chdir(gone)
        async with opened(store) as (app, pilot):
            await visit(app, pilot)
            gone.rmdir()
            await pilot.press("e")
            await until_shown(app, "Write 1 images")
            await pilot.press("enter")
            await until_shown(app, "the current folder has been deleted")
            app.screen.query_one(Input).value = str(tmp_path / "digits")
            await pilot.press("enter")
            await until_shown(app, "1 rows in")
            assert (tmp_path / "digits.csv").exists()


class TestTrouble:
    async def test_a_run_that_ended_before_its_first_epoch_has_none(self, store: Store) -> None:
        ended = WrittenRun(store)
        ended.start()
        ended.finish("stopped")
        async with opened(store) as (app, pilot):
            await until_shown(app, "■ stopped")
            await pilot.press("3")
            await until_shown(app, "has no predictions")

    async def test_damaged_predictions_are_told_and_other_epochs_still_shown(self, store: Store) -> None:
        run = completed(store)
        predictions_path(run.predictions_path, 3).write_bytes(b"PK\x03\x04 not an archive")
        async with opened(store) as (app, pilot):
            await until_shown(app, "✓ completed")
            await pilot.press("3")
            await until_shown(app, "Predictions damaged")
            await pilot.press("comma")
            await until_shown(app, "8 of 50 wrong", "just learnt 1")

    async def test_a_dataset_that_is_gone_or_another_one_is_told(
        self, store: Store, tmp_path: Path, sketches: Dataset
    ) -> None:
        folder = write_idx(tmp_path / "mine", sketches)
        completed(store, data=str(folder))
        labels = folder / "t10k-labels-idx1-ubyte"
        labels.write_bytes(labels.read_bytes()[:-1] + b"\x05")
        async with opened(store) as (app, pilot):
            await until_shown(app, "✓ completed")
            await pilot.press("3")
            await until_shown(app, "Another dataset")
            await pilot.press("1")
            await until_shown(app, "✓ completed")
        gone = completed(store, data=str(tmp_path / "nowhere"))
        async with opened(store, open_run=gone) as (app, pilot):
            await until_shown(app, "✓ completed")
            await pilot.press("3")
            await until_shown(app, "nowhere")
