"""The presets for the impatient on both backends, over several seeds: test accuracy after the last epoch, and seconds.

`python -m benchmarks.presets [--presets speedrun accurate] [--backends torch tensorflow] [--seeds 5] [--json FILE]`.
Each training is a process of its own, one after the other; the accuracy is that of the fixed last epoch, never of the
best. Seconds are those spent on training steps, without loading and testing. Needs the full MNIST.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from pathlib import Path

from benchmarks.tutorials import Figures, in_process, run_preset, spread
from engine.cores import usable_cores

PRESETS = ("speedrun", "accurate")
BACKENDS = ("torch", "tensorflow")


def row(preset: str, backend: str, runs: list[Figures]) -> str:
    """Return a line of the Markdown table: the spread of the test accuracies, and the seconds of training."""
    seconds = [sum(run["seconds"]) for run in runs]
    return (
        f"| `{preset}` | {backend} | {len(runs)} | {spread([run['test_accuracy'] for run in runs])} "
        f"| {statistics.median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f}) | {runs[0]['kernels']} |"
    )


def main() -> None:
    """Train every preset on every backend and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", default=PRESETS)
    parser.add_argument("--backends", nargs="+", default=BACKENDS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 takes the backend's own choice")
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(run_preset(options.presets[0], **json.loads(options.run))))
        return
    print("| preset | backend | seeds | test accuracy | seconds of training, median (least to most) | kernels |")
    print("|---|---|---:|---:|---:|---|", flush=True)
    everything: dict[str, list[Figures]] = {}
    for preset in options.presets:
        for backend in options.backends:
            runs = everything[f"{preset} {backend}"] = []
            for seed in range(options.seeds):
                settings = {"backend": backend, "seed": seed, "threads": options.threads}
                runs.append(in_process("benchmarks.presets", "--presets", preset, "--run", json.dumps(settings)))
                if options.json:
                    options.json.write_text(json.dumps(everything, indent=1))
            print(row(preset, backend, runs), flush=True)
    print(f"\n{usable_cores()} cores, load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
