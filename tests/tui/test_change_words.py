"""What was changed in a run, in words and as marks in a chart; and what more epochs do to its learning rate."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.changes import BackendChange, Change, Extension, RateChange
from engine.config import TrainConfig
from engine.runs import Progress
from tests.engine.test_runs import STARTED
from tui.change_words import ChangeMark, change_marks, changes_text
from tui.extending import needs_choice, outlook
from tui.facts import facts_of
from tui.recipe import in_a_line, sentences, training_loss_note

RATE = RateChange(epoch=3, step=5, before=0.01, after=0.003)
FURTHER = RateChange(epoch=7, step=1, before=0.003, after=0.001)
OTHER = BackendChange(epoch=6, step=1, before="torch", after="tensorflow")
MORE = Extension(epoch=10, before=10, after=20, schedule="hold")
IMAGES = msgspec.structs.replace(STARTED.dataset, train_examples=640)


def progress(*changes: Change) -> Progress:
    return Progress(started=msgspec.structs.replace(STARTED, dataset=IMAGES), changes=changes)


def config(**settings: Any) -> TrainConfig:
    return TrainConfig.create(**settings)


@pytest.mark.parametrize(
    ("changes", "key", "told"),
    [
        ((), "learning_rate", 0.01),
        ((RATE,), "learning_rate", "0.01 → 0.003 in epoch 3"),
        ((RATE, FURTHER), "learning_rate", "0.01 → 0.003 in epoch 3 → 0.001 in epoch 7"),
        ((msgspec.structs.replace(RATE, before=None),), "learning_rate", "0.01 → 0.003 in epoch 3"),
        ((OTHER,), "backend", "torch → tensorflow in epoch 6"),
        ((MORE,), "epochs", "10 → 20 after epoch 10"),
    ],
)
def test_a_setting_that_was_changed_is_told_with_its_changes(changes: tuple[Change, ...], key: str, told: Any) -> None:
    facts = facts_of(config(), progress(*changes), "")
    assert facts[key] == told


def test_an_extension_tells_what_a_schedule_did_then() -> None:
    assert facts_of(config(schedule="cosine"), progress(MORE), "")["epochs"] == "10 → 20 after epoch 10 (rate held)"


def test_the_recipe_of_a_run_tells_its_changes_and_that_of_the_form_has_none() -> None:
    line = in_a_line(config(), progress(RATE, OTHER, MORE))
    assert "Adam 0.01 → 0.003 in epoch 3 · batch 64 · 10 → 20 epochs" in line
    assert line.endswith("torch → tensorflow in epoch 6")
    assert "→" not in in_a_line(config())
    words = " ".join(sentences(config(), progress(RATE, OTHER, MORE)))
    assert "PyTorch, then TensorFlow from epoch 6 on, trains on cpu, for 10 → 20 epochs." in words
    assert "a learning rate of 0.01 → 0.003 in epoch 3," in words


def test_all_changes_in_a_line() -> None:
    assert changes_text(config(), progress()) == ""
    assert (
        changes_text(config(), progress(RATE, MORE)) == "rate 0.01 → 0.003 in epoch 3 · epochs 10 → 20 after epoch 10"
    )


def test_a_chart_marks_a_change_where_it_happened() -> None:
    """An epoch has ten steps of 64 images; the fifth step of epoch 3 begins at 2.4."""
    assert change_marks(config(), progress(RATE, OTHER, MORE)) == (
        ChangeMark(2.4, "rate 0.003"),
        ChangeMark(5.0, "tensorflow"),
        ChangeMark(10.0, "extended to 20"),
    )


class TestTheTrainingLoss:
    @pytest.mark.parametrize(
        ("settings", "note"),
        [
            ({}, ""),
            ({"label_smoothing": 0.1}, "Train loss is that of smoothed labels; test loss is not."),
            (
                {"label_smoothing": 0.1, "augmentation": "shift"},
                "Train loss is that of smoothed labels and shifted images; test loss is not.",
            ),
        ],
    )
    def test_it_is_said_where_it_does_not_compare_with_the_test_loss(self, settings: Any, note: str) -> None:
        assert training_loss_note(config(**settings)) == note
        assert len(note) <= 80


class TestMoreEpochs:
    def test_a_constant_rate_stays(self) -> None:
        assert outlook(config(), progress(RATE), 20, "hold") == "The learning rate stays 0.003."
        assert not needs_choice(config(), progress(), 20)

    def test_a_schedule_needs_a_choice_beyond_its_end(self) -> None:
        cycle = config(schedule="onecycle")
        assert needs_choice(cycle, progress(), 20)
        assert not needs_choice(cycle, progress(), 10)
        assert outlook(cycle, progress(), 20, "hold").startswith("Epochs 11 to 20 have the last learning rate of the")
        assert outlook(cycle, progress(), 20, "hold").endswith("4e-08. That changes little.")
        assert outlook(cycle, progress(), 20, "restart") == (
            "Epochs 11 to 20 have a onecycle schedule of their own, up to 0.01."
        )

    def test_a_run_that_was_shortened_goes_on_with_its_schedule(self) -> None:
        shortened = progress(Extension(epoch=2, before=10, after=4, schedule="hold"))
        assert outlook(config(schedule="cosine"), shortened, 8, "hold") == (
            "The learning rate goes on with its cosine schedule over 10 epochs."
        )
