"""A small dataset, and a user with folders of their own, for tests that run the command line."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.commands import Stop
from engine.data import Dataset
from engine.errors import RunError
from engine.runs import Store
from tests.conftest import write_idx


@pytest.fixture(scope="session")
def tiny_mnist(tmp_path_factory: pytest.TempPathFactory, sketches: Dataset) -> Path:
    """A folder of IDX files with 120 training and 50 test images."""
    return write_idx(tmp_path_factory.mktemp("dataset") / "digits", sketches)


@pytest.fixture(autouse=True)
def some_images(tiny_mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the user has no dataset, the runs that tests write have one all the same."""
    if not os.environ.get("MNIST_TUI_DATA"):
        monkeypatch.setenv("MNIST_TUI_DATA", str(tiny_mnist))


@pytest.fixture
def cli_store(tmp_path: Path, tiny_mnist: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user with a store, a config folder and device locks of their own; yields the store, which is empty.

    Runs that a failed test leaves behind are stopped.
    """
    for name in list(os.environ):
        if name.startswith("MNIST_TUI_") or name in ("COLUMNS", "LINES", "NO_COLOR"):
            monkeypatch.delenv(name)
    for kind in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MNIST_TUI_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("MNIST_TUI_DATA", str(tiny_mnist))
    monkeypatch.setenv("TERM", "xterm-256color")
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    yield tmp_path / "store"
    for run in Store(tmp_path / "store").runs() if (tmp_path / "store").is_dir() else ():
        with contextlib.suppress(RunError):
            run.send(Stop(now=True))


@pytest.fixture
def config_file(cli_store: Path) -> Path:
    """Where that user's config file is to be written."""
    from tui.settings import config_path

    config_path().parent.mkdir(parents=True)
    return config_path()
