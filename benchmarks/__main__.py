"""`python -m benchmarks`, or `make bench`: every measurement in turn, one short round of each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HELPERS = {"torch_tutorial", "keras_tutorial", "terminal", "synthetic"}
"""Modules that a benchmark uses or starts itself."""
SHORT = {
    "first_frame": ["--pairs", "5"],
    "long_log": ["--repeats", "3"],
    "many_runs": ["--repeats", "3"],
    "presets": ["--presets", "speedrun", "--seeds", "1"],
    "variants": ["--rounds", "3"],
    "tutorials": ["--seeds", "1", "--epochs", "2"],
}


def main() -> int:
    """Run each benchmark of this folder; return 1 when one of them failed."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    failed = 0
    for name in (name for name in names if name not in HELPERS):
        print(f"\n# {name}", flush=True)
        failed |= bool(subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *SHORT.get(name, [])]).returncode)
    return failed


if __name__ == "__main__":
    sys.exit(main())
