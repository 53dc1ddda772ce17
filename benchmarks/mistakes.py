"""How fast the Mistakes screen answers its keys, with a finished run on the complete MNIST.

`python -m benchmarks.mistakes [RUN] [--store DIR] [--size 120x40] [--repeats 5]`. Without RUN it first trains one
of ten epochs on a tenth of the training images. Drives the app without a terminal: each figure is the time from a
key to the moment when what it asks for is painted, median and worst of several; and how much processor time that
took, in all threads, which other work on the machine hardly adds to. A digit's bytes are those of its redraw at
256 colours.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console, RenderableType
from textual.screen import Screen

import tui.app
from engine.backends.base import Device
from engine.devices import BackendReport
from engine.runs import Run, Store
from tui.app import MnistApp
from tui.commands.app import FRAMES_PER_SECOND
from tui.screens.answers_screen import AnswersScreen
from tui.widgets.confusion_matrix import ConfusionMatrix
from tui.widgets.digit import halfblock_strips
from tui.widgets.gallery import Gallery

LIMITS = {"open": 300, "cell": 100, "page": 50, "epoch": 100}
LARGEST_REDRAW = 8000
NAMES = {
    "open": "screen opened after its key",
    "cell": "cell → filtered gallery",
    "page": "next page",
    "epoch": "epoch step",
}
DIGITS = 200


class Timing(NamedTuple):
    """Milliseconds on the clock, and of the processor."""

    wall: float
    cpu: float


def no_probe(backend: str) -> BackendReport:
    """Answer at once: a framework that starts beside the app would be in the figures."""
    return BackendReport(backend=backend, label=backend, installed=True, version="–", devices=(Device("cpu", ""),))


class WatchedApp(MnistApp):
    """Notes the moment of its last paint."""

    CSS_PATH = Path(tui.app.__file__).with_name("app.tcss")
    painted = Timing(0, 0)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        self.painted = now()


def now() -> Timing:
    """Return the clock's and the processor's time."""
    return Timing(1000 * time.perf_counter(), 1000 * time.process_time())


async def until(condition: Callable[[], object]) -> None:
    """Give the app its turns until `condition` holds."""
    while not condition():
        await asyncio.sleep(0.001)


async def milliseconds(app: WatchedApp, key: str, condition: Callable[[], object]) -> Timing:
    """Press `key` and return how long it takes until `condition` holds and what follows from that is painted."""
    began = now()
    app.simulate_key(key)
    await until(condition)
    settled = asyncio.Event()
    app.screen.call_after_refresh(settled.set)
    await settled.wait()
    await until(lambda: app.painted.wall > began.wall)  # Textual may paint later than it says that it has refreshed
    return Timing(app.painted.wall - began.wall, app.painted.cpu - began.cpu)


async def visit(store: Store, run: Run, size: tuple[int, int], figures: dict[str, list[Timing]]) -> None:
    """Open the app and the screen, and go through cells, pages and epochs."""
    app = WatchedApp(store, {}, open_run=run, probe=no_probe)
    async with app.run_test(size=size):
        await until(lambda: app.snapshot and app.snapshot.mistakes and app.dataset)
        await app.open_ahead()  # as in a terminal

        def is_filled() -> bool:
            return isinstance(app.screen, AnswersScreen) and app.screen.browsing is not None

        figures["open"].append(await milliseconds(app, "3", is_filled))
        screen = app.screen
        assert isinstance(screen, AnswersScreen)
        await until(lambda: screen.browsing and screen.browsing.history and screen.browsing.scores)
        browsing, tiles = screen.browsing, screen.query_one("#gallery", Gallery)
        assert browsing
        for _ in range(6):
            first, end = tiles.page
            if end == len(browsing.now.mistakes):
                break
            figures["page"].append(await milliseconds(app, "pagedown", lambda first=first: tiles.page[0] != first))
        for key in ("comma", *["comma"] * 4, *["full_stop"] * 5):
            epoch = browsing.epoch
            figures["epoch"].append(await milliseconds(app, key, lambda epoch=epoch: browsing.epoch != epoch))
        screen.query_one(ConfusionMatrix).focus()
        for key in ("down", "down", "down", "right", "right", "right", "down", "down", "right", "up"):
            cell = browsing.cell
            figures["cell"].append(await milliseconds(app, key, lambda cell=cell: browsing.cell != cell))


def redraw_bytes(run: Run) -> list[int]:
    """Return what the redraw of each of the run's first mistakes costs at 256 colours."""
    from engine.answers import load_answers
    from tui.datasets import dataset_of

    dataset = dataset_of(run.config, run.progress().started)
    answers = load_answers(run, run.predicted_epochs()[-1], dataset)
    console = Console(color_system="256", force_terminal=True)
    images = dataset.test_images[answers.mistakes[:DIGITS]]
    return [sum(len(strip.render(console).encode()) for strip in halfblock_strips(image)) for image in images]


def main() -> None:
    """Measure and print a line a figure, at the app's rate of frames, which Textual takes up as it is imported."""
    if "TEXTUAL_FPS" not in os.environ:
        os.environ["TEXTUAL_FPS"] = FRAMES_PER_SECOND
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.mistakes", *sys.argv[1:]])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", help="a finished run of ten epochs")
    parser.add_argument("--store")
    parser.add_argument("--size", default="120x40")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store.locate(options.store if options.run else folder)
        if not options.run:
            train(store)
        measure(store, store.find(options.run or "last"), options.size, options.repeats)


def train(store: Store) -> None:
    """Train a run of ten epochs."""
    command = [sys.executable, "-c", "from tui.cli import main; main()", "train", "--store", str(store.path)]
    subprocess.run([*command, "--epochs", "10", "--limit", "6000", "--device", "cpu"], check=True)


def measure(store: Store, run: Run, size: str, repeats: int) -> None:
    """Visit the screen `repeats` times in a terminal of `size`, and print a line a figure."""
    columns, _, lines = size.partition("x")
    figures: dict[str, list[Timing]] = {name: [] for name in LIMITS}
    for _ in range(repeats):
        asyncio.run(visit(store, run, (int(columns), int(lines)), figures))
    sizes = redraw_bytes(run)
    for name, limit in LIMITS.items():
        walls, cpus = zip(*figures[name], strict=True)
        print(
            f"{NAMES[name]:<28} {statistics.median(walls):6.0f} ms, worst {max(walls):.0f} (bar {limit}); "
            f"processor {statistics.median(cpus):.0f} ms, worst {max(cpus):.0f}"
        )
    print(f"{'redraw of a digit':<28} {statistics.median(sizes):6.0f} bytes, worst {max(sizes)} (bar {LARGEST_REDRAW})")


if __name__ == "__main__":
    main()
