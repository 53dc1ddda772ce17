"""Something else in place of a run's file, such as a named pipe: no reader hangs, and the message says what it is."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from engine import checkpoint
from engine.commands import Pause
from engine.config import TrainConfig
from engine.control import Control
from engine.errors import EngineError
from engine.evaluation import load_predictions, predictions_path
from engine.eventlog import LONGEST_LINE, LineFollower
from engine.labels import LABELS_FILE
from engine.locks import FileLock, is_held
from engine.models import ARCHITECTURES
from engine.postmortem import log_tail
from engine.regular_files import NotRegularError, open_regular, read_regular
from engine.run_index import INDEX_FILE
from engine.runs import Run, Store


def make_socket(path: Path) -> None:
    """Leave a socket at `path`, whose name may be too long for one given as a whole."""
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


def link_to_file(path: Path) -> None:
    """Make `path` a link to a file with something in it."""
    target = path.with_name("elsewhere")
    target.write_text("secret\n")
    path.symlink_to(target)


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "named pipe": (os.mkfifo, "a named pipe"),
    "socket": (make_socket, "a socket"),
    "folder": (Path.mkdir, "a folder"),
    "link to a device": (lambda path: path.symlink_to("/dev/zero"), "a symbolic link"),
    "link to a file": (link_to_file, "a symbolic link"),
    "link to nothing": (lambda path: path.symlink_to("nowhere"), "a symbolic link"),
    "device": (lambda path: os.mknod(path, 0o20600, os.makedev(1, 5)), "a device"),
}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
each_kind = pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=needs_root if kind == "device" else ()) for kind in KINDS]
)


@pytest.fixture(autouse=True)
def nothing_waits() -> Iterator[None]:
    """Fail a test that waits for the other end of a pipe."""

    def fail(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def run(store: Store) -> Run:
    """A run that nobody trains."""
    run, lock = store.create(TrainConfig.create(model="cnn", name="mine"))
    lock.release()
    run.predictions_path.mkdir()
    return run


def put(kind: str, path: Path) -> str:
    """Put something else at `path`; return what a message calls it."""
    path.unlink(missing_ok=True)
    make, words = KINDS[kind]
    make(path)
    return f"it is {words}, not a file"


READERS: dict[str, Callable[[Run], object]] = {
    "config.json": lambda run: run.config,
    "events.jsonl": lambda run: run.events(),
    "commands.jsonl": lambda run: Control(run.commands_path).pending(),
    "last.safetensors": lambda run: checkpoint.latest(run.path, ARCHITECTURES["cnn"], "adam"),
    "predictions/epoch-0001.npz": lambda run: load_predictions(predictions_path(run.predictions_path, 1)),
}


@each_kind
@pytest.mark.parametrize("name", READERS)
def test_who_needs_the_file_is_told_what_it_is(run: Run, name: str, kind: str) -> None:
    words = put(kind, run.path / name)
    with pytest.raises(EngineError) as caught:
        READERS[name](run)
    assert words in str(caught.value)
    assert str(run.path / name) in str(caught.value)


@each_kind
def test_each_question_about_events_says_so(run: Run, kind: str) -> None:
    words = put(kind, run.events_path)
    for question in (run.status, run.progress, run.follow().read):
        with pytest.raises(EngineError, match=words):
            question()


@each_kind
def test_nobody_holds_such_a_lock_and_nobody_takes_it(run: Run, store: Store, kind: str) -> None:
    words = put(kind, run.lock_path)
    assert not is_held(run.lock_path)
    assert run.status() == "crashed"
    with pytest.raises(NotRegularError, match=words):
        FileLock(run.lock_path).acquire()
    store.delete(run)
    assert store.runs() == []


@each_kind
def test_a_command_goes_into_no_such_file(store: Store, kind: str) -> None:
    run, lock = store.create(TrainConfig())
    words = put(kind, run.commands_path)
    with pytest.raises(EngineError, match=words):
        run.send(Pause())
    lock.release()


@each_kind
def test_a_log_of_the_worker_says_what_it_is(run: Run, kind: str) -> None:
    words = put(kind, run.log_path)
    assert words in " ".join(log_tail(run).lines)


@each_kind
def test_such_labels_count_as_none_and_are_replaced(run: Run, store: Store, kind: str) -> None:
    put(kind, run.path / LABELS_FILE)
    assert run.name == "mine"
    if kind == "folder":
        with pytest.raises(EngineError, match=LABELS_FILE):
            store.rename(run, "another")
    else:
        store.rename(run, "another")
        assert store.find("another").id == run.id


@each_kind
def test_the_store_is_listed_and_searched_all_the_same(store: Store, kind: str) -> None:
    for name in ("config.json", "events.jsonl", "labels.json", "run.lock"):
        run, lock = store.create(TrainConfig())
        lock.release()
        put(kind, run.path / name)
    put(kind, store.path / INDEX_FILE)
    if kind == "link to nothing":
        assert len(store.runs()) == 3  # without settings it is no run
    else:
        assert len(store.runs()) == 4
        assert [run.short_name for run in store.runs()] == ["torch-1", "torch-2", "torch-3", "torch-4"]
    assert store.find("last").id == store.run_ids()[-1]
    with pytest.raises(EngineError, match="no run"):
        store.find("nobody")


def test_no_more_is_read_than_such_a_file_can_have(run: Run) -> None:
    os.truncate(run.config_path, 2**40)  # a terabyte, none of it on disk
    (run.path / LABELS_FILE).touch()
    os.truncate(run.path / LABELS_FILE, 2**40)
    with pytest.raises(EngineError, match="it is larger than"):
        _ = run.config
    assert run.name == ""
    with pytest.raises(OSError, match="larger than the 5 bytes"):
        read_regular(run.config_path, 5)


def test_a_file_of_the_user_s_own_may_be_kept_elsewhere(tmp_path: Path) -> None:
    """As the config file, with its folder under version control."""
    link_to_file(tmp_path / "config.toml")
    assert read_regular(tmp_path / "config.toml", 100, follow=True) == b"secret\n"
    (tmp_path / "zero").symlink_to("/dev/zero")
    with pytest.raises(NotRegularError, match="it is a device, not a file"):
        read_regular(tmp_path / "zero", 100, follow=True)


def test_a_checkpoint_much_larger_than_its_network_is_not_read(run: Run) -> None:
    (run.path / checkpoint.LAST).touch()
    os.truncate(run.path / checkpoint.LAST, 2**40)
    with pytest.raises(EngineError, match="it has 1,099,511,627,776 bytes, and the network needs at most"):
        checkpoint.latest(run.path, ARCHITECTURES["cnn"], "adam")


def test_a_line_without_end_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"first\n" + b"x" * (3 * LONGEST_LINE) + b"\nlast\n")
    follower, lines = LineFollower(path), []
    while batch := follower.read():
        assert all(len(line) <= 2 * LONGEST_LINE for line in batch)
        lines += batch
    assert (lines[0], lines[-1]) == (b"first", b"last")


def test_a_descriptor_is_not_inherited_and_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o002)
    try:
        descriptor = open_regular(tmp_path / "new", os.O_WRONLY | os.O_CREAT)
    finally:
        os.umask(before)
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o664
