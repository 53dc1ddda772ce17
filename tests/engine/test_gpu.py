"""On a GPU the backends do what they do on the CPU: `pytest -m gpu`, where there is one."""

from __future__ import annotations

import numpy as np
import pytest

from engine.config import TrainConfig
from engine.conventions import CONVENTIONS
from engine.data import Dataset
from engine.models import ARCHITECTURES
from engine.optimization import SLOTS
from tests.backend_process import RemoteBackend

pytestmark = pytest.mark.gpu

STEPS, BATCH = 40, 64


@pytest.fixture
def gpu(backend: RemoteBackend) -> str:
    """The first CUDA device that the backend sees."""
    found = [device.id for device in backend.devices() if device.id.startswith("cuda")]
    if not found:
        pytest.skip(f"{backend.name} sees no CUDA device here")
    return found[0]


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


@pytest.mark.parametrize("augmentation", ["shift", "affine"])
def test_augmented_images_are_those_of_the_cpu(
    backend: RemoteBackend, gpu: str, digits: Dataset, augmentation: str
) -> None:
    from engine.augmentation import draw_transforms

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
