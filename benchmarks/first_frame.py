"""How long the app takes from exec to its first full frame, against a Textual app that shows one line.

`python -m benchmarks.first_frame [--pairs 7]`. Both on a terminal of 120×40, in turns; processor time is that of all
threads until that frame. The last line is the ratio; bar 1.6, aim 1.2.
"""

from __future__ import annotations

import argparse
import statistics
import sys

from benchmarks.terminal import COMMAND, Terminal, load, own_user, spread

BARE = """
from textual.app import App
from textual.widgets import Static

class Bare(App):
    def compose(self):
        yield Static("the only line")

Bare().run()
"""
APPS = {
    "bare": ((sys.executable, "-c", BARE), ("the only line",)),
    "mnist-tui": (COMMAND, ("Setup", "No run yet", "Quit")),
}


def first_frame(name: str) -> tuple[float, float]:
    """Return the seconds until an app's first frame, on the clock and of the processor."""
    command, words = APPS[name]
    with Terminal(command) as terminal:
        seen = terminal.wait_for(*words)
        return seen - terminal.began, terminal.processor_seconds()


def main() -> None:
    """Measure in turns and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    options = parser.parse_args()
    with own_user():
        for name in APPS:
            first_frame(name)  # compiles, and fills the disk cache
        pairs = [{name: first_frame(name) for name in APPS} for _ in range(options.pairs)]
    for name in APPS:
        walls, processor = zip(*(pair[name] for pair in pairs), strict=True)
        print(f"{name:<10} {spread(walls)} s, processor {spread(processor)} s")
    ratios = [[pair["mnist-tui"][kind] / pair["bare"][kind] for pair in pairs] for kind in (0, 1)]
    print(f"processor ratio {spread(ratios[1])}, {load()}")
    quickest = [min(pair[name][0] for pair in pairs) for name in APPS]
    print(f"ratio of the quickest {quickest[1] / quickest[0]:.2f}")
    print(f"first frame: {statistics.median(ratios[0]):.2f} × bare Textual, {spread(ratios[0])} (bar 1.6, aim 1.2)")


if __name__ == "__main__":
    main()
