"""The app tells system errors in the words of the command line, in a notice, and goes on."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from engine import data
from engine.data import Dataset
from engine.runs import Store
from tests.conftest import IDX_FILES, write_idx
from tests.tui.app_harness import opened, shown, until, until_shown
from tui.availability import device_problem
from tui.background import WorkFailed

WORDS = re.compile("System error|Make room")


async def test_what_the_system_refuses_to_background_work_is_a_notice_and_not_a_crash(store: Store) -> None:
    async with opened(store) as (app, _):
        app.post_message(WorkFailed(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/x")))
        await until(lambda: {"System error", "Make room"} == {*WORDS.findall(shown(app))}, "the error is told")
        assert app.return_code is None


async def test_a_damaged_file_in_a_default_place_is_skipped_with_a_notice(
    store: Store, tmp_path: Path, sketches: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MNIST_TUI_DATA", "KERAS_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    (tmp_path / "data" / "MNIST").mkdir(parents=True)
    (tmp_path / "datasets" / "MNIST").mkdir(parents=True)
    damaged = write_idx(tmp_path / "data" / "MNIST" / "raw", sketches) / IDX_FILES[0]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    write_idx(tmp_path / "datasets" / "MNIST" / "raw", sketches)
    monkeypatch.chdir(tmp_path)
    assert data.locate() is not None
    async with opened(store, size=(200, 60)) as (app, _):
        await until_shown(app, "Files skipped", "is cut off")


def test_a_device_that_cannot_be_there_is_known_before_a_framework_has_answered() -> None:
    assert device_problem("mps", "tensorflow", {}) == "TensorFlow does not train on mps; PyTorch does."
    assert device_problem("cpu", "torch", {}) == device_problem("auto", "torch", {}) == ""
    assert device_problem("cuda:x", "torch", {}) == ""
