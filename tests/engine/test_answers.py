"""A run's answers: counts and scores as scikit-learn has them, what to look at, and what changes over the epochs."""

from __future__ import annotations

import csv
import io
import math
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics

from engine import data
from engine.answers import Answers, check_dataset, load_answers
from engine.backends import BACKENDS
from engine.config import TrainConfig
from engine.data import Dataset
from engine.errors import BackendError, DataError, RunError, StoreError
from engine.evaluation import load_predictions, predicted_epochs, predictions_path, save_predictions
from engine.export import COLUMNS, csv_text, save_contact_sheet, save_csv
from engine.history import History
from engine.neighbours import NearestDigits
from engine.overlay import Overlay
from engine.runs import Run, Store
from engine.scores import class_scores
from engine.selection import EVERYTHING, ORDERS, Cell, in_order, select
from engine.suspects import find_suspects
from engine.trainer import train
from tests.conftest import write_idx
from tests.reference import ReferenceBackend

BACKEND = ReferenceBackend(dtype=np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sample_dataset: Dataset) -> Path:
    """Real digits: 300 to train and 200 to test."""
    few = replace(
        sample_dataset,
        train_images=sample_dataset.train_images[:300],
        train_labels=sample_dataset.train_labels[:300],
        test_images=sample_dataset.test_images[:200],
        test_labels=sample_dataset.test_labels[:200],
    )
    return write_idx(tmp_path_factory.mktemp("digits") / "few", few)


@pytest.fixture(scope="module")
def dataset(folder: Path) -> Dataset:
    return data.load(str(folder))


@pytest.fixture(scope="module")
def store_of_two(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Store:
    """Two runs of five epochs on these digits, which differ in their seed."""
    store = Store(tmp_path_factory.mktemp("runs"))
    for seed in (1, 2):
        trained(store, folder, seed)
    return store


@pytest.fixture(scope="module")
def run(store_of_two: Store) -> Run:
    return store_of_two.runs()[0]


@pytest.fixture(scope="module")
def answers(run: Run, dataset: Dataset) -> Answers:
    """What the first run answered after its last epoch."""
    return load_answers(run, 5, dataset)


@pytest.fixture(scope="module")
def history(run: Run, dataset: Dataset) -> History:
    return History({epoch: load_answers(run, epoch, dataset) for epoch in predicted_epochs(run.predictions_path)})


def trained(store: Store, folder: Path, seed: int) -> Run:
    config = TrainConfig.create(
        model="cnn", learning_rate=0.02, batch_size=32, epochs=5, seed=seed, data=str(folder), device="cpu"
    )
    run, lock = store.create(config)
    for event in train(config, run, backend=BACKEND):
        record(run, event)
    lock.release()
    return run


def record(run: Run, event: object) -> None:
    from engine.eventlog import EventWriter

    log = EventWriter(run.events_path)
    log.append(event)  # type: ignore[arg-type]
    log.close()


def answers_of(predicted: list[int], labels: list[int], sure: float = 0.8) -> Answers:
    """Return answers with this confidence each."""
    probabilities = np.full((len(labels), 10), (1 - sure) / 9, np.float16)
    probabilities[np.arange(len(labels)), predicted] = sure
    return Answers(probabilities, np.array(labels))


class TestAnswers:
    def test_counts_and_scores_are_those_of_scikit_learn(self, answers: Answers) -> None:
        labels, predicted = answers.labels, answers.predicted
        assert 20 < len(answers.mistakes) < 180
        assert (answers.confusion_matrix == metrics.confusion_matrix(labels, predicted, labels=range(10))).all()
        scores = class_scores(answers)
        for values, score in (
            (scores.precision, metrics.precision_score),
            (scores.recall, metrics.recall_score),
            (scores.f1, metrics.f1_score),
        ):
            assert values == pytest.approx(score(labels, predicted, average=None, zero_division=0.0))
        assert scores.support == tuple(np.bincount(labels))
        assert 1 - len(answers.mistakes) / len(labels) == metrics.accuracy_score(labels, predicted)

    def test_the_mean_loss_is_that_of_scikit_learn(self, answers: Answers) -> None:
        probabilities = answers.probabilities.astype(np.float64)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        assert answers.loss.mean() == pytest.approx(metrics.log_loss(answers.labels, probabilities), rel=1e-2)

    def test_scores_with_nothing_to_divide_by_are_undefined(self) -> None:
        """Class 2 is never answered, class 3 has no images, class 4 has neither."""
        scores = class_scores(answers_of(predicted=[0, 0, 1, 3], labels=[0, 2, 1, 1]))
        assert scores.precision[:5] == (0.5, 1.0, None, 0.0, None)
        assert scores.recall[:5] == (1.0, 0.5, 0.0, None, None)
        assert scores.f1[:5] == (pytest.approx(2 / 3), pytest.approx(2 / 3), 0.0, 0.0, None)

    def test_predictions_for_fewer_images_are_refused(self, run: Run, dataset: Dataset) -> None:
        fewer = replace(dataset, test_labels=dataset.test_labels[:50])
        with pytest.raises(DataError, match="200 predictions for 50 test images"):
            load_answers(run, 1, fewer)

    def test_a_missing_epoch_is_told(self, run: Run, dataset: Dataset) -> None:
        with pytest.raises(RunError, match="not there"):
            load_answers(run, 99, dataset)

    def test_another_dataset_is_known_by_its_fingerprint(self, run: Run, sketches_folder: Path) -> None:
        with pytest.raises(DataError, match="Another dataset"):
            check_dataset(run.progress().started, data.load(str(sketches_folder)))


class TestSelection:
    def test_rows_columns_and_cells_hold_what_the_matrix_counts(self, answers: Answers) -> None:
        matrix = answers.confusion_matrix
        for true in range(10):
            assert len(select(answers, Cell(true=true))) == matrix[true].sum() - matrix[true, true]
            assert len(select(answers, Cell(predicted=true))) == matrix[:, true].sum() - matrix[true, true]
            for predicted in range(10):
                found = select(answers, Cell(true, predicted))
                assert len(found) == matrix[true, predicted]
                assert (answers.labels[found] == true).all()
                assert (answers.predicted[found] == predicted).all()
        assert len(select(answers, Cell(diagonal=True))) == matrix.trace()
        assert (select(answers) == answers.mistakes).all()

    def test_a_cell_narrows_down_what_it_is_given(self, answers: Answers) -> None:
        among = np.arange(0, 200, 2)
        assert (select(answers, EVERYTHING, among) == among).all()
        assert (answers.labels[select(answers, Cell(true=3), among)] == 3).all()
        assert not answers.wrong[select(answers, Cell(diagonal=True), among)].any()

    @pytest.mark.parametrize("order", ORDERS)
    def test_every_order_keeps_every_image(self, answers: Answers, order: str) -> None:
        ordered = in_order(answers, answers.mistakes, order)  # type: ignore[arg-type]
        assert sorted(ordered) == list(answers.mistakes)

    def test_orders_put_first_what_they_say(self, answers: Answers) -> None:
        mistakes = answers.mistakes
        assert (np.diff(answers.loss[in_order(answers, mistakes, "loss")]) <= 0).all()
        assert (np.diff(answers.confidence[in_order(answers, mistakes, "confidence")]) <= 0).all()
        assert (np.diff(in_order(answers, mistakes[::-1], "index")) > 0).all()

    def test_spread_takes_the_worst_of_every_pair_before_the_second_of_any(self, answers: Answers) -> None:
        spread = in_order(answers, answers.mistakes, "spread")
        pairs = list(zip(answers.labels[spread], answers.predicted[spread], strict=True))
        different = len(set(pairs))
        assert 1 < different < len(pairs)
        assert len(set(pairs[:different])) == different
        assert spread[0] == in_order(answers, answers.mistakes, "loss")[0]
        for pair in set(pairs):
            losses = [answers.loss[i] for i, p in zip(spread, pairs, strict=True) if p == pair]
            assert losses == sorted(losses, reverse=True)


class TestHistory:
    def test_it_tells_by_image_what_a_look_at_every_epoch_would(self, history: History) -> None:
        rows = np.array([answers.wrong for answers in history.answers.values()])
        for index in range(rows.shape[1]):
            wrong = rows[:, index].tolist()
            steps = list(pairwise(wrong))
            assert (index in history.always_wrong) == all(wrong)
            for position, epoch in list(enumerate(history.epochs))[1:]:
                assert (index in history.newly_right(epoch)) == (steps[position - 1] == (True, False))
                assert (index in history.newly_wrong(epoch)) == (steps[position - 1] == (False, True))
        assert len(history.always_wrong)

    def test_nothing_is_new_after_the_first_epoch(self, history: History) -> None:
        assert not len(history.newly_right(1))
        assert not len(history.newly_wrong(1))

    def test_one_epoch_alone_has_always_wrong_images_only(self, answers: Answers) -> None:
        history = History({1: answers})
        assert (history.always_wrong == answers.mistakes).all()

    def test_an_image_has_its_answer_after_every_epoch(self, history: History) -> None:
        moments = history.of_image(7)
        assert [moment.epoch for moment in moments] == [1, 2, 3, 4, 5]
        last = history.answers[5]
        assert moments[-1].predicted == last.predicted[7]
        assert moments[-1].label_probability == last.probabilities[7, last.labels[7]]


class TestOverlay:
    def test_the_mistakes_of_two_runs_are_parted_in_three(self, store_of_two: Store, dataset: Dataset) -> None:
        first, second = (load_answers(run, 5, dataset) for run in store_of_two.runs())
        overlay = Overlay(first, second)
        parts = (overlay.both_wrong, overlay.only_first_wrong, overlay.only_second_wrong)
        assert all(map(len, parts))
        assert sorted([*parts[0], *parts[1]]) == list(first.mistakes)
        assert sorted([*parts[0], *parts[2]]) == list(second.mistakes)

    @pytest.mark.parametrize(("only_first", "only_second"), [(0, 0), (3, 3), (1, 8), (20, 5), (12, 14)])
    def test_mcnemars_p_value_is_that_of_the_binomial_by_hand(self, only_first: int, only_second: int) -> None:
        discordant = only_first + only_second
        labels = [1] * (discordant + 4)
        first = answers_of([2] * only_first + [1] * only_second + [1, 1, 2, 2], labels)
        second = answers_of([1] * only_first + [2] * only_second + [1, 1, 2, 2], labels)
        tail = sum(math.comb(discordant, k) for k in range(min(only_first, only_second) + 1)) / 2**discordant
        assert Overlay(first, second).p_value == pytest.approx(min(1.0, 2 * tail))

    def test_the_verdict_is_in_words(self) -> None:
        labels = [1] * 30
        better, worse = answers_of([1] * 30, labels), answers_of([2] * 15 + [1] * 15, labels)
        assert Overlay(worse, better).verdict() == "the second is better on these images: p < 0.001"
        assert Overlay(better, worse).verdict() == "the first is better on these images: p < 0.001"
        assert Overlay(better, better).verdict() == "no more than chance: p = 1.00"


def test_the_nearest_training_digits_are_those_that_a_look_at_all_finds(dataset: Dataset) -> None:
    image = dataset.test_images[0]
    halved = dataset.train_images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))
    distances = ((halved - image.reshape(14, 2, 14, 2).mean(axis=(1, 3))) ** 2).sum(axis=(1, 2))
    assert NearestDigits(dataset.train_images).find(image, 5) == tuple(np.argsort(distances)[:5])
    assert NearestDigits(dataset.train_images).find(dataset.train_images[11], 1) == (11,)
    assert len(NearestDigits(dataset.train_images).find(image, 1000)) == 300
    assert set(NearestDigits(dataset.train_images[:40]).find(image, 1000)) == set(range(40)), "no others than these"


class TestSuspects:
    def test_all_runs_doubt_what_each_of_them_gets_wrong_and_is_sure_of(
        self, store_of_two: Store, dataset: Dataset
    ) -> None:
        inquest = find_suspects(store_of_two.runs(), dataset, sure=0.5)
        both = [load_answers(run, 5, dataset) for run in store_of_two.runs()]
        expected = [i for i in range(200) if all(a.wrong[i] and a.confidence[i] >= 0.5 for a in both)]
        assert sorted(suspect.index for suspect in inquest.suspects) == expected
        assert expected
        assert [s.confidence for s in inquest.suspects] == sorted(
            (s.confidence for s in inquest.suspects), reverse=True
        )
        first = inquest.suspects[0]
        assert first.label == dataset.test_labels[first.index]
        assert first.predicted == tuple(int(a.predicted[first.index]) for a in both)

    def test_runs_on_other_images_and_unreadable_ones_are_left_out(
        self, store: Store, folder: Path, sketches_folder: Path, dataset: Dataset
    ) -> None:
        good, other, damaged = (trained(store, place, 1) for place in (folder, sketches_folder, folder))
        predictions_path(damaged.predictions_path, 5).write_bytes(b"")
        untrained, lock = store.create(TrainConfig())
        lock.release()
        inquest = find_suspects([good, other, damaged, untrained], dataset)
        assert inquest.asked == (good.id,)
        assert inquest.left_out == (other.id, damaged.id, untrained.id)


class TestExport:
    def test_the_rows_are_exactly_the_mistakes_in_their_order(self, answers: Answers) -> None:
        ordered = in_order(answers, answers.mistakes, "confidence")
        rows = list(csv.DictReader(io.StringIO(csv_text(answers, ordered))))
        assert tuple(rows[0]) == COLUMNS
        assert [int(row["index"]) for row in rows] == ordered.tolist()
        for row in rows:
            index = int(row["index"])
            assert int(row["true"]) == answers.labels[index] != int(row["predicted"]) == answers.predicted[index]
            assert float(row["confidence"]) == pytest.approx(answers.confidence[index], abs=1e-6)
            assert float(row["loss"]) == pytest.approx(answers.loss[index], abs=1e-5)
            assert [float(row[f"p{k}"]) for k in range(10)] == pytest.approx(answers.probabilities[index], abs=1e-6)

    def test_another_runs_answers_stand_beside(self, answers: Answers, history: History) -> None:
        rows = list(csv.DictReader(io.StringIO(csv_text(answers, answers.mistakes, history.answers[1]))))
        assert [int(row["predicted_2"]) for row in rows] == history.answers[1].predicted[answers.mistakes].tolist()

    def test_a_place_that_cannot_be_written_is_told(self, answers: Answers, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(StoreError, match="cannot be written"):
            save_csv(tmp_path / "file" / "a.csv", answers, answers.mistakes)

    @pytest.mark.skipif(not BACKENDS["torch"].installed, reason="torchvision is not installed")
    def test_the_contact_sheet_holds_the_pictures(self, answers: Answers, dataset: Dataset, tmp_path: Path) -> None:
        path = tmp_path / "sheet.png"
        chosen = answers.mistakes[:7]
        assert save_contact_sheet(path, dataset.test_images, answers, chosen) == 7
        assert "torchvision" not in sys.modules
        sheet = np.array(Image.open(path))
        # Three beside each other, each 56 × 56 pixels and a caption of 14, with 4 pixels around.
        assert sheet.shape == (3 * (56 + 14 + 4) + 4, 3 * (56 + 4) + 4)
        assert (sheet[4:60:2, 4:60:2] == dataset.test_images[chosen[0]]).all()
        assert (sheet[4:60:2, 64:120:2] == dataset.test_images[chosen[1]]).all()

    def test_without_torchvision_it_says_what_to_install(
        self, answers: Answers, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "torchvision", None)
        with pytest.raises(BackendError, match=r"pip install 'mnist-tui\[torch\]'"):
            save_contact_sheet(tmp_path / "sheet.png", dataset.test_images, answers, answers.mistakes)


def test_predictions_come_back_as_they_were_saved(tmp_path: Path) -> None:
    logits = np.random.default_rng(1).normal(0, 3, (20, 10))
    save_predictions(tmp_path / "epoch-0001.npz", logits)
    assert predicted_epochs(tmp_path) == [1]


def test_rounding_changes_no_answer(tmp_path: Path) -> None:
    logits = np.zeros((2, 10), np.float32)
    logits[0, 3], logits[0, 7] = 1.0, np.float32(1.0001)  # as float16, both probabilities are the same
    logits[1, 5] = 1e-6
    save_predictions(tmp_path / "epoch-0001.npz", logits)
    assert load_predictions(tmp_path / "epoch-0001.npz").argmax(axis=1).tolist() == [7, 5]
