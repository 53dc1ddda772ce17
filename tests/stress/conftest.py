"""Digits to torture workers with, a store that is empty of workers afterwards, and the table of what came of it all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.data import Dataset
from engine.runs import Store
from tests.conftest import write_idx
from tests.stress.torture import Record, kill_all

ROWS = pytest.StashKey[list[tuple[str, str, str]]]()


@pytest.fixture(scope="session")
def few_digits(digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,000 training and 200 test digits in a folder of IDX files."""
    train, test = slice(1000), slice(200)
    few = Dataset(
        digits.train_images[train], digits.train_labels[train], digits.test_images[test], digits.test_labels[test],
        digits.info,
    )  # fmt: skip
    return write_idx(tmp_path_factory.mktemp("data") / "digits", few)


@pytest.fixture
def store(store: Store) -> Iterator[Store]:
    """An empty store, in force; workers that a failed test leaves behind are killed."""
    yield store
    kill_all(store.path)


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """Adds a row to the table at the end."""
    rows = request.config.stash.setdefault(ROWS, [])
    return lambda what, bar, measured: rows.append((what, bar, measured))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table of what was done, what must come of it, and what came of it."""
    rows = config.stash.get(ROWS, [])
    if not rows:
        return
    table = [("what", "bar", "measured"), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(3)]
    terminalreporter.section("Training that survives")
    for row in table:
        terminalreporter.write_line("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)))
