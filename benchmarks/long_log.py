"""How soon a run is on display whose log has 1,000,000 lines, and how much memory that takes.

`python -m benchmarks.long_log [--lines 1000000] [--repeats 5]`. `mnist-tui attach RUN` on a terminal of 120×40; a log
of a few lines, in a store of its own, is opened in turns with the long one. The last line is by how much the long one
takes longer from exec to the run's result.
"""

from __future__ import annotations

import argparse

from benchmarks.synthetic import write_run
from benchmarks.terminal import COMMAND, Terminal, load, own_user, spread
from engine.runs import Run

EPOCHS = 20


def opened(run: Run) -> tuple[float, int]:
    """Return the seconds from exec until the run is on display, and the peak memory in bytes."""
    with Terminal([*COMMAND, "attach", run.id, "--store", str(run.path.parent)]) as terminal:
        shown = terminal.wait_for("completed", "after epoch")
        terminal.drain(10)  # until the app has everything that it wants
        return shown - terminal.began, terminal.peak_memory()


def main() -> None:
    """Write both logs, open them in turns, and print a line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with own_user() as store:
        runs = [write_run(store / str(steps), 0, EPOCHS, steps) for steps in (5, options.lines // EPOCHS)]
        size = runs[1].events_path.stat().st_size
        pairs = [(opened(runs[0]), opened(runs[1])) for _ in range(options.repeats)]
    print(
        f"short log: {spread([short[0] for short, _ in pairs])} s, {max(short[1] for short, _ in pairs) / 1e6:.0f} MB"
    )
    print(f"long log: {spread([long[0] for _, long in pairs])} s, {max(long[1] for _, long in pairs) / 1e6:.0f} MB")
    extra = [long[0] - short[0] for short, long in pairs]
    print(f"the long log has {size / 1e6:.0f} MB; {load()}")
    print(f"a log of {options.lines:,} lines takes {spread(extra)} s more (bar 2, aim 0.5)")


if __name__ == "__main__":
    main()
