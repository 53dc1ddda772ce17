"""Repeats have the same settings and images, were trained in the same way, and nothing was changed on the way."""

from __future__ import annotations

from typing import Any

import pytest

from engine import events
from engine.config import TrainConfig
from engine.events import AnyEvent
from engine.repeats import identity_of, recipe_of, why_alone
from engine.runs import Progress

RECIPE = TrainConfig.preset("pytorch-tutorial", device="cpu")


def started(fingerprint: str = "mnist", **changes: Any) -> events.RunStarted:
    values = {
        "run": "a", "backend": "torch", "framework_version": "2.14.1", "device": "cpu", "device_name": "2 cores",
        "model": "cnn-bn", "parameters": 2174, "epochs": 10, "kernels": "fused",
        "dataset": events.DatasetInfo(
            name="MNIST", source="a folder", fingerprint=fingerprint, train_examples=60_000, test_examples=10_000
        ),
    }  # fmt: skip
    return events.RunStarted(**{**values, **changes})


def identity(*log: AnyEvent, config: TrainConfig = RECIPE) -> object:
    return identity_of(config, Progress.of(log))


def resumed(**changes: Any) -> tuple[AnyEvent, ...]:
    """A run that was stopped after its second epoch and went on."""
    again = {"resumed_from": 2, "resumed_step": 0, "learning_rate": RECIPE.learning_rate, **changes}
    return started(), events.RunRelaunched(), started(**again)


def test_another_seed_name_folder_or_number_of_threads_makes_a_repeat() -> None:
    other = RECIPE.replace(seed=7, name="again", data="/elsewhere", threads=1, device="auto", preset_name="")
    assert recipe_of(other) == recipe_of(RECIPE)
    assert identity(started(), config=other) == identity(started(device_name="4 cores")) is not None


@pytest.mark.parametrize(
    "other",
    [
        started("fashion"), started(framework_version="2.15.0"), started(device="cuda:0"), started(kernels="framework"),
        started(kernels=None),
    ],
)  # fmt: skip
def test_other_images_version_device_or_kernels_make_none(other: events.RunStarted) -> None:
    assert identity(other) != identity(started())


def test_two_gpus_of_one_kind_make_a_repeat() -> None:
    assert identity(started(device="cuda:0")) == identity(started(device="cuda:1"))


@pytest.mark.parametrize("changes", [{"learning_rate": 0.5}, {"limit": 1000}, {"epochs": 3}, {"conventions": "keras"}])
def test_another_setting_makes_none(changes: dict[str, Any]) -> None:
    assert identity(started(), config=RECIPE.replace(**changes)) != identity(started())


def test_a_run_that_was_stopped_and_resumed_is_a_repeat() -> None:
    assert identity(*resumed()) == identity(started())


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ((), "it has not begun to train"),
        (
            (started(), events.CommandApplied(command="set_learning_rate", epoch=2, step=1, learning_rate=5.0)),
            "its learning rate was changed on the way",
        ),
        ((started(), events.RunExtended(epochs_before=10, epochs=20, schedule="hold")), "its epochs were changed"),
        (resumed(backend="tensorflow", framework_version="2.21"), "two frameworks trained it"),
        (resumed(framework_version="2.15.0"), "resumed with another version"),
        (resumed(device="cuda:0", kernels="framework"), "resumed with another version, kind of device or kernels"),
    ],
)
def test_a_run_that_was_changed_on_the_way_or_has_not_begun_repeats_none(
    log: tuple[AnyEvent, ...], reason: str
) -> None:
    assert identity(*log) is None
    assert reason in why_alone(Progress.of(log))
