"""What would end a run at its start is found before the run is created, without importing a framework."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine import data, start_checks
from engine.backends import BACKENDS
from engine.config import TrainConfig
from engine.data import Dataset
from engine.errors import ConfigError, DataError, DeviceError
from engine.eventlog import EventWriter
from engine.events import RunFinished
from engine.gpus import machine_gpus
from engine.launcher import launch, relaunch
from engine.runs import Store
from engine.start_checks import check_start, device_problem
from tests.waiting import PATIENCE

BACKEND = next((name for name, info in BACKENDS.items() if info.installed), "")
pytestmark = pytest.mark.skipif(not BACKEND, reason="no framework is installed")


def config(folder: Path, **settings: object) -> TrainConfig:
    return TrainConfig.create(backend=BACKEND, data=str(folder), **settings)


def test_a_batch_larger_than_the_dataset_creates_no_run(store: Store, sketches_folder: Path) -> None:
    for settings in ({"batch_size": 121}, {"batch_size": 81, "validation": 40}, {"validation": 120}):
        with pytest.raises(ConfigError, match="training images"):
            launch(store, config(sketches_folder, **settings))
    assert store.runs() == []


def test_the_number_of_images_is_known_from_the_headers_of_each_format(
    sketches_folder: Path, sketches: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert data.training_images(str(sketches_folder)) == 120
    keras = tmp_path / "mnist.npz"
    parts = {"x_train": sketches.train_images, "y_train": sketches.train_labels}
    np.savez_compressed(keras, **parts, x_test=sketches.test_images, y_test=sketches.test_labels)
    assert data.training_images(str(keras)) == 120
    monkeypatch.setattr(data, "_usual_places", lambda: iter(()))
    monkeypatch.delenv("MNIST_TUI_DATA", raising=False)
    assert data.training_images() is None


@pytest.mark.parametrize("mark", [b"PK\x03\x04", b"PK\x01\x02"], ids=["damaged", "packed in another way"])
def test_an_archive_that_cannot_be_read_is_left_to_the_run(tmp_path: Path, sketches: Dataset, mark: bytes) -> None:
    archive = tmp_path / "mnist.npz"
    parts = {"x_train": sketches.train_images, "y_train": sketches.train_labels}
    np.savez_compressed(archive, **parts, x_test=sketches.test_images, y_test=sketches.test_labels)
    content = bytearray(archive.read_bytes())
    place = content.index(mark)
    if mark == b"PK\x01\x02":
        content[place + 10] = 99  # how the first array is packed, see the zip format's central directory
    else:
        content[place] = 0
    archive.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        data.training_images(str(archive))
    check_start(config(archive))


def test_a_run_that_cannot_go_on_on_a_device_stays_as_it_is(store: Store, sketches_folder: Path) -> None:
    run, lock = store.create(config(sketches_folder, device="cpu", batch_size=32))
    log = EventWriter(run.events_path)
    log.append(RunFinished(outcome="stopped", epochs=1))
    log.close()
    lock.release()
    before = run.events_path.read_bytes(), run.config_path.read_bytes()
    with pytest.raises(DeviceError):
        relaunch(run, backend="tensorflow", device="mps")
    assert (run.events_path.read_bytes(), run.config_path.read_bytes()) == before
    assert run.status() == "stopped"


def test_a_machine_without_a_gpu_has_no_cuda_device(monkeypatch: pytest.MonkeyPatch) -> None:
    if machine_gpus():
        pytest.skip("this machine has one")
    monkeypatch.setattr(start_checks, "GPU_NODES", ("no-such-node",))
    monkeypatch.setattr(start_checks, "_is_for_cpu_alone", lambda package: False)
    assert device_problem("cuda", BACKEND) == "This machine has no GPU for cuda."
    assert device_problem("cuda:3", BACKEND) == "This machine has no GPU for cuda:3."
    assert device_problem("auto", BACKEND) == device_problem("cpu", BACKEND) == ""


@pytest.mark.skipif(sys.platform == "darwin", reason="there are no CUDA devices on macOS")
@pytest.mark.parametrize(
    ("visible", "device", "problem"),
    [
        ("0,1", "cuda:1", ""),
        ("0,1", "cuda:2", "There is no cuda:2 here: there are 2 GPUs, from cuda:0 on."),
        ("3", "cuda", ""),
        ("3", "cuda:3", "There is no cuda:3 here: there is 1 GPU, cuda:0."),
        ("", "cuda:0", "There is no cuda:0 here: no GPU is visible."),
        ("-1", "cuda:0", "There is no cuda:0 here: no GPU is visible."),
    ],
)
def test_of_the_gpus_only_those_that_are_visible_count(
    monkeypatch: pytest.MonkeyPatch, visible: str, device: str, problem: str
) -> None:
    pynvml = pytest.importorskip("pynvml")
    for name in ("nvmlInit", "nvmlShutdown"):
        monkeypatch.setattr(pynvml, name, lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: 4)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda number: number)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetUUID", lambda number: f"GPU-{number}")
    monkeypatch.setattr(start_checks, "_is_for_cpu_alone", lambda package: False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert device_problem(device, BACKEND) == problem


def test_checking_imports_no_framework_and_no_numpy(sketches_folder: Path) -> None:
    check_start(config(sketches_folder, batch_size=32))
    script = (
        "import sys; from engine.config import TrainConfig; from engine.start_checks import check_start;"
        f"check_start(TrainConfig.create(backend={BACKEND!r}, data=sys.argv[1], batch_size=32));"
        "sys.exit(bool({'numpy', 'torch', 'tensorflow'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", script, str(sketches_folder)], check=True, timeout=PATIENCE)
