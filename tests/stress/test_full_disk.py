"""No room, no permission, no size left: the run says why it ends, and what was saved before can be trained on."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.commands import Pause, Resume, Stop
from engine.errors import RunError, StoreError
from engine.events import CheckpointSaved, ErrorInfo
from engine.launcher import launch, relaunch
from engine.locks import is_held
from engine.runs import Run, Store
from tests.stress.terminals import Pty
from tests.stress.torture import (
    LONG,
    Record,
    endless,
    kill_all,
    starts,
    torture,
    wait_for_end,
    weights_of,
    worker_of,
)
from tests.tui.cli_harness import call
from tests.waiting import wait_for_event, wait_until

pytestmark = torture

MEGABYTE = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = (
        sys.platform == "linux" and not os.geteuid() and not mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", folder)
    )
    if not mounted:
        pytest.skip("a small disk cannot be mounted here: that takes root, on Linux")
    yield folder
    kill_all(folder)
    wait_until(lambda: not subprocess.run(["umount", str(folder)], capture_output=True).returncode, "it is unmounted")


def mount(*arguments: object) -> int:
    """Call `mount`; return its exit status."""
    return subprocess.run(["mount", *map(str, arguments)], capture_output=True).returncode


def fill(folder: Path, spare: int) -> Path:
    """Fill the disk of `folder` up but for `spare` bytes; return the file that takes the room."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
        file.truncate(file.tell() - spare)
    return filler


def end_of(run: Run) -> ErrorInfo | None:
    """Return the error that the run ended with, once its worker is gone."""
    wait_until(lambda: not is_held(run.lock_path), f"the worker of {run.id} ends", LONG)
    finished = run.progress().finished
    return finished.error if finished else None


def goes_on_after(run: Run, saved: int) -> bool:
    """Take the run up again for one more epoch; return whether it went on from epoch `saved` or a later one."""
    before = len(starts(run))
    relaunch(run, skip_queue=True, epochs=(run.progress().epochs[-1].epoch if run.progress().epochs else saved) + 1)
    wait_for_end(run)
    return run.status() == "completed" and (starts(run)[before].resumed_from or 0) >= saved


@pytest.mark.parametrize("spare", [0, 8192, 32768])
def test_a_full_disk_is_named_and_costs_no_checkpoint(
    small_disk: Path, few_digits: Path, record: Record, spare: int
) -> None:
    run = launch(Store(small_disk / "runs"), endless(few_digits), skip_queue=True)
    saved = wait_for_event(run, CheckpointSaved).epoch
    filler = fill(small_disk, spare)
    error = end_of(run)
    shown = call("show", run.id, "--store", str(run.path.parent)).stdout
    names_it = any(words in shown for words in ("the disk is full", "Disk full"))
    weights_of(run)
    filler.unlink()
    goes_on = goes_on_after(run, saved)
    record(
        f"the disk is full but for {spare // 1024} KiB while training",
        "an error that names the cause; the earlier checkpoint goes on",
        f"{run_end(error)}; {'named' if names_it else 'not named'}; {'goes on' if goes_on else 'does not go on'}",
    )
    assert names_it, shown
    assert goes_on


def run_end(error: ErrorInfo | None) -> str:
    """Say how the run ended."""
    return f"“{error.title}: {error.message.split(': ')[-1]}”" if error else "its log ends"


def test_a_disk_that_is_full_from_the_beginning_is_named(small_disk: Path, few_digits: Path, record: Record) -> None:
    store = Store(small_disk / "runs")
    fill(small_disk, 0)
    with pytest.raises(StoreError, match="the disk is full"):
        launch(store, endless(few_digits))
    answer = call("train", "--store", str(store.path), "--data", str(few_digits))
    record(
        "training on a disk that is full",
        "an error that names the cause",
        f"“{answer.stderr.splitlines()[1].split(': ')[-1]}”",
    )
    assert answer.returncode == 2
    assert "the disk is full" in answer.stderr
    assert store.runs() == []


def test_a_read_only_store_can_be_read_and_says_that_it_cannot_be_written(
    small_disk: Path, few_digits: Path, record: Record
) -> None:
    store = Store(small_disk / "runs")
    run = launch(store, endless(few_digits), skip_queue=True)
    wait_for_event(run, CheckpointSaved)
    run.send(Stop())
    wait_for_end(run)
    wait_until(lambda: not mount("-o", "remount,ro", small_disk), "the disk is read-only")
    refused = 0
    for command in (("train", "--data", str(few_digits)), ("resume", run.id), ("delete", run.id, "--yes")):
        answer = call(*command, "--store", str(store.path))
        assert "Traceback" not in answer.stderr, answer.stderr
        refused += answer.returncode == 2 and "is read-only" in answer.stderr
    readable = sum(
        call(*command, "--store", str(store.path)).returncode == 0
        for command in (("runs",), ("show", run.id), ("mistakes", run.id), ("attach", run.id, "--lines"))
    )
    weights_of(run)
    refused += app_refuses_to_resume(store)
    mount("-o", "remount,rw", small_disk)
    record(
        "a read-only store: train, resume, delete, r in the app; runs, show, mistakes, attach",
        "an error that names the cause; all that only reads works",
        f"{refused} of 4 name it; {readable} of 4 work",
    )
    assert (refused, readable) == (4, 4)


def app_refuses_to_resume(store: Store) -> bool:
    """Press r in the app; return whether it says why nothing comes of that, and goes on."""
    terminal = Pty("--store", str(store.path))
    terminal.wait_for("stopped", "r Resume")
    terminal.press("r")
    said = terminal.wait_for("Run not resumed", "is read-only")
    terminal.press("q")
    return terminal.wait_for_end() == 0 and bool(said)


def test_a_command_that_cannot_be_written_down_is_refused(small_disk: Path, few_digits: Path, record: Record) -> None:
    run = launch(Store(small_disk / "runs"), endless(few_digits), skip_queue=True)
    wait_for_event(run, CheckpointSaved)
    run.send(Pause())
    wait_until(lambda: run.status() == "paused", "it is paused")
    run.commands_path.write_bytes(run.commands_path.read_bytes() + b"\n" * (4096 - run.commands_path.stat().st_size))
    fill(small_disk, 0)
    with pytest.raises(RunError, match="the disk is full"):
        run.send(Resume())
    answer = call("stop", run.id, "--store", str(run.path.parent))
    reason = answer.stderr.splitlines()[1].split(": ")[-1]
    record("a command to a run on a full disk", "an error that names the cause", f"“{reason}”")
    assert answer.returncode == 2
    assert "the disk is full" in answer.stderr


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="this system has no prlimit")
def test_a_limit_on_the_size_of_files_is_named_and_costs_no_checkpoint(
    store: Store, few_digits: Path, record: Record
) -> None:
    run = launch(store, endless(few_digits), skip_queue=True)
    saved = wait_for_event(run, CheckpointSaved).epoch
    worker = worker_of(run)
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (16384, 16384))
    error = end_of(run)
    weights_of(run)
    goes_on = goes_on_after(run, saved)
    record(
        "RLIMIT_FSIZE while training",
        "an error that names the cause; the earlier checkpoint goes on",
        f"{run_end(error)}; {'goes on' if goes_on else 'does not go on'}",
    )
    assert error is not None
    assert "ulimit -f" in error.message
    assert goes_on


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="this system has no prlimit")
def test_a_log_that_cannot_grow_is_named(store: Store, few_digits: Path, record: Record) -> None:
    run = launch(store, endless(few_digits), skip_queue=True)
    saved = wait_for_event(run, CheckpointSaved).epoch
    worker = worker_of(run)
    size = run.events_path.stat().st_size
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (size, size))
    error = end_of(run)
    shown = call("show", run.id).stdout
    names_it = "over the size limit" in shown
    goes_on = goes_on_after(run, saved)
    record(
        "events.jsonl itself cannot grow",
        "an error that names the cause; the earlier checkpoint goes on",
        f"{run_end(error)}; {'named' if names_it else 'not named'}; {'goes on' if goes_on else 'does not go on'}",
    )
    assert names_it, shown
    assert goes_on
