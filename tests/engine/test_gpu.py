"""On a GPU the backends do what they do on the CPU: `pytest -m gpu`, where there is one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engine.augmentation import draw_transforms
from engine.backends import BACKENDS
from engine.config import TrainConfig
from engine.conventions import CONVENTIONS
from engine.data import Dataset
from engine.models import ARCHITECTURES
from engine.optimization import SLOTS
from tests.backend_process import RemoteBackend

pytestmark = pytest.mark.gpu

STEPS, BATCH = 40, 64


def gpus_of(backend: RemoteBackend, count: int) -> list[str]:
    """Return the CUDA devices that the backend sees; skip the test where there are fewer than `count`."""
    found = [device.id for device in backend.devices() if device.id.startswith("cuda")]
    if len(found) < count:
        pytest.skip(f"{backend.name} sees {len(found)} CUDA devices here, of the {count} that are needed")
    return found


@pytest.fixture
def gpu(backend: RemoteBackend) -> str:
    """The first CUDA device that the backend sees."""
    return gpus_of(backend, 1)[0]


@pytest.mark.parametrize("conventions", CONVENTIONS)
@pytest.mark.parametrize("optimizer", SLOTS)
@pytest.mark.parametrize("model", ARCHITECTURES)
def test_losses_and_state_are_those_of_the_cpu(
    backend: RemoteBackend, gpu: str, digits: Dataset, model: str, optimizer: str, conventions: str
) -> None:
    """More steps than it takes to capture one, a smaller batch in between, and a state that is loaded back."""
    config = TrainConfig.preset(
        "pytorch-tutorial", backend=backend.name, model=model, optimizer=optimizer, conventions=conventions,
        learning_rate=0.001, device=gpu,
    )  # fmt: skip
    images, labels = digits.train_images[: STEPS * BATCH], digits.train_labels[: STEPS * BATCH]
    losses = []
    for device in (gpu, "cpu"):
        learner = backend.learner(config.replace(device=device), images, labels)
        assert learner.device.id == device
        order = np.arange(STEPS * BATCH).reshape(STEPS, BATCH)
        rates = np.linspace(0.0005, 0.001, STEPS)
        first = learner.train_steps(order[:20], rates[:20]).loss
        small = learner.train_steps(order[20:21, :10], rates[20:21]).loss
        learner.load_state(learner.state())
        losses.append(np.concatenate([first, small, learner.train_steps(order[21:], rates[21:]).loss]))
    assert losses[0][:5] == pytest.approx(losses[1][:5], rel=1e-4)
    assert losses[0] == pytest.approx(losses[1], rel=2e-2)


@pytest.mark.parametrize("augmentation", ["none", "shift", "affine"])
@pytest.mark.parametrize("optimizer", SLOTS)
def test_every_recipe_of_pytorch_is_replayed_from_a_graph_and_trains(
    backend_named: Callable[[str], RemoteBackend], digits: Dataset, optimizer: str, augmentation: str
) -> None:
    """It says so where it is not: with no warning, the weights changed by the first replay."""
    backend = backend_named("torch")
    config = TrainConfig.preset(
        "pytorch-tutorial",
        backend="torch",
        optimizer=optimizer,
        augmentation=augmentation,
        device=gpus_of(backend, 1)[0],
    )
    images, labels = digits.train_images[: STEPS * BATCH], digits.train_labels[: STEPS * BATCH]
    transforms = draw_transforms(config, epoch=1, count=len(images))
    losses = {}
    for device in (config.device, "cpu"):
        learner = backend.learner(config.replace(device=device), images, labels)
        order = np.arange(len(images)).reshape(STEPS, BATCH)
        warps = None if transforms is None else transforms.reshape(STEPS, BATCH, 2, 3)
        results = learner.train_steps(order, np.full(STEPS, 0.001), warps)
        assert results.warning == ""
        losses[device] = results.loss
    assert losses[config.device] == pytest.approx(losses["cpu"], rel=2e-2)


def test_the_recipe_that_no_graph_can_hold_is_named_once(
    backend_named: Callable[[str], RemoteBackend], digits: Dataset
) -> None:
    backend = backend_named("torch")
    config = TrainConfig.preset("pytorch-tutorial", backend="torch", conventions="keras", device=gpus_of(backend, 1)[0])
    learner = backend.learner(config, digits.train_images[:BATCH], digits.train_labels[:BATCH])
    batch = np.arange(BATCH)[None]
    assert "ε" in learner.train_steps(batch, np.full(1, 0.001)).warning
    assert learner.train_steps(batch, np.full(1, 0.001)).warning == ""


@pytest.mark.parametrize("name", BACKENDS)
def test_the_second_gpu_trains_like_the_first(name: str, digits: Dataset) -> None:
    """In a process of its own: TensorFlow sees one GPU in each."""
    found = []
    for number in range(2):
        backend = RemoteBackend(name)
        try:
            device = gpus_of(backend, 2)[number]
            config = TrainConfig.preset("pytorch-tutorial", backend=name, device=device)
            learner = backend.learner(
                config, digits.train_images[: STEPS * BATCH], digits.train_labels[: STEPS * BATCH]
            )
            assert learner.device.id == device
            order = np.arange(STEPS * BATCH).reshape(STEPS, BATCH)
            found.append(learner.train_steps(order, np.full(STEPS, 0.001)).loss)
        finally:
            backend.close()
    assert found[0] == pytest.approx(found[1], rel=1e-3)


@pytest.mark.parametrize("augmentation", ["shift", "affine"])
def test_augmented_images_are_those_of_the_cpu(
    backend: RemoteBackend, gpu: str, digits: Dataset, augmentation: str
) -> None:
    config = TrainConfig.preset("pytorch-tutorial", backend=backend.name, augmentation=augmentation, device=gpu)
    transforms = draw_transforms(config, epoch=1, count=BATCH)
    assert transforms is not None
    found = [
        backend.learner(config.replace(device=device), digits.train_images[:BATCH], digits.train_labels[:BATCH])
        .train_steps(np.arange(BATCH)[None], np.zeros(1), transforms[None])
        .loss
        for device in (gpu, "cpu")
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-3)
