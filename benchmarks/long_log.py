"""How soon a run is on display whose log has 1,000,000 lines, and how much memory that takes.

`python -m benchmarks.long_log [--lines 1000000] [--repeats 5]`. `mnist-tui attach RUN` on a terminal of 120×40; a log
of a few lines, in a store of its own, is opened in turns with the long one. The last line is by how much the long one
takes longer from exec to the run's result. Before that, what `Run.status()` and `Run.progress()` of the long log take,
each in a process of its own: `--lines 2800000` makes a log of 480 MB.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from benchmarks.synthetic import write_run
from benchmarks.terminal import COMMAND, Terminal, load, own_user, spread
from engine.runs import Run

EPOCHS = 20
QUESTION = """
import resource, sys, time
from pathlib import Path
from engine.runs import Run
run, began = Run(Path(sys.argv[1])), time.perf_counter()
getattr(run, sys.argv[2])()
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def opened(run: Run) -> tuple[float, int]:
    """Return the seconds from exec until the run is on display, and the peak memory in bytes."""
    with Terminal([*COMMAND, "attach", run.id, "--store", str(run.path.parent)]) as terminal:
        shown = terminal.wait_for("completed", "after epoch")
        terminal.drain(10)  # until the app has everything that it wants
        return shown - terminal.began, terminal.peak_memory()


def asked(run: Run, question: str) -> tuple[float, float]:
    """Return the seconds that a method of `run` takes, and the peak memory of its process in MB."""
    command = [sys.executable, "-c", QUESTION, str(run.path), question]
    seconds, kilobytes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), int(kilobytes) / 1000


def main() -> None:
    """Write both logs, open them in turns, and print a line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with own_user() as store:
        runs = [write_run(store / str(steps), 0, EPOCHS, steps) for steps in (5, options.lines // EPOCHS)]
        size = runs[1].events_path.stat().st_size
        for question in ("status", "progress"):
            answers = [asked(runs[1], question) for _ in range(options.repeats)]
            memory = max(memory for _, memory in answers)
            print(f"{question} of the long log: {spread([seconds for seconds, _ in answers], 4)} s, {memory:.0f} MB")
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
