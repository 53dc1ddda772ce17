"""What every backend promises: the mathematics of the reference, exact repeats, and states that travel."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import events
from engine.augmentation import draw_transforms, warp
from engine.backends import BACKENDS
from engine.backends.base import Learner
from engine.checkpoint import expected_shapes
from engine.config import TrainConfig
from engine.conventions import CONVENTIONS, NATIVE, conventions_of
from engine.data import Dataset
from engine.errors import DeviceError
from engine.evaluation import log_softmax
from engine.forward import layer_outputs
from engine.models import ARCHITECTURES, Conv
from engine.optimization import SLOTS, learning_rates
from engine.pixels import normalise
from engine.split import image_order
from engine.trainer import train
from tests.backend_process import RemoteBackend
from tests.conftest import write_idx
from tests.reference import ReferenceBackend

REFERENCE = ReferenceBackend()
Both = tuple[RemoteBackend, RemoteBackend]
State = dict[str, np.ndarray]

each_network = pytest.mark.parametrize(
    ("model", "conventions"), [(model, conventions) for model in ARCHITECTURES for conventions in CONVENTIONS]
)
each_optimizer = pytest.mark.parametrize("optimizer", SLOTS)


def settings(**values: Any) -> TrainConfig:
    """Settings that mean the same on every backend."""
    return TrainConfig.create(**{"device": "cpu", "conventions": "torch", "seed": 1, **values})


def make_learner(backend: Any, config: TrainConfig, dataset: Dataset, count: int = 640) -> Any:
    """A learner with the first `count` training images."""
    return backend.learner(config, dataset.train_images[:count], dataset.train_labels[:count])


def steps(count: int, batch_size: int = 32) -> np.ndarray:
    """Take the training images in their order: indices [count, batch_size]."""
    return np.arange(count * batch_size).reshape(count, batch_size)


def rates(count: int, rate: float = 0.01) -> np.ndarray:
    return np.full(count, rate)


def probabilities(learner: Learner, images: np.ndarray) -> np.ndarray:
    return np.exp(log_softmax(learner.predict(images)))


def with_some_seed(check: Callable[[int], None]) -> None:
    """Hold `check` to one of four fixed seeds.

    A max pool or a ReLU that is undecided in float32 parts two correct computations for good. About three seeds in
    ten meet one within 300 steps, and which ones depends on the processor. What is wrong shows with every seed.
    """
    failures: list[AssertionError] = []
    for seed in (1, 2, 3, 4):
        try:
            return check(seed)
        except AssertionError as failure:
            failures.append(failure)
    raise failures[0]


def relative_error(values: np.ndarray, expected: np.ndarray) -> float:
    """The length of the difference beside the length of what was expected."""
    return float(np.linalg.norm(values.astype(np.float64) - expected) / np.linalg.norm(expected))


def is_moot(name: str, model: str) -> bool:
    """Whether a weight has no effect: a bias before batch norm, whose gradient is zero but for rounding."""
    return model == "cnn-bn" and name.startswith("conv") and name.endswith("bias")


def assert_bit_equal(state: State, other: State) -> None:
    assert state.keys() == other.keys()
    for name, values in state.items():
        assert values.dtype == other[name].dtype, name
        assert values.tobytes() == other[name].tobytes(), name


class TestMathematics:
    @each_network
    def test_a_new_network_answers_as_the_reference(
        self, backend: RemoteBackend, digits: Dataset, model: str, conventions: str
    ) -> None:
        config = settings(model=model, conventions=conventions)
        images = digits.test_images[:1000]
        logits = make_learner(backend, config, digits).predict(images)
        assert logits.dtype == np.float32
        assert np.abs(logits - make_learner(REFERENCE, config, digits).predict(images)).max() <= 1e-5

    @pytest.mark.parametrize(
        ("model", "conventions"), [("cnn-bn", "torch"), ("cnn", "keras"), ("cnn-strided", "keras")]
    )
    def test_a_trained_network_answers_layer_by_layer_in_numpy_as_it_does(
        self, backend: RemoteBackend, digits: Dataset, model: str, conventions: str
    ) -> None:
        config = settings(model=model, conventions=conventions)
        learner = make_learner(backend, config, digits)
        learner.train_steps(steps(20), rates(20))
        images = digits.test_images[:100]
        pixels = normalise(images, config.normalisation)[:, np.newaxis]
        epsilon = conventions_of(config).batch_norm_epsilon
        outputs = layer_outputs(ARCHITECTURES[model], learner.state(), pixels, epsilon)
        logits = outputs["dense"]
        assert (logits.dtype, logits.shape) == (np.float32, (100, 10))
        assert np.abs(logits - learner.predict(images)).max() <= 1e-4

    @each_network
    def test_gradients_are_those_of_the_reference(
        self, backend: RemoteBackend, digits: Dataset, model: str, conventions: str
    ) -> None:
        """A step of SGD at learning rate 1 takes exactly the gradient off the weights."""

        def check(seed: int) -> None:
            config = settings(model=model, conventions=conventions, optimizer="sgd", seed=seed)
            learner, reference = (make_learner(one, config, digits) for one in (backend, REFERENCE))
            before = learner.state()
            learner.train_steps(steps(1, 64), rates(1, 1.0))
            after = learner.state()
            expected = reference.gradients(digits.train_images[:64], digits.train_labels[:64])
            found = {name: before[name].astype(np.float64) - after[name] for name in expected}
            counted = [name for name in expected if not is_moot(name, model)]
            assert relative_error(joined(found, counted), joined(expected, counted)) <= 1e-5
            for name in counted:
                assert relative_error(found[name], expected[name]) <= 2e-5, name
            for name in expected.keys() - set(counted):
                assert np.abs(found[name]).max() <= 1e-3, name

        with_some_seed(check)

    @pytest.mark.parametrize(
        ("optimizer", "conventions"), [*((name, "torch") for name in SLOTS), ("adam", "keras"), ("adamw", "keras")]
    )
    def test_every_optimizer_steps_as_the_reference(
        self, backend: RemoteBackend, digits: Dataset, optimizer: str, conventions: str
    ) -> None:
        def check(seed: int) -> None:
            config = settings(model="cnn", conventions=conventions, optimizer=optimizer, weight_decay=0.1, seed=seed)
            learner, reference = (make_learner(one, config, digits) for one in (backend, REFERENCE))
            for one in (learner, reference):
                one.train_steps(steps(3), rates(3))
            expected = reference.state()
            for name, values in learner.state().items():
                assert np.abs(values - expected[name]).max() <= 1e-5, name

        with_some_seed(check)

    @pytest.mark.parametrize("batch_size", [2, 64])
    @pytest.mark.parametrize("conventions", CONVENTIONS)
    def test_batch_norm_keeps_the_statistics_of_the_reference(
        self, backend: RemoteBackend, digits: Dataset, conventions: str, batch_size: int
    ) -> None:
        config = settings(model="cnn-bn", conventions=conventions, optimizer="sgd")
        learner, reference = (make_learner(one, config, digits) for one in (backend, REFERENCE))
        for one in (learner, reference):
            one.train_steps(steps(5, batch_size), rates(5, 1e-6))
        expected = reference.state()
        for name in (name for name in expected if "running_" in name):
            assert relative_error(learner.state()[name], expected[name]) <= 5e-5, name

    @pytest.mark.parametrize(
        "changes",
        [
            {"normalisation": "unit"},
            {"normalisation": "symmetric"},
            {"normalisation": "standard"},
            {"label_smoothing": 0.1},
            {"schedule": "cosine"},
            {"schedule": "onecycle"},
            {"momentum": 0.5, "optimizer": "nesterov"},
        ],
        ids=lambda changes: " ".join(map(str, changes.values())),
    )
    def test_settings_mean_what_they_mean_in_the_reference(
        self, backend: RemoteBackend, digits: Dataset, changes: dict[str, Any]
    ) -> None:
        config = settings(**{"model": "cnn", "optimizer": "momentum", **changes})
        schedule = learning_rates(config.schedule, 0.05, first_step=0, count=10, total_steps=10)
        found, expected = (
            make_learner(one, config, digits).train_steps(steps(10), schedule) for one in (backend, REFERENCE)
        )
        assert found.loss == pytest.approx(expected.loss, rel=1e-4)
        assert found.correct.tolist() == expected.correct.tolist()
        assert (found.loss.dtype, found.correct.dtype) == (np.float32, np.int64)

    @pytest.mark.parametrize("augmentation", ["shift", "affine"])
    def test_augmented_images_are_those_of_the_reference(
        self, backend: RemoteBackend, digits: Dataset, augmentation: str
    ) -> None:
        """Without learning, the losses of single images tell the images apart."""
        config = settings(model="cnn", augmentation=augmentation, optimizer="sgd", normalisation="symmetric")
        transforms = draw_transforms(config, epoch=1, count=100)
        assert transforms is not None
        found, plain, expected = (
            make_learner(one, config, digits).train_steps(steps(100, 1), rates(100, 0.0), warps).loss
            for one, warps in ((backend, transforms[:, None]), (backend, None), (REFERENCE, transforms[:, None]))
        )
        assert np.abs(found - expected).max() <= 1e-4
        assert np.abs(found - plain).max() > 1e-2

    @pytest.mark.parametrize("augmentation", ["shift", "affine"])
    def test_images_are_resampled_as_in_numpy(self, backend: RemoteBackend, digits: Dataset, augmentation: str) -> None:
        transforms = draw_transforms(settings(augmentation=augmentation), epoch=1, count=50)
        assert transforms is not None
        images = normalise(digits.train_images[:50], "symmetric")[:, np.newaxis]
        found = backend.call(warped, backend.name, images, transforms, -1.0)
        assert np.abs(found - warp(images, transforms, -1.0)).max() <= 1e-4

    def test_a_shift_shows_the_image_moved_by_whole_pixels(self, backend: RemoteBackend, digits: Dataset) -> None:
        config = settings(model="cnn", optimizer="sgd")
        images, labels = digits.train_images[:32], digits.train_labels[:32]
        moved = np.zeros_like(images)
        moved[:, 1:, :-2] = images[:, :-1, 2:]
        two_left_one_down = np.tile(np.array([[1, 0, 2], [0, 1, -1]], np.float32), (32, 1, 1, 1))
        shifted = backend.learner(config, images, labels).train_steps(steps(32, 1), rates(32, 0.0), two_left_one_down)
        direct = backend.learner(config, moved, labels).train_steps(steps(32, 1), rates(32, 0.0))
        assert shifted.loss == pytest.approx(direct.loss, rel=1e-5)


class TestMatchedBackends:
    """PyTorch and TensorFlow with pinned conventions, on the tutorials' recipes."""

    @pytest.mark.parametrize("conventions", CONVENTIONS)
    def test_the_plain_network_has_the_same_losses(
        self, both_backends: Both, digits: Dataset, conventions: str
    ) -> None:
        def check(seed: int) -> None:
            config = TrainConfig.preset("tensorflow-tutorial", conventions=conventions, seed=seed, device="cpu")
            errors = self.loss_differences(both_backends, config, digits, count=300)
            assert errors[:20].max() <= 1e-6
            assert errors.max() <= 5e-6

        with_some_seed(check)

    @pytest.mark.parametrize("conventions", CONVENTIONS)
    def test_the_network_with_batch_norm_has_the_same_losses(
        self, both_backends: Both, digits: Dataset, conventions: str
    ) -> None:
        def check(seed: int) -> None:
            config = TrainConfig.preset("pytorch-tutorial", conventions=conventions, seed=seed, device="cpu")
            errors = self.loss_differences(both_backends, config, digits, count=20)
            assert errors[:5].max() <= 1e-4
            assert errors.max() <= 5e-3

        with_some_seed(check)

    def loss_differences(self, backends: Both, config: TrainConfig, digits: Dataset, count: int) -> np.ndarray:
        """Return each step's relative difference of the losses, over the first `count` steps of the first epoch."""
        order = image_order(config, 1, len(digits.train_labels))
        used = np.resize(order, count * config.batch_size)
        first, second = (
            backend.learner(config, digits.train_images[used], digits.train_labels[used])
            .train_steps(steps(count, config.batch_size), rates(count, config.learning_rate))
            .loss
            for backend in backends
        )
        return np.abs(first - second) / first

    @each_network
    def test_a_trained_state_answers_the_same_on_the_other_backend(
        self, both_backends: Both, digits: Dataset, model: str, conventions: str
    ) -> None:
        config = settings(model=model, conventions=conventions)
        for origin, other in (both_backends, both_backends[::-1]):
            trained = make_learner(origin, config, digits)
            trained.train_steps(steps(20), rates(20))
            moved = make_learner(other, config.replace(seed=2), digits)
            moved.load_state(trained.state())
            assert_bit_equal(moved.state(), trained.state())
            images = digits.test_images[:2000]
            difference = probabilities(moved, images) - probabilities(trained, images)
            assert np.abs(difference).max() <= 1e-4

    @each_optimizer
    def test_training_goes_on_the_same_on_the_other_backend(
        self, both_backends: Both, digits: Dataset, optimizer: str
    ) -> None:
        """What the optimizer remembers travels too."""
        config = settings(model="cnn", optimizer=optimizer)
        origin, other = both_backends
        stays = make_learner(origin, config, digits)
        stays.train_steps(steps(10), rates(10))
        moves = make_learner(other, config, digits)
        moves.load_state(stays.state())
        losses = [learner.train_steps(steps(20)[10:], rates(10)).loss for learner in (stays, moves)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-4)


class TestRepeats:
    @pytest.fixture(params=ARCHITECTURES)
    def config(self, request: pytest.FixtureRequest) -> TrainConfig:
        return settings(model=request.param)

    def test_the_same_seed_gives_the_same_bits(
        self, backend: RemoteBackend, digits: Dataset, config: TrainConfig
    ) -> None:
        first, second, other = (
            make_learner(backend, one, digits, count=1600) for one in (config, config, config.replace(seed=2))
        )
        losses = [learner.train_steps(steps(50), rates(50)).loss for learner in (first, second, other)]
        assert losses[0].tobytes() == losses[1].tobytes() != losses[2].tobytes()
        assert_bit_equal(first.state(), second.state())

    def test_steps_taken_one_by_one_are_those_taken_at_once(
        self, backend: RemoteBackend, digits: Dataset, config: TrainConfig
    ) -> None:
        at_once, one_by_one = (make_learner(backend, config, digits, count=1600) for _ in range(2))
        schedule = learning_rates("onecycle", 0.01, first_step=0, count=50, total_steps=50)
        together = at_once.train_steps(steps(50), schedule)
        single = [one_by_one.train_steps(steps(50)[[step]], schedule[[step]]) for step in range(50)]
        assert together.loss.tobytes() == b"".join(results.loss.tobytes() for results in single)
        assert together.correct.tolist() == [int(results.correct[0]) for results in single]
        assert_bit_equal(at_once.state(), one_by_one.state())

    def test_training_goes_on_from_a_state_bit_for_bit(
        self, backend: RemoteBackend, digits: Dataset, config: TrainConfig
    ) -> None:
        uninterrupted, resumed = (make_learner(backend, config, digits) for _ in range(2))
        uninterrupted.train_steps(steps(10), rates(10))
        resumed.load_state(uninterrupted.state())
        losses = [learner.train_steps(steps(20)[10:], rates(10)).loss for learner in (uninterrupted, resumed)]
        assert losses[0].tobytes() == losses[1].tobytes()
        assert_bit_equal(uninterrupted.state(), resumed.state())

    def test_predicting_changes_nothing(self, backend: RemoteBackend, digits: Dataset, config: TrainConfig) -> None:
        watched, unwatched = (make_learner(backend, config, digits) for _ in range(2))
        watched.predict(digits.test_images[:100])
        before = watched.state()
        logits = watched.predict(digits.test_images[:100])
        assert_bit_equal(watched.state(), before)
        assert watched.predict(digits.test_images[:100]).tobytes() == logits.tobytes()
        losses = [learner.train_steps(steps(5), rates(5)).loss for learner in (watched, unwatched)]
        assert losses[0].tobytes() == losses[1].tobytes()

    def test_an_image_is_judged_by_itself(self, backend: RemoteBackend, digits: Dataset, config: TrainConfig) -> None:
        learner = make_learner(backend, config, digits)
        learner.train_steps(steps(5), rates(5))
        images = digits.train_images[:1100]
        together = learner.predict(images)
        for place in (0, 999, 1000, 1099):
            assert learner.predict(images[[place]]) == pytest.approx(together[[place]], abs=1e-5)
        assert learner.predict(images[::-1]) == pytest.approx(together[::-1], abs=1e-5)


class TestState:
    @each_optimizer
    @pytest.mark.parametrize("model", ARCHITECTURES)
    def test_it_survives_a_round_trip_bit_for_bit(
        self, backend: RemoteBackend, digits: Dataset, model: str, optimizer: str
    ) -> None:
        """Arbitrary values in every place: nothing is left out, mixed up or turned around."""
        learner = make_learner(backend, settings(model=model, optimizer=optimizer), digits)
        generator = np.random.default_rng(5)
        shapes = expected_shapes(ARCHITECTURES[model], optimizer)
        state = {name: generator.uniform(0.1, 1, shape).astype(np.float32) for name, shape in shapes.items()}
        state["optimizer.step"] = np.array(123, np.int64)
        learner.load_state(state)
        assert_bit_equal(learner.state(), {name: state[name] for name in learner.state()})
        assert learner.state().keys() == shapes.keys()

    @pytest.mark.parametrize(("model", "parameters"), [("cnn-bn", 2174), ("cnn", 1198), ("cnn-strided", 166_258)])
    def test_it_has_the_published_number_of_parameters(
        self, backend: RemoteBackend, digits: Dataset, model: str, parameters: int
    ) -> None:
        state = make_learner(backend, settings(model=model, optimizer="sgd"), digits).state()
        trained = [name for name in state if not name.startswith("optimizer.") and "running_" not in name]
        assert sum(state[name].size for name in trained) == parameters

    def test_a_state_without_an_optimizer_starts_it_afresh(self, backend: RemoteBackend, digits: Dataset) -> None:
        learner, fresh = (make_learner(backend, settings(model="cnn"), digits) for _ in range(2))
        weights = {name: values for name, values in learner.state().items() if not name.startswith("optimizer.")}
        learner.train_steps(steps(5), rates(5))
        learner.load_state(weights)
        assert_bit_equal(learner.state(), fresh.state())
        losses = [one.train_steps(steps(5), rates(5)).loss for one in (learner, fresh)]
        assert losses[0].tobytes() == losses[1].tobytes()

    def test_left_alone_a_backend_keeps_its_own_conventions(self, backend: RemoteBackend, digits: Dataset) -> None:
        own = settings(backend=backend.name, conventions="auto")
        pinned = own.replace(conventions=NATIVE[backend.name])
        first, second = (make_learner(backend, config, digits) for config in (own, pinned))
        losses = [learner.train_steps(steps(5), rates(5)).loss for learner in (first, second)]
        assert losses[0].tobytes() == losses[1].tobytes()


def test_deterministic_operations_compute_the_same(backend: RemoteBackend, digits: Dataset) -> None:
    """In a process of its own, since TensorFlow cannot go back. PyTorch then fills new memory with NaN."""
    process = RemoteBackend(backend.name)
    try:
        for conventions in CONVENTIONS:
            config = settings(model="cnn-bn", conventions=conventions)
            plain = make_learner(backend, config, digits)
            deterministic = make_learner(process, config.replace(deterministic=True), digits)
            losses = [learner.train_steps(steps(3), rates(3)).loss for learner in (plain, deterministic)]
            assert losses[0] == pytest.approx(losses[1], rel=1e-4)
            expected = plain.state()
            for name, values in deterministic.state().items():
                assert values == pytest.approx(expected[name], abs=1e-2), name
    finally:
        process.close()


def test_a_smaller_last_batch_counts_as_one_step(backend: RemoteBackend, digits: Dataset) -> None:
    config = settings(model="cnn")
    learner, reference = (make_learner(one, config, digits) for one in (backend, REFERENCE))
    losses = [
        [float(one.train_steps(batches, rates(len(batches))).loss[-1]) for batches in (steps(3), steps(1, 7), steps(1))]
        for one in (learner, reference)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert learner.state()["optimizer.step"] == 5


def test_a_learning_rate_of_zero_changes_no_weight(backend: RemoteBackend, digits: Dataset) -> None:
    learner = make_learner(backend, settings(model="cnn", weight_decay=0.1, optimizer="adamw"), digits)
    before = learner.state()
    learner.train_steps(steps(3), rates(3, 0.0))
    after = learner.state()
    for name in expected_shapes(ARCHITECTURES["cnn"], "sgd").keys() - {"optimizer.step"}:
        assert after[name].tobytes() == before[name].tobytes(), name


@pytest.mark.parametrize("model", ARCHITECTURES)
def test_a_learner_says_whose_kernels_train(backend: RemoteBackend, digits: Dataset, model: str) -> None:
    learner = make_learner(backend, settings(model=model), digits)
    convolutions = sum(isinstance(layer, Conv) for layer in ARCHITECTURES[model].layers)
    assert learner.framework_convolutions == (convolutions if learner.kernels == "framework" else 0)
    assert learner.kernels == ("fused" if model in ("cnn", "cnn-bn") else "framework")


def test_the_cpu_is_the_first_device(backend: RemoteBackend) -> None:
    assert backend.devices()[0].id == "cpu"
    assert "cores" in backend.devices()[0].name


@pytest.mark.parametrize("device", ["cuda:7", "mps"])
def test_a_device_that_is_not_there_is_refused(backend: RemoteBackend, digits: Dataset, device: str) -> None:
    if device in [seen.id for seen in backend.devices()]:
        pytest.skip(f"this machine has {device}")
    with pytest.raises(DeviceError, match=f"{BACKENDS[backend.name].label} sees no device {device}") as caught:
        make_learner(backend, settings(device=device), digits)
    assert "cpu" in caught.value.message
    assert "--device auto" in caught.value.hint


@pytest.mark.parametrize("model", ARCHITECTURES)
def test_a_run_that_diverges_fails_before_it_reports_an_accuracy(
    backend: RemoteBackend, sketches: Dataset, tmp_path: Path, model: str
) -> None:
    folder = write_idx(tmp_path / "sketches", sketches)
    config = settings(model=model, optimizer="sgd", learning_rate=1e9, batch_size=4, data=str(folder))
    *before, finished = train(config, backend=backend)
    assert isinstance(finished, events.RunFinished)
    assert finished.outcome == "failed"
    assert finished.error is not None
    assert re.search(r"not finite,? at epoch 1, step \d+", finished.error.message)
    assert not any(isinstance(event, events.EpochFinished) for event in before)


@pytest.mark.parametrize("total", [10, 3])
@pytest.mark.parametrize("schedule", ["cosine", "onecycle"])
def test_schedules_are_those_of_pytorch(
    backend_named: Callable[[str], RemoteBackend], schedule: str, total: int
) -> None:
    expected = backend_named("torch").call(torch_learning_rates, schedule, 0.1, total)
    assert learning_rates(schedule, 0.1, 0, total, total) == pytest.approx(expected, rel=1e-6, abs=1e-12)
    assert learning_rates(schedule, 0.1, 2, 1, total) == pytest.approx(expected[2:3], rel=1e-6, abs=1e-12)


def torch_learning_rates(schedule: str, peak: float, total: int) -> list[float]:
    """Return what PyTorch's own scheduler sets at each of `total` steps."""
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=peak)
    scheduler = (
        torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total)
        if schedule == "cosine"
        else torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, total)
    )
    rates = []
    for _ in range(total):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step()
    return rates


def joined(arrays: State, names: list[str]) -> np.ndarray:
    """Return the arrays of these names as one vector."""
    return np.concatenate([arrays[name].ravel() for name in names])


def warped(backend: str, images: np.ndarray, transforms: np.ndarray, fill: float) -> np.ndarray:
    """Return what the framework makes of `images` [n, 1, h, w] and `transforms` [n, 2, 3]."""
    if backend == "torch":
        import torch

        from engine.backends import torch_augmentation

        return torch_augmentation.warp(torch.from_numpy(images), torch.from_numpy(transforms), fill).numpy()
    import tensorflow as tf

    from engine.backends import tensorflow_augmentation

    channels_last = tf.constant(images.transpose(0, 2, 3, 1))
    found = tensorflow_augmentation.warp(channels_last, tf.constant(transforms), fill).numpy()
    return found.transpose(0, 3, 1, 2)
