"""How soon the Runs screen shows its first rows with 10,000 runs in the store, and what the app takes from then on.

`python -m benchmarks.many_runs [--runs 10000] [--repeats 5]`. The app on a terminal of 120×40; `2` is pressed at its
first frame. The last line is the time from the key to the first rows.
"""

from __future__ import annotations

import argparse

from benchmarks.synthetic import write_run
from benchmarks.terminal import COMMAND, Terminal, load, own_user, spread


def main() -> None:
    """Write the store, open it `repeats` times, and print a line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    rows, everything, shares, memory = [], [], [], 0
    with own_user() as store:
        newest = [write_run(store, number, epochs=10, steps=5) for number in range(options.runs)][-1]
        for _ in range(options.repeats):
            with Terminal(COMMAND) as terminal:
                terminal.wait_for("Setup", "Quit")
                pressed = terminal.press("2")
                rows.append(terminal.wait_for(newest.id[:15], "test acc") - pressed)
                everything.append(terminal.wait_for(f"{options.runs:,} runs") - pressed)
                terminal.drain(10)
                before = terminal.processor_seconds()
                terminal.drain(5)
                shares.append(100 * (terminal.processor_seconds() - before) / 5)
                memory = max(memory, terminal.peak_memory())
    print(f"all runs read: {spread(everything)} s after the key")
    print(f"processor share with {options.runs:,} runs at rest: {spread(shares, 1)} % of a core")
    print(f"peak memory: {memory / 1e6:.0f} MB, {load()}")
    print(f"first rows of {options.runs:,} runs: {spread(rows)} s (bar 1, aim 0.3)")


if __name__ == "__main__":
    main()
