"""The reference itself: its gradients by finite differences, its optimizers by hand."""

from __future__ import annotations

import numpy as np
import pytest

from engine.config import TrainConfig
from engine.evaluation import score
from engine.models import ARCHITECTURES
from tests.reference import ReferenceLearner

CHECKED_PER_WEIGHT = 12
SMALL = 1e-6


@pytest.fixture
def images() -> np.ndarray:
    """Eight images of noise: no two pixels tie in a max pool, few values lie near the kink of a ReLU."""
    return np.random.default_rng(3).integers(0, 256, (8, 28, 28), dtype=np.uint8)


@pytest.fixture
def labels() -> np.ndarray:
    return np.arange(8)


def make_learner(images: np.ndarray, labels: np.ndarray, **settings: object) -> ReferenceLearner:
    return ReferenceLearner(TrainConfig.create(**settings), images, labels)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("model", ARCHITECTURES)
def test_gradients_are_the_slope_of_the_loss(
    model: str, label_smoothing: float, images: np.ndarray, labels: np.ndarray
) -> None:
    learner = make_learner(images, labels, model=model, label_smoothing=label_smoothing)
    generator = np.random.default_rng(0)
    for name, gradient in learner.gradients(images, labels).items():
        weight = learner.weights[name]
        for place in generator.integers(0, weight.size, CHECKED_PER_WEIGHT):
            position = np.unravel_index(place, weight.shape)
            original = weight[position]
            weight[position] = original + SMALL
            above = learner.loss(images, labels)
            weight[position] = original - SMALL
            below = learner.loss(images, labels)
            weight[position] = original
            slope = (above - below) / (2 * SMALL)
            assert gradient[position] == pytest.approx(slope, rel=1e-5, abs=1e-8), f"{name} {position}"


def test_a_step_of_sgd_follows_the_gradient_and_the_decay(images: np.ndarray, labels: np.ndarray) -> None:
    learner = make_learner(images, labels, optimizer="sgd", weight_decay=0.1)
    before, gradients = dict(learner.weights), learner.gradients(images, labels)
    learner.train_steps(np.arange(8)[np.newaxis], np.array([0.5]))
    for name, gradient in gradients.items():
        assert learner.weights[name] == pytest.approx(before[name] - 0.5 * (gradient + 0.1 * before[name]), abs=1e-12)


@pytest.mark.parametrize(("optimizer", "factor"), [("momentum", 1.0), ("nesterov", 1.9)])
def test_the_first_step_with_momentum_is_one_of_sgd_and_nesterov_looks_ahead(
    optimizer: str, factor: float, images: np.ndarray, labels: np.ndarray
) -> None:
    learner = make_learner(images, labels, optimizer=optimizer, momentum=0.9)
    before, gradients = dict(learner.weights), learner.gradients(images, labels)
    learner.train_steps(np.arange(8)[np.newaxis], np.array([0.5]))
    for name, gradient in gradients.items():
        assert learner.weights[name] == pytest.approx(before[name] - 0.5 * factor * gradient, abs=1e-12)


@pytest.mark.parametrize("conventions", ["torch", "keras"])
def test_the_first_step_of_adam_is_as_long_as_the_learning_rate(
    conventions: str, images: np.ndarray, labels: np.ndarray
) -> None:
    learner = make_learner(images, labels, optimizer="adam", model="cnn", conventions=conventions)
    before, gradients = dict(learner.weights), learner.gradients(images, labels)
    learner.train_steps(np.arange(8)[np.newaxis], np.array([0.01]))
    for name, gradient in gradients.items():
        large = np.abs(gradient) > 1e-3  # beside which ε is nothing
        step = (learner.weights[name] - before[name])[large]
        assert step == pytest.approx(-0.01 * np.sign(gradient[large]), rel=1e-2)


def test_batch_norm_remembers_what_it_has_seen(images: np.ndarray, labels: np.ndarray) -> None:
    """After many steps at learning rate 0, the loss in evaluation mode is that in training mode."""
    learner = make_learner(images, labels, optimizer="sgd")
    learner.train_steps(np.arange(8)[np.newaxis].repeat(100, axis=0), np.zeros(100))
    in_evaluation, _ = score(learner.predict(images), labels)
    assert in_evaluation == pytest.approx(learner.loss(images, labels), rel=1e-3)
