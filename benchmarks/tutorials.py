"""Both tutorials' own loops and our presets, side by side over several seeds, beside what was published.

`python -m benchmarks.tutorials [--seeds 3] [--epochs 10] [--json FILE]`. Each training is a process of its own;
the two implementations take turns, so that a drift of the machine's speed meets both. Needs the full MNIST.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

Figures = dict[str, Any]

PUBLISHED_LOSS = {
    "pytorch-tutorial": [0.1850, 0.0908, 0.0819, 0.0754, 0.0717, 0.0684, 0.0661, 0.0635, 0.0618, 0.0607],
    "tensorflow-tutorial": [0.4720, 0.2005, 0.1636, 0.1456, 0.1323, 0.1224, 0.1142, 0.1075, 0.1020, 0.0967],
}
PUBLISHED_TEST_ACCURACY = {
    "pytorch-tutorial": [None] * 9 + [0.9728],
    "tensorflow-tutorial": [0.9374, 0.9505, 0.9560, 0.9631, 0.9648, 0.9660, 0.9667, 0.9680, 0.9697, 0.9698],
}
OWN_LOOP = {"pytorch-tutorial": "benchmarks.torch_tutorial", "tensorflow-tutorial": "benchmarks.keras_tutorial"}


def run_preset(preset: str, **changes: Any) -> Figures:
    """Train our preset with some settings changed, in this process; return its figures per epoch."""
    from engine import TrainConfig, train
    from engine.events import EpochFinished, RunFinished, RunStarted

    events = list(train(TrainConfig.preset(preset, **changes)))
    finished = events[-1]
    assert isinstance(finished, RunFinished), finished
    assert finished.error is None, finished.error
    done = [event for event in events if isinstance(event, EpochFinished)]
    return {
        "train_loss": [epoch.train_loss for epoch in done],
        "test_loss": [epoch.test_loss for epoch in done],
        "test_accuracy_by_epoch": [epoch.test_accuracy for epoch in done],
        "test_accuracy": finished.test_accuracy,
        "seconds": [epoch.seconds for epoch in done],
        "kernels": next(event.kernels for event in events if isinstance(event, RunStarted)),
    }


def in_process(module: str, *arguments: object) -> Figures:
    """Run `module` in a process of its own and return the JSON object that it prints last."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
    figures: Figures = json.loads(answer.stdout.splitlines()[-1])
    return figures


def mean(runs: list[Figures], key: str, epoch: int) -> float:
    """Return the mean over seeds of a figure of one epoch (from 0)."""
    return statistics.fmean(run[key][epoch] for run in runs)


def spread(values: list[float]) -> str:
    """Return `mean ± standard deviation` as percentages."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{100 * statistics.fmean(values):.2f} % ± {100 * deviation:.2f}"


def print_table(preset: str, own: list[Figures], ours: list[Figures]) -> None:
    """Print the epochs' means as a Markdown table."""
    print(f"\n## {preset}: {len(ours)} seeds, means\n")
    print("| epoch | published loss | tutorial's loop | this preset | published test | this preset, test |")
    print("|---:|---:|---:|---:|---:|---:|")
    for epoch in range(len(ours[0]["train_loss"])):
        published_test = PUBLISHED_TEST_ACCURACY[preset][epoch]
        print(
            f"| {epoch + 1} | {PUBLISHED_LOSS[preset][epoch]:.4f} | {mean(own, 'train_loss', epoch):.4f} "
            f"| {mean(ours, 'train_loss', epoch):.4f} | {f'{published_test:.4f}' if published_test else '–'} "
            f"| {mean(ours, 'test_accuracy_by_epoch', epoch):.4f} |"
        )
    if "test_as_published" in own[0]:
        print(f"\ntutorial's loop, tested as published: {spread([run['test_as_published'] for run in own])}")
    print(f"tutorial's loop, evaluation mode:     {spread([run['test_accuracy'] for run in own])}")
    print(f"this preset, evaluation mode:         {spread([run['test_accuracy'] for run in ours])}")
    seconds = [[statistics.median(run["seconds"]) for run in runs] for runs in (own, ours)]
    ratios = [theirs / mine for theirs, mine in zip(*seconds, strict=True)]
    print(
        f"seconds an epoch, medians: {statistics.median(seconds[0]):.1f} and, with {ours[0]['kernels']} kernels, "
        f"{statistics.median(seconds[1]):.1f}; "
        f"ratio {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
    )


def main() -> None:
    """Run everything and print a table for each tutorial."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    parser.add_argument("--preset", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.preset:
        print(json.dumps(run_preset(options.preset, seed=options.seed, epochs=options.epochs)))
        return
    everything: dict[str, dict[str, list[Figures]]] = {}
    for preset, module in OWN_LOOP.items():
        own: list[Figures] = []
        ours: list[Figures] = []
        for seed in range(options.seeds):
            own.append(in_process(module, seed, options.epochs))
            arguments = ["--preset", preset, "--seed", seed, "--epochs", options.epochs]
            ours.append(in_process("benchmarks.tutorials", *arguments))
        everything[preset] = {"tutorial": own, "preset": ours}
        print_table(preset, own, ours)
        if options.json:
            options.json.write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
