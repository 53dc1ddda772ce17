"""The app's event loop: how long its longest steps take, at the start, on each screen and while a run trains.

`python -m benchmarks.event_loop [--longest 4] [--bar 50] [--size 120x40]`. The app runs on a terminal and notes each
step of its loop (a callback, or a task until it waits again) with the processor time that its thread took, which
other work on the machine hardly adds to, and the time on the clock. Steps of a phase are those that began in it.
"""

from __future__ import annotations

import argparse
import asyncio.events
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.terminal import Terminal, load, own_user
from benchmarks.while_training import endless_run
from engine.runs import Store

LOG = "MNIST_TUI_STEPS"
NOTED = 0.010
"""Seconds: what takes less is not written down."""
COMMAND = (
    sys.executable,
    "-c",
    "from benchmarks.event_loop import note_steps; note_steps(); from tui.cli import main; main()",
)

JOURNEY = (
    ("Runs", "2", "test acc"),
    ("filter", "/torch\x1b", "torch"),
    ("compare", " m\x1b", ""),
    ("note", "a", ""),
    ("note left", "\x1b", ""),
    ("Train again", "1", "Setup"),
    ("form", "\t\t\t", ""),
    ("form left", "\x1b", ""),
    ("Mistakes", "3", "rows true"),
    ("matrix", "\x1b[C\x1b[C\x1b[B\x1b[B", ""),
    ("large digit", "\t\t", ""),
    ("epoch before", ",", ""),
    ("other mistakes", "ww", ""),
    ("Data", "4", "fingerprint"),
    ("classes", "]]]", ""),
    ("Model", "5", "parameters"),
    ("digits", "+++", ""),
    ("Train, log scale", "1L", "(log scale)"),
    ("output", "o", ""),
    ("help", "?", "Help"),
    ("help left", "\x1b", "Setup"),
    ("quit", "q", "etach"),
    ("quit left", "\x1b", "Setup"),
    ("command palette", "\x10", "Search"),
    ("themes", "theme\r", ""),
    ("another theme", "nord\r", ""),
    ("Runs in another theme", "2", "test acc"),
)
"""A phase, what is pressed in it, and the words that show its end, if any do."""


class Step(NamedTuple):
    """A step of the loop: when it ended (`time.perf_counter`), its seconds of processor and clock, whose it was."""

    ended: float
    processor: float
    clock: float
    name: str


def note_steps() -> None:
    """Have each step of this process's event loops written to the file that the environment names."""
    run, log = asyncio.events.Handle._run, Path(os.environ[LOG])

    def timed(handle: asyncio.events.Handle) -> None:
        began, processor = time.perf_counter(), time.thread_time()
        run(handle)
        ended = time.perf_counter()
        if ended - began >= NOTED:
            step = Step(ended, time.thread_time() - processor, ended - began, name_of(handle))
            with log.open("a") as file:
                file.write(json.dumps(step) + "\n")

    asyncio.events.Handle._run = timed  # type: ignore[method-assign]


def name_of(handle: Any) -> str:
    """Return whose step it is: the task's, else the callback's name."""
    owner = getattr(handle._callback, "__self__", None)
    return owner.get_name() if isinstance(owner, asyncio.Task) else repr(handle._callback)


def main() -> None:
    """Go through the app and print the longest steps of each phase."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--longest", type=int, default=4, help="how many steps of each phase to print")
    parser.add_argument("--bar", type=float, default=50.0, help="milliseconds of processor time")
    parser.add_argument("--size", default="120x40", help="columns and rows of the terminal")
    options = parser.parse_args()
    columns, rows = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as folder, own_user() as store:
        log = Path(folder, "steps.jsonl")
        with endless_run(Store(store), "torch", threads=1):
            phases = journey(log, (columns, rows))
        steps = [Step(*json.loads(line)) for line in log.read_text().splitlines()]
    report(phases, steps, options)


def journey(log: Path, size: tuple[int, int]) -> list[tuple[str, float]]:
    """Go through the app; return the phases' names and when each began."""
    phases = [("start", time.perf_counter())]
    with Terminal(COMMAND, {LOG: str(log)}, size) as terminal:
        terminal.wait_for("images/s")
        terminal.drain(2)
        phases.append(("settling down", time.perf_counter()))
        terminal.drain(20)
        phases.append(("following a run", time.perf_counter()))
        terminal.drain(10)
        for name, keys, words in JOURNEY:
            phases.append((name, time.perf_counter()))
            terminal.press(keys)
            terminal.wait_for(words)
            terminal.drain(2)
    return phases


def report(phases: list[tuple[str, float]], steps: list[Step], options: argparse.Namespace) -> None:
    """Print the longest steps of each phase, and last the longest of all."""
    ends = [*(began for _, began in phases[1:]), float("inf")]
    for (name, began), end in zip(phases, ends, strict=True):
        own = sorted((step for step in steps if began <= step.ended < end), key=lambda step: -step.processor)
        print(f"{name}: {sum(1000 * step.processor > options.bar for step in own)} steps over {options.bar:.0f} ms")
        for step in own[: options.longest]:
            print(f"  {1000 * step.processor:4.0f} ms ({1000 * step.clock:4.0f} on the clock)  {step.name}")
    longest = max(steps, key=lambda step: step.processor)
    print(f"longest step: {1000 * longest.processor:.0f} ms (bar {options.bar:.0f}), {load()}")


if __name__ == "__main__":
    main()
