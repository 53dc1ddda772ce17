"""Compression bombs: what a header announces is checked before anything is unpacked."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from engine import idx
from engine.data import load
from engine.errors import DataError, RunError
from engine.evaluation import MOST_PREDICTION_BYTES, load_predictions
from engine.unpacking import LARGEST_ARRAY, LARGEST_RATIO, unpacked


@contextmanager
def little_memory() -> Iterator[None]:
    """Check that what is done meanwhile takes at most 20 MB."""
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6


def npy(shape: tuple[int, ...], content: bytes, dtype: str = "|u1") -> bytes:
    """Return an npy file whose header announces `shape`, whatever its content is."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue() + content


def archive_of(path: Path, **members: bytes) -> Path:
    """Write an npz file of these members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def with_declared_size(path: Path, size: int) -> Path:
    """Have the only member of the archive at `path` declare another size, in its central directory."""
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", size)
    path.write_bytes(content)
    return path


class TestIdx:
    def test_more_than_the_packed_bytes_can_hold(self, tmp_path: Path) -> None:
        path = tmp_path / "bomb.gz"
        path.write_bytes(gzip.compress(struct.pack(">HBBIII", 0, 8, 3, 2**31, 28, 28) + bytes(1000)))
        with little_memory(), pytest.raises(DataError, match=r"more than its .* packed bytes can hold"):
            idx.read(path, 3)

    def test_more_than_anyone_needs(self, tmp_path: Path) -> None:
        path = tmp_path / "bomb.gz"
        noise = np.random.default_rng(0).bytes(3_000_000)  # so that the packed bytes could hold it
        path.write_bytes(gzip.compress(struct.pack(">HBBIII", 0, 8, 3, LARGEST_ARRAY // 784 + 1, 28, 28) + noise, 0))
        assert path.stat().st_size * LARGEST_RATIO > LARGEST_ARRAY
        with little_memory(), pytest.raises(DataError, match=f"at most {LARGEST_ARRAY:,} are read"):
            idx.read(path, 3)
        with pytest.raises(DataError, match="are read"):
            idx.check_header(path, 3)

    def test_a_stream_that_goes_on_is_not_unpacked_to_its_end(self, tmp_path: Path) -> None:
        path = tmp_path / "bomb.gz"
        path.write_bytes(gzip.compress(struct.pack(">HBBI", 0, 8, 1, 10) + bytes(100_000_000), 1))
        with little_memory(), pytest.raises(DataError, match="goes on after the last value"):
            idx.read(path, 1)


class TestNpz:
    def test_a_member_that_declares_too_much(self, tmp_path: Path) -> None:
        path = with_declared_size(archive_of(tmp_path / "bomb.npz", x=npy((10,), bytes(10))), 2**31 + 1)
        with zipfile.ZipFile(path) as archive, pytest.raises(ValueError, match="packed bytes can hold"):
            unpacked(archive, "x")
        path = archive_of(tmp_path / "bomb.npz", x=npy((1000,), bytes(1000)))
        with zipfile.ZipFile(path) as archive, pytest.raises(ValueError, match="at most 100 are read"):
            unpacked(archive, "x", 100)

    @pytest.mark.parametrize("declared", [10, 500])
    def test_a_member_of_another_size_than_it_declares(self, tmp_path: Path, declared: int) -> None:
        path = with_declared_size(archive_of(tmp_path / "bomb.npz", x=npy((1000,), bytes(1000))), declared)
        with zipfile.ZipFile(path) as archive, pytest.raises((ValueError, EOFError, zipfile.BadZipFile)):
            unpacked(archive, "x")

    @pytest.mark.parametrize("shape", [(10**12,), (2**40, 2**40), (1001,), (999,), (-1,), ()])
    def test_an_array_of_another_size_than_its_header_says(self, tmp_path: Path, shape: tuple[int, ...]) -> None:
        path = archive_of(tmp_path / "bomb.npz", x=npy(shape, bytes(1000)))
        with zipfile.ZipFile(path) as archive, pytest.raises(ValueError, match=r"announces|negative|shape"):
            unpacked(archive, "x")

    def test_pickled_objects(self, tmp_path: Path) -> None:
        path = archive_of(tmp_path / "bomb.npz", x=npy((1,), b"cos\nsystem\n", "|O"))
        with zipfile.ZipFile(path) as archive, pytest.raises(ValueError, match="pickled Python objects"):
            unpacked(archive, "x")

    @pytest.mark.parametrize("order", ["C", "F"])
    def test_an_intact_array_is_what_numpy_saved(self, tmp_path: Path, order: str) -> None:
        saved = np.asarray(np.random.default_rng(0).normal(size=(3, 4, 5)), dtype=np.float16, order=order)  # type: ignore[call-overload]
        np.savez_compressed(tmp_path / "x.npz", x=saved)
        with zipfile.ZipFile(tmp_path / "x.npz") as archive:
            read = unpacked(archive, "x")
        assert np.array_equal(read, saved)
        assert read.dtype == saved.dtype
        assert read.flags.writeable

    def test_a_dataset_of_zeros(self, tmp_path: Path) -> None:
        zeros = npy((LARGEST_ARRAY // 784 + 1, 28, 28), bytes(5_000_000))
        bomb = archive_of(tmp_path / "mnist.npz", **dict.fromkeys(("x_train", "y_train", "x_test", "y_test"), zeros))
        with little_memory(), pytest.raises(DataError, match=r"mnist\.npz"):
            load(str(bomb))

    def test_predictions(self, tmp_path: Path) -> None:
        path = archive_of(tmp_path / "epoch-0001.npz", probabilities=npy((10**10, 10), bytes(50_000_000), "<f2"))
        with little_memory(), pytest.raises(RunError, match=r"epoch-0001\.npz cannot be read"):
            load_predictions(path)
        assert MOST_PREDICTION_BYTES > 1e8
