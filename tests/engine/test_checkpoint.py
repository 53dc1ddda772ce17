"""Checkpoints: what was saved comes back bit for bit, or not at all and with a reason."""

from __future__ import annotations

import json
import os
import pickle
import random
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from engine.checkpoint import BEST, LAST, PREVIOUS, Metadata, expected_shapes, keep_previous, latest, load, save
from engine.errors import CheckpointError
from engine.models import ARCHITECTURES
from engine.optimization import SLOTS

ARCHITECTURE = ARCHITECTURES["cnn-bn"]
METADATA = Metadata(model="cnn-bn", optimizer="adam", seed=1, epoch=3, step=5, loss_sum=0.1 + 0.2, best_accuracy=0.97)

State = dict[str, np.ndarray]


@pytest.fixture
def state() -> State:
    """What a run with Adam keeps, with another value in every place."""
    return make_state("adam")


@pytest.fixture
def path(tmp_path: Path, state: State) -> Path:
    """A checkpoint on disk."""
    save(tmp_path / LAST, state, METADATA)
    return tmp_path / LAST


def make_state(optimizer: str) -> State:
    generator = np.random.default_rng(2)
    shapes = expected_shapes(ARCHITECTURE, optimizer)
    state = {name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return state | {"optimizer.step": np.array(123, np.int64)}


def assert_bit_equal(state: State, other: State) -> None:
    assert state.keys() == other.keys()
    for name, values in state.items():
        assert (values.dtype, values.shape) == (other[name].dtype, other[name].shape)
        assert values.tobytes() == other[name].tobytes()


def refusal(path: Path, model: str = "cnn-bn", optimizer: str = "adam") -> CheckpointError:
    """Return the error that loading `path` ends in."""
    with pytest.raises(CheckpointError) as caught:
        load(path, ARCHITECTURES[model], optimizer)
    return caught.value


class TestSaving:
    @pytest.mark.parametrize("optimizer", SLOTS)
    def test_what_was_saved_comes_back_bit_for_bit(self, tmp_path: Path, optimizer: str) -> None:
        state = make_state(optimizer)
        state["conv1.weight"].ravel()[:4] = [0.0, -0.0, 1e-45, np.finfo(np.float32).max]
        metadata = Metadata(model="cnn-bn", optimizer=optimizer, seed=1, epoch=3)
        save(tmp_path / LAST, state, metadata)
        loaded, described = load(tmp_path / LAST, ARCHITECTURE, optimizer)
        assert_bit_equal(loaded, state)
        assert described == metadata

    def test_people_can_read_beside_it_what_it_is(self, path: Path) -> None:
        described = json.loads(path.with_suffix(".json").read_text())
        assert (described["model"], described["epoch"], described["seed"]) == ("cnn-bn", 3, 1)
        assert described["loss_sum"] == 0.1 + 0.2

    def test_the_file_alone_is_enough(self, path: Path, state: State) -> None:
        path.with_suffix(".json").unlink()
        assert_bit_equal(load(path, ARCHITECTURE, "adam")[0], state)

    def test_a_newer_one_takes_its_place_and_nothing_is_left_about(self, path: Path) -> None:
        newer = make_state("adam") | {"optimizer.step": np.array(999, np.int64)}
        save(path, newer, METADATA)
        assert_bit_equal(load(path, ARCHITECTURE, "adam")[0], newer)
        assert sorted(file.name for file in path.parent.iterdir()) == ["last.json", LAST]

    def test_a_full_disk_leaves_the_earlier_one_whole(
        self, path: Path, state: State, file_size_limit: Callable[[int], AbstractContextManager[None]]
    ) -> None:
        before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
        for size in (0, 1, 1000, len(before[LAST]) - 1):
            with file_size_limit(size), pytest.raises(OSError, match="File too large"):
                save(path, state, METADATA)
            assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_a_folder_that_cannot_be_written_leaves_the_earlier_one_whole(self, path: Path, state: State) -> None:
        before = path.read_bytes()
        path.parent.chmod(0o500)
        try:
            with pytest.raises(PermissionError):
                save(path, state, METADATA)
        finally:
            path.parent.chmod(0o700)
        assert path.read_bytes() == before

    def test_a_failure_while_writing_leaves_the_earlier_one_whole(self, path: Path) -> None:
        before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
        with pytest.raises(Exception, match="object"):
            save(path, {"conv1.weight": np.array([object()])}, METADATA)
        assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


class TestKeepingThePrevious:
    def test_the_last_one_becomes_the_previous_and_stays_it_when_a_newer_is_written(
        self, path: Path, state: State
    ) -> None:
        folder, before = path.parent, path.read_bytes()
        for _ in range(2):  # the second time as after a crash in between
            keep_previous(folder)
            assert path.read_bytes() == (folder / PREVIOUS).read_bytes() == before
        save(path, state, replace(METADATA, epoch=4))
        assert (folder / PREVIOUS).read_bytes() == before
        assert json.loads((folder / "previous.json").read_text())["epoch"] == 3
        assert load(path, ARCHITECTURE, "adam")[1].epoch == 4
        assert {file.name for file in folder.iterdir()} == {LAST, "last.json", PREVIOUS, "previous.json"}

    def test_where_the_disk_is_full_the_last_and_the_one_before_stay_whole(
        self, path: Path, state: State, file_size_limit: Callable[[int], AbstractContextManager[None]]
    ) -> None:
        keep_previous(path.parent)
        with file_size_limit(1000), pytest.raises(OSError, match="File too large"):
            save(path, state, METADATA)
        for name in (LAST, PREVIOUS):
            assert load(path.with_name(name), ARCHITECTURE, "adam")[1] == METADATA

    def test_without_a_last_one_there_is_nothing_to_keep(self, tmp_path: Path) -> None:
        keep_previous(tmp_path)
        assert list(tmp_path.iterdir()) == []


class TestDamage:
    def test_cut_off_anywhere_it_is_refused(self, path: Path) -> None:
        content = path.read_bytes()
        for length in {*range(300), *range(0, len(content), 83), *range(len(content) - 50, len(content))}:
            path.write_bytes(content[:length])
            error = refusal(path)
            assert error.title == "Checkpoint damaged"
            assert str(path) in error.message

    def test_with_something_added_it_is_refused(self, path: Path) -> None:
        path.write_bytes(path.read_bytes() + b"\0")
        assert refusal(path).title == "Checkpoint damaged"

    def test_a_single_bit_that_flips_is_noticed(self, path: Path) -> None:
        content = path.read_bytes()
        dice = random.Random(4)
        header = int.from_bytes(content[:8], "little") + 8
        places = [dice.randrange(len(content)) for _ in range(100)] + [dice.randrange(header) for _ in range(100)]
        for place in places:
            damaged = bytearray(content)
            damaged[place] ^= 1 << dice.randrange(8)
            path.write_bytes(damaged)
            refusal(path)

    def test_bytes_at_random_never_raise_anything_else(self, path: Path) -> None:
        content = path.read_bytes()
        dice = random.Random(5)
        for _ in range(200):
            damaged = bytearray(content)
            for _ in range(dice.randint(1, 8)):
                damaged[dice.randrange(2000)] = dice.randrange(256)
            if damaged != content:
                path.write_bytes(damaged)
                refusal(path)

    @pytest.mark.parametrize("name", ["conv1.weight", "norm2.running_var", "optimizer.second_moment.dense.bias"])
    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_values_that_are_not_finite_are_refused(self, path: Path, state: State, name: str, value: float) -> None:
        state[name].ravel()[-1] = value
        save(path, state, METADATA)
        error = refusal(path)
        assert error.message == f"{path}: {name} holds values that are not finite."

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        assert refusal(tmp_path / LAST).message == f"{tmp_path / LAST} is not there."

    def test_a_folder_in_its_place_is_refused(self, path: Path) -> None:
        path.unlink()
        path.mkdir()
        assert refusal(path).title == "Checkpoint damaged"


class TestForeignFiles:
    def test_a_pickle_is_refused_and_not_executed(self, path: Path, tmp_path: Path) -> None:
        class Trap:
            def __reduce__(self) -> tuple[Any, ...]:
                return os.mkdir, (str(tmp_path / "executed"),)

        path.write_bytes(pickle.dumps({"conv1.weight": Trap()}))
        assert refusal(path).title == "Checkpoint damaged"
        assert not (tmp_path / "executed").exists()

    def test_a_keras_file_is_refused(self, path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", '{"class_name": "Sequential", "config": {"layers": ["Lambda"]}}')
            archive.writestr("model.weights.h5", b"\x89HDF")
        assert refusal(path).title == "Checkpoint damaged"

    def test_tensors_of_another_program_are_refused(self, path: Path, state: State) -> None:
        from safetensors.numpy import save_file

        save_file(state, path)
        assert refusal(path).message == f"{path} is no checkpoint of mnist-tui."

    @pytest.mark.parametrize("content", [b"", b"\0" * 8, b"\xff" * 8, b"\x02" + b"\0" * 7 + b"{}", b"x" * 1000])
    def test_anything_else_is_refused(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        assert refusal(path).title == "Checkpoint damaged"


class TestFit:
    def test_another_model_s_is_refused(self, path: Path) -> None:
        error = refusal(path, model="cnn")
        assert error.title == "Checkpoint of another model"
        assert error.message == f"{path} is of cnn-bn, not of cnn."

    def test_another_optimizer_s_is_refused(self, path: Path) -> None:
        assert "optimizer.velocity" in refusal(path, optimizer="momentum").message

    def test_a_tensor_that_is_missing_is_named(self, path: Path, state: State) -> None:
        del state["conv2.bias"]
        save(path, state, METADATA)
        assert refusal(path).message == f"{path} lacks conv2.bias."

    def test_a_tensor_too_many_is_named(self, path: Path, state: State) -> None:
        save(path, state | {"conv9.weight": np.zeros(3, np.float32)}, METADATA)
        assert refusal(path).message == f"{path} has conv9.weight that does not belong there."

    def test_both_are_named(self, path: Path, state: State) -> None:
        state["conv9.bias"] = state.pop("conv2.bias")
        save(path, state, METADATA)
        assert refusal(path).message == f"{path} lacks conv2.bias and has conv9.bias that does not belong there."

    @pytest.mark.parametrize(
        "values",
        [
            np.zeros((4, 1, 3, 4), np.float32),
            np.zeros((4, 9), np.float32),
            np.zeros(0, np.float32),
            np.zeros((4, 1, 3, 3), np.float64),
            np.zeros((4, 1, 3, 3), np.int32),
        ],
        ids=lambda values: f"{values.dtype} {values.shape}",
    )
    def test_a_tensor_of_another_shape_or_type_is_named(self, path: Path, state: State, values: np.ndarray) -> None:
        save(path, state | {"conv1.weight": values}, METADATA)
        found = f"{values.dtype} {list(values.shape)}"
        assert refusal(path).message == f"{path}: conv1.weight is {found}, not float32 [4, 1, 3, 3]."


class TestLatest:
    @pytest.fixture
    def folder(self, tmp_path: Path, state: State) -> Path:
        """A run's folder: the best after epoch 2, the last after epoch 3."""
        save(tmp_path / BEST, state | {"optimizer.step": np.array(2, np.int64)}, Metadata(
            model="cnn-bn", optimizer="adam", seed=1, epoch=2))  # fmt: skip
        save(tmp_path / LAST, state, METADATA)
        return tmp_path

    def test_it_is_the_last(self, folder: Path) -> None:
        found = latest(folder, ARCHITECTURE, "adam")
        assert found is not None
        assert (found[1], found[2]) == (METADATA, "")

    def test_a_damaged_last_one_gives_way_to_the_best_with_a_warning(self, folder: Path) -> None:
        (folder / LAST).write_bytes(b"damaged")
        found = latest(folder, ARCHITECTURE, "adam")
        assert found is not None
        state, metadata, warning = found
        assert (metadata.epoch, int(state["optimizer.step"])) == (2, 2)
        assert str(folder / LAST) in warning
        assert warning.endswith(f"Going on from {BEST} instead.")

    def test_a_missing_last_one_gives_way_to_the_best_with_a_warning(self, folder: Path) -> None:
        (folder / LAST).unlink()
        found = latest(folder, ARCHITECTURE, "adam")
        assert found is not None
        assert found[1].epoch == 2
        assert found[2] == f"{folder / LAST} is not there. Going on from {BEST} instead."

    @pytest.mark.parametrize(("epoch", "step", "stands_in"), [(1, 7, BEST), (2, 0, PREVIOUS), (2, 5, PREVIOUS)])
    def test_of_the_previous_and_the_best_the_newer_stands_in(
        self, folder: Path, state: State, epoch: int, step: int, stands_in: str
    ) -> None:
        save(folder / PREVIOUS, state, replace(METADATA, epoch=epoch, step=step))
        (folder / LAST).write_bytes(b"damaged")
        found = latest(folder, ARCHITECTURE, "adam")
        assert found is not None
        assert found[2].endswith(f"Going on from {stands_in} instead.")

    def test_a_damaged_previous_one_is_passed_over(self, folder: Path) -> None:
        for name in (LAST, PREVIOUS):
            (folder / name).write_bytes(b"damaged")
        found = latest(folder, ARCHITECTURE, "adam")
        assert found is not None
        assert str(folder / PREVIOUS) in found[2]
        assert found[2].endswith(f"Going on from {BEST} instead.")

    def test_when_both_are_damaged_the_error_names_both(self, folder: Path) -> None:
        for name in (LAST, BEST):
            (folder / name).write_bytes(b"damaged")
        with pytest.raises(CheckpointError, match="No checkpoint loads") as caught:
            latest(folder, ARCHITECTURE, "adam")
        assert str(folder / LAST) in caught.value.message
        assert str(folder / BEST) in caught.value.message

    def test_a_new_run_has_none(self, tmp_path: Path) -> None:
        assert latest(tmp_path, ARCHITECTURE, "adam") is None

    def test_it_damages_nothing(self, folder: Path) -> None:
        (folder / LAST).write_bytes(b"damaged")
        before = {file.name: file.read_bytes() for file in folder.iterdir()}
        latest(folder, ARCHITECTURE, "adam")
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
