"""What is not supported is told from what is damaged: by the file's contents, with what was looked for."""

from __future__ import annotations

import gzip
import io
import lzma
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from engine import data
from engine.data import Dataset
from engine.errors import DataError
from tests.conftest import IDX_FILES, write_idx

IMAGES, LABELS = IDX_FILES[:2]


def refusal(place: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        data.load(str(place))
    return caught.value


def tar_bytes() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x"), io.BytesIO())
    return content.getvalue()


def zip_bytes(name: str = "x.png") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, "x")
    return content.getvalue()


def npy_bytes() -> bytes:
    content = io.BytesIO()
    np.save(content, np.zeros(3))
    return content.getvalue()


def idx_bytes(kind: int, *shape: int) -> bytes:
    return struct.pack(f">4B{len(shape)}I", 0, 0, kind, len(shape), *shape) + bytes(64)


KINDS = [
    ("train.csv", b"label,pixel0,pixel1\n1,0,0\n", "a CSV table"),
    ("train.csv.gz", gzip.compress(b"label,pixel0\n1,0\n"), "a gzip file that holds a CSV table"),
    ("emnist.csv", b"\xef\xbb\xbf7;0;0\n", "a CSV table with semicolons"),
    ("mnist.tar", tar_bytes(), "a tar archive"),
    ("mnist.tgz", gzip.compress(tar_bytes()), "a gzip file that holds a tar archive"),
    ("mnist.zip", zip_bytes(), "a zip archive"),
    ("model.pt", zip_bytes("model/data.pkl"), "a PyTorch file"),
    ("images.npy", npy_bytes(), "a single NumPy array"),
    ("mnist.pkl", pickle.dumps([1, 2]), "a Python pickle"),
    ("mnist.pkl.gz", gzip.compress(pickle.dumps([1, 2])), "a gzip file that holds a Python pickle"),
    ("train.parquet", b"PAR1....", "a Parquet table"),
    ("train_32x32.mat", b"MATLAB 5.0 MAT-file", "a MATLAB file"),
    ("digits.h5", b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    ("five.png", b"\x89PNG\r\n", "a PNG picture"),
    ("images.xz", lzma.compress(b"x"), "an xz archive"),
    ("labels.json", b'{"labels": []}', "a JSON file"),
]


@pytest.mark.parametrize(("name", "content", "kind"), KINDS, ids=[name for name, _, _ in KINDS])
def test_a_file_in_another_format_is_named_and_not_called_damaged(
    tmp_path: Path, name: str, content: bytes, kind: str
) -> None:
    (tmp_path / name).write_bytes(content)
    error = refusal(tmp_path / name)
    assert error.title == "Format not supported"
    assert f"{tmp_path / name} is {kind}" in error.message
    assert "cannot read yet" in error.message
    assert "four IDX files" in error.hint
    assert "amaged" not in str(error)
    assert ("Unpack it" in error.hint) == kind.endswith("archive")


@pytest.mark.parametrize(
    ("content", "title", "words"),
    [
        (idx_bytes(0x0C, 1, 4, 4), "Format not supported", "an IDX file of 32-bit integers with 3 axes"),
        (idx_bytes(0x08, 1, 4, 4, 3), "Format not supported", "an IDX file of unsigned bytes with 4 axes"),
        (tar_bytes(), "Format not supported", "a tar archive"),
        (gzip.compress(tar_bytes()), "Format not supported", "a gzip file that holds a tar archive"),
        (b"<!DOCTYPE html><html>404</html>", "Damaged data", "a web page (HTML), which a server sent in its place"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Damaged data", "a Git LFS pointer, not the file itself"),
        (b"", "Damaged data", "an empty file"),
        (b"\0\0\x08", "Damaged data", "begins with none of the marks"),
    ],
    ids=["32-bit", "colour", "tar", "tgz", "page", "pointer", "empty", "header"],
)
def test_another_format_in_the_place_of_an_idx_file_is_named(
    sketches_folder: Path, content: bytes, title: str, words: str
) -> None:
    (sketches_folder / IMAGES).write_bytes(content)
    error = refusal(sketches_folder)
    assert error.title == title
    assert f"{sketches_folder / IMAGES} " in error.message
    assert words in error.message
    assert "with 3 axes (images)" in error.message
    assert ("Fetch" in error.hint) == (title == "Damaged data")


def test_a_git_lfs_pointer_is_told_with_the_command_that_fetches_it(sketches_folder: Path) -> None:
    (sketches_folder / LABELS).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    assert refusal(sketches_folder).hint == "Fetch it: git lfs pull"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["emnist-letters-train-images-idx3-ubyte.gz"], "EMNIST (emnist-letters-train-images-idx3-ubyte.gz)"),
        (["qmnist-train-labels-idx2-int.gz"], "QMNIST (qmnist-train-labels-idx2-int.gz)"),
        (["mnist_train.csv", "mnist_test.csv"], "CSV tables (mnist_test.csv)"),
        (["MNIST.zip"], "archives (MNIST.zip)"),
        (["data_batch_1.bin"], "CIFAR (data_batch_1.bin)"),
        (["train/0/a.png", "train/1/b.png", "x.txt"], ""),
        (["0/a.png", "1/b.png"], "pictures in folders, one a class (0)"),
        (["kmnist-train-imgs.npz"], "npz files (kmnist-train-imgs.npz)"),
    ],
)
def test_a_folder_with_another_dataset_is_told_by_what_is_in_it(tmp_path: Path, names: list[str], words: str) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    error = refusal(tmp_path)
    assert words in error.message
    assert error.title == ("Format not supported" if words else "No data")


def test_one_of_the_four_files_is_answered_with_its_folder(sketches_folder: Path) -> None:
    error = refusal(sketches_folder / IMAGES)
    assert error.title == "A file instead of its folder"
    assert error.hint == f"Use: --data {sketches_folder}"


@pytest.mark.parametrize(
    ("part", "values", "words"),
    [
        ("train_images", np.zeros((120, 32, 32), np.uint8), "images of 32×32 pixels, not 28×28"),
        ("train_labels", np.arange(120) % 26, "the label 25"),
    ],
)
def test_whole_data_of_another_shape_are_not_called_damaged(
    tmp_path: Path, sketches: Dataset, part: str, values: np.ndarray, words: str
) -> None:
    parts = {name: getattr(sketches, name) for name in ("train_images", "train_labels", "test_images", "test_labels")}
    error = refusal(write_idx(tmp_path / "other", Dataset(**{**parts, part: values}, info=None)))  # type: ignore[arg-type]
    assert error.title == "Format not supported"
    assert words in error.message


def test_an_npz_with_other_arrays_is_told_with_what_it_holds(tmp_path: Path) -> None:
    np.savez(tmp_path / "pathmnist.npz", train_images=np.zeros(1), train_labels=np.zeros(1))
    error = refusal(tmp_path / "pathmnist.npz")
    assert error.title == "Format not supported"
    assert "holds train_images, train_labels instead of x_train" in error.message
