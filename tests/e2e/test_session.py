"""A whole session as a person has it: the installed command on a real terminal, driven by keys alone."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pyte
import pytest

from engine.backends import BACKENDS
from engine.data import Dataset
from engine.runs import Store
from tests.conftest import write_idx
from tests.waiting import PATIENCE, wait_until

COMMAND = "import sys; sys.argv[0] = 'mnist-tui'; from tui.cli import main; main()"


class Terminal:
    """A terminal with the command in it: what the screen shows, and keys to type."""

    def __init__(self, environment: dict[str, str], columns: int, rows: int) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.child = pexpect.spawn(
            sys.executable,
            ["-c", COMMAND],
            env=environment,
            dimensions=(rows, columns),
            timeout=PATIENCE,
        )

    def text(self) -> str:
        """Return the screen as text, after everything that was sent until now."""
        try:
            while True:
                self._stream.feed(self.child.read_nonblocking(65536, timeout=0))
        except (pexpect.TIMEOUT, pexpect.EOF):
            return "\n".join(self._screen.display)

    def wait_for(self, words: str) -> str:
        """Return the screen once it shows `words`."""
        return wait_until(lambda: self.text() if words in self.text() else "", f"{words!r} on\n{self.text()}")

    def press(self, keys: str) -> None:
        """Type `keys`."""
        self.child.send(keys)


@pytest.fixture(scope="module")
def dataset_folder(tmp_path_factory: pytest.TempPathFactory, sample_dataset: Dataset) -> Path:
    """Real digits in IDX files."""
    return write_idx(tmp_path_factory.mktemp("digits") / "digits", sample_dataset)


@pytest.fixture
def environment(tmp_path: Path, dataset_folder: Path) -> dict[str, str]:
    """A user who has set a short training run and nothing else."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MNIST_TUI_")}
    return inherited | {
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "MNIST_TUI_STORE": str(tmp_path / "store"),
        "MNIST_TUI_DATA": str(dataset_folder),
        "MNIST_TUI_EPOCHS": "1",
        "TERM": "xterm-256color",
    }


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    """The terminals that a test opened; closed at its end."""
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.child.kill(signal.SIGKILL)
        terminal.child.close()


@pytest.mark.parametrize(
    ("backend", "columns", "rows"),
    [
        pytest.param(name, *size, marks=pytest.mark.skipif(not info.installed, reason=f"{name} is not installed"))
        for (name, info), size in zip(BACKENDS.items(), [(80, 24), (120, 40)], strict=True)
    ],
)
def test_keys_alone_train_an_epoch_open_a_mistake_and_quit(
    environment: dict[str, str], terminals: list[Terminal], tmp_path: Path, backend: str, columns: int, rows: int
) -> None:
    terminal = Terminal(environment | {"MNIST_TUI_BACKEND": backend}, columns, rows)
    terminals.append(terminal)
    terminal.wait_for(BACKENDS[backend].label)
    terminal.press("t")
    terminal.wait_for("completed")
    (run,) = Store(tmp_path / "store").runs()
    finished = run.progress().finished
    assert finished is not None
    assert finished.outcome == "completed"
    assert finished.tested == 1000
    assert finished.test_accuracy is not None
    assert finished.test_accuracy > 0.5
    mistakes = round(1000 * (1 - finished.test_accuracy))
    terminal.press("3")
    assert f"{mistakes} of 1,000 wrong" in terminal.wait_for("of 1,000 wrong")
    terminal.wait_for("▀▀")
    terminal.press("q")
    terminal.child.expect(pexpect.EOF)
    terminal.child.close()
    assert terminal.child.exitstatus == 0
