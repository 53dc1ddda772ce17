"""The app while a run trains: how soon keys are answered, what it sends and takes, and what training loses.

`python -m benchmarks.while_training [--backend torch] [--keys 60] [--seconds 10] [--rounds 6]`. A real worker trains
without end; the app follows it on a terminal of 120×40. For the keys it trains on all cores, and a key is answered when
what it asks for has been sent. Beside the app runs a plain Textual app (benchmarks.plain_app), which knows nothing of
the run; each key is pressed first in the one, then in the other. For what training loses it trains on as many as it
would by itself: the app is stopped and continued in turns, and the worker's steps are counted in its log.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from itertools import cycle, islice

from benchmarks.terminal import COMMAND, Terminal, load, own_user, percentile, spread
from engine import events
from engine.commands import Stop
from engine.config import TrainConfig
from engine.cores import usable_cores
from engine.launcher import launch
from engine.runs import Run, Store

KEYS = (("L", "(log scale)"), ("L", "loss ─"), ("2", "test acc"), ("1", "Setup"), ("?", "Help"), ("\x1b", "Setup"))
"""What is pressed one after the other, and the words that are sent anew because of it."""
PLAIN_KEYS = (
    ("l", "logarithmic"), ("l", "linear"), ("2", "best accuracy"), ("1", "Epochs"), ("?", "About"), ("\x1b", "Epochs"),
)  # fmt: skip
"""The same for the plain app."""
PLAIN = (sys.executable, "-m", "benchmarks.plain_app")


@contextlib.contextmanager
def training(backend: str, threads: int) -> Iterator[tuple[Terminal, Run]]:
    """Give the app on a terminal, settled down, and the run it follows, which does not end by itself."""
    with own_user() as folder, endless_run(Store(folder), backend, threads) as run, Terminal(COMMAND) as terminal:
        terminal.wait_for("images/s")
        terminal.drain(20)  # until it has asked both frameworks for their devices, and opened its screens ahead
        print(load())
        yield terminal, run


@contextlib.contextmanager
def endless_run(store: Store, backend: str, threads: int) -> Iterator[Run]:
    """Give a run that trains on so many `threads`, 0 for as many as it chooses, and is stopped in the end."""
    config = TrainConfig.preset(
        f"{'pytorch' if backend == 'torch' else 'tensorflow'}-tutorial",
        epochs=10_000, device="cpu", threads=threads,
    )  # fmt: skip
    run = launch(store, config)
    try:
        log, deadline = run.follow(), time.monotonic() + 120
        while not any(isinstance(event, events.Step) for event in log.read()):
            if time.monotonic() > deadline:
                raise SystemExit(f"{run.id} does not train: {run.log_path.read_text()}")
            time.sleep(0.1)
        yield run
    finally:
        run.send(Stop(now=True))
        while run.status() in ("running", "paused"):
            time.sleep(0.1)


def latency(terminal: Terminal, key: str, words: str) -> tuple[float, float]:
    """Return how many milliseconds `key` took to be answered by `words`, and the processor's."""
    before, pressed = terminal.processor_seconds(), terminal.press(key)
    answered = terminal.wait_for(words)
    return 1000 * (answered - pressed), 1000 * (terminal.processor_seconds() - before)


def latencies(ours: Terminal, plain: Terminal, count: int) -> tuple[list[float], list[float], float]:
    """Return the milliseconds that each of `count` keys took in ours and in the plain app, and ours of the processor.

    The two apps take turns at every key, so that both meet the same moments of a busy machine.
    """
    found: tuple[list[float], list[float]] = ([], [])
    processor = 0.0
    for keys in islice(cycle(zip(KEYS, PLAIN_KEYS, strict=True)), count):
        for terminal, (key, words), times in zip((ours, plain), keys, found, strict=True):
            waited, worked = latency(terminal, key, words)
            times.append(waited)
            processor += worked if terminal is ours else 0.0
            for each in (ours, plain):
                each.drain(0.15)
    return *found, processor / count


def images_per_second(terminal: Terminal, run: Run, seconds: float) -> float:
    """Return how many images the run's worker trains on a second, over so many seconds from now."""
    log = run.follow()
    while log.read():
        pass
    terminal.drain(seconds)
    steps = [event for event in log.read() if isinstance(event, events.Step)]
    first, last = steps[0], steps[-1]
    done = (last.epoch - first.epoch) * last.steps + last.step - first.step
    return done * run.config.batch_size / (last.time - first.time)


def main() -> None:
    """Measure and print a line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=("torch", "tensorflow"), default="torch")
    parser.add_argument("--keys", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    with training(options.backend, threads=usable_cores()) as (terminal, _):
        measure_keys(terminal, options)
    with training(options.backend, threads=0) as (terminal, run):
        measure_speed(terminal, run, options)


def measure_keys(terminal: Terminal, options: argparse.Namespace) -> None:
    """Measure what the app on `terminal` sends and takes, and how soon it answers."""
    before = terminal.processor_seconds()
    sent = terminal.drain(options.seconds) / options.seconds
    share = (terminal.processor_seconds() - before) / options.seconds
    with Terminal(PLAIN) as plain:
        plain.wait_for("Epochs")
        plain.drain(2)
        answers, plain_answers, processor = latencies(terminal, plain, options.keys)
    ours, theirs = percentile(answers, 0.95), percentile(plain_answers, 0.95)
    print(
        f"key to answer: median {percentile(answers, 0.5):.0f} ms, worst {max(answers):.0f} ms; "
        f"processor {processor:.0f} ms a key"
    )
    print(f"the plain app: median {percentile(plain_answers, 0.5):.0f} ms, worst {max(plain_answers):.0f} ms")
    print(
        f"key to answer, 95th percentile: {ours:.0f} ms, the plain app {theirs:.0f} ms, "
        f"ratio {ours / theirs:.2f} (bar 1.3), {load()}"
    )
    print(f"sent while training: {sent / 1000:.1f} kB/s (bar 10, aim 4)")
    print(f"the app's own processor share: {100 * share:.1f} % of a core")


def measure_speed(terminal: Terminal, run: Run, options: argparse.Namespace) -> None:
    """Measure how fast `run` trains while the app on `terminal` follows it, and while that is stopped."""
    ratios = []
    for _ in range(options.rounds):
        speeds = {}
        for signal_number, name in ((signal.SIGCONT, "attached"), (signal.SIGSTOP, "alone")):
            os.kill(terminal.pid, signal_number)
            speeds[name] = images_per_second(terminal, run, options.seconds / 2)
        ratios.append(100 * speeds["attached"] / speeds["alone"])
    os.kill(terminal.pid, signal.SIGCONT)
    print(f"training speed with the app, of that without: {spread(ratios, 1)} % (bar 95, aim 99), {load()}")


if __name__ == "__main__":
    main()
