"""Locks between processes: held for life, handed over, never inherited by accident."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.locks import FileLock, device_lock_path, is_held
from tests.waiting import wait_until

HOLD = """
import sys
from pathlib import Path
from engine.locks import FileLock
lock = FileLock(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)
if len(sys.argv) == 2:
    assert lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""
IDLE = "import sys; print('here', flush=True); sys.stdin.read()"

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.lock"


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts Python code in another process and returns once it is under way."""
    processes = []

    def run(code: str, *arguments: str, descriptors: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=descriptors,
        )
        processes.append(process)
        assert process.stdout
        assert process.stdout.readline()
        return process

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def test_a_lock_is_held_from_acquire_to_release(path: Path) -> None:
    lock = FileLock(path)
    assert not is_held(path)
    assert lock.acquire()
    assert is_held(path)
    lock.release()
    assert not is_held(path)


def test_one_that_is_held_cannot_be_had_and_looking_takes_nothing_away(path: Path) -> None:
    lock, other = FileLock(path), FileLock(path)
    assert lock.acquire()
    assert not other.acquire(patience=0)
    assert is_held(path)
    assert not other.acquire(patience=0.05)
    lock.release()
    assert other.acquire(patience=0)
    other.release()


def test_giving_up_what_one_does_not_have_is_fine(path: Path) -> None:
    FileLock(path).release()
    with pytest.raises(RuntimeError, match="is not locked"):
        _ = FileLock(path).descriptor


def test_another_process_s_lock_ends_with_it_even_when_it_is_killed(path: Path, start: Start) -> None:
    holder = start(HOLD, str(path))
    assert is_held(path)
    assert not FileLock(path).acquire(patience=0)
    holder.kill()
    holder.wait()
    assert not is_held(path)


def test_whoever_waits_gets_the_lock_when_it_is_free(path: Path, start: Start) -> None:
    holder = start(HOLD, str(path))
    holder.kill()
    lock = FileLock(path)
    assert lock.acquire(patience=30)
    lock.release()


def test_a_child_does_not_keep_its_parent_s_lock(path: Path, start: Start) -> None:
    lock = FileLock(path)
    assert lock.acquire()
    child = start(IDLE)
    lock.release()
    assert child.poll() is None
    assert not is_held(path)


def test_a_child_that_it_was_handed_over_to_keeps_it(path: Path, start: Start) -> None:
    lock = FileLock(path)
    assert lock.acquire()
    child = start(HOLD, str(path), str(lock.descriptor), descriptors=(lock.descriptor,))
    lock.release()
    assert is_held(path)
    child.kill()
    child.wait()
    assert not is_held(path)


def test_looking_while_another_acquires_does_not_get_in_its_way(path: Path, start: Start) -> None:
    """Readers share the lock for microseconds; a worker's patience is longer than that."""
    path.touch()
    look = "import sys\nfrom pathlib import Path\nfrom engine.locks import is_held\nprint('looking', flush=True)\n"
    look += "while True: is_held(Path(sys.argv[1]))"
    start(look, str(path))
    for _ in range(200):
        lock = FileLock(path)
        assert lock.acquire()
        lock.release()


def test_without_a_file_nothing_is_held(path: Path) -> None:
    assert not is_held(path)
    assert not path.exists()


def test_devices_have_a_lock_each_for_all_stores_of_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    paths = {device_lock_path(device) for device in ("cpu", "cuda:0", "cuda:1", "mps")}
    assert len(paths) == 4
    assert device_lock_path("cuda:0") == device_lock_path("cuda:0")
    assert all(path.parent.is_dir() and ":" not in path.name for path in paths)
    if sys.platform == "linux":
        assert all(path.is_relative_to(tmp_path) for path in paths)


def test_waiting_is_over_when_the_condition_is_true() -> None:
    answers = iter([0, 0, 7])
    assert wait_until(lambda: next(answers), "seven comes") == 7
    with pytest.raises(pytest.fail.Exception, match="this did not come true: pigs fly"):
        wait_until(lambda: False, "pigs fly", patience=0.05)
