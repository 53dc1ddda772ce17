"""A small dataset, and a user with folders of their own, for tests that run the command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tui.cli_harness import write_dataset


@pytest.fixture(scope="session")
def tiny_mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 256 training and 100 test images."""
    return write_dataset(tmp_path_factory.mktemp("dataset") / "digits")


@pytest.fixture
def cli_store(tmp_path: Path, tiny_mnist: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with a store, a config folder and device locks of their own; returns the store, which is empty."""
    for name in list(os.environ):
        if name.startswith("MNIST_TUI_"):
            monkeypatch.delenv(name)
    for kind in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MNIST_TUI_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("MNIST_TUI_DATA", str(tiny_mnist))
    monkeypatch.setenv("TERM", "xterm-256color")
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    return tmp_path / "store"


@pytest.fixture
def config_file(cli_store: Path) -> Path:
    """Where that user's config file is to be written."""
    from tui.settings import config_path

    config_path().parent.mkdir(parents=True)
    return config_path()
