"""How long the app takes from exec to its first full frame, against a Textual app that shows one line.

`python -m benchmarks.first_frame [--pairs 7]`. Both on a terminal of 120×40, in turns; processor time is that of all
threads until that frame. The first frame is the layout, without the form's fields; when these are there is told as
well. The last line is the ratio; bar 1.6, aim 1.2.
"""

from __future__ import annotations

import argparse
import sys
from typing import NamedTuple

from benchmarks.terminal import COMMAND, Terminal, load, own_user, spread

BARE = """
from textual.app import App
from textual.widgets import Static

class Bare(App):
    def compose(self):
        yield Static("the only line")

Bare().run()
"""
LAST_ROW = f"╰{'─' * 38}╯╰{'─' * 78}╯"
APPS = {
    "bare": ((sys.executable, "-c", BARE), ("the only line",), ()),
    "mnist-tui": (COMMAND, ("Setup", "accuracy", LAST_ROW), ("Optimizer", "No run yet", "Quit")),
}


class Start(NamedTuple):
    """Seconds from exec to the first frame, on the clock and of the processor, and to the frame with everything."""

    wall: float
    processor: float
    complete: float


def start(name: str) -> Start:
    """Start an app once."""
    command, words, more = APPS[name]
    with Terminal(command) as terminal:
        wall = terminal.wait_for(*words) - terminal.began
        processor = terminal.processor_seconds()
        return Start(wall, processor, terminal.wait_for(*more) - terminal.began)


def main() -> None:
    """Measure in turns and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    options = parser.parse_args()
    with own_user():
        for name in APPS:
            start(name)  # compiles, and fills the disk cache
        pairs = [{name: start(name) for name in APPS} for _ in range(options.pairs)]
    for name in APPS:
        walls, processor, complete = zip(*(pair[name] for pair in pairs), strict=True)
        print(f"{name:<10} {spread(walls)} s, processor {spread(processor)} s, with everything {spread(complete)} s")
    ratios = [[pair["mnist-tui"][kind] / pair["bare"][kind] for pair in pairs] for kind in range(3)]
    print(f"with everything: {spread(ratios[2])} × bare Textual")
    print(f"processor until the first frame: {spread(ratios[1])} × bare Textual, {load()}")
    print(f"first frame: {spread(ratios[0])} × bare Textual (bar 1.6, aim 1.2)")


if __name__ == "__main__":
    main()
