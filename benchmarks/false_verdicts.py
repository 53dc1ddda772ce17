"""How often the verdict says that one of two equal recipes is better: simulated pairs, at most 6 % may be called so.

`python -m benchmarks.false_verdicts [--pairs 20000]`. Each side of a pair has n accuracies of one distribution: normal,
or the share of 10,000 test images that networks of one accuracy get right, as real accuracies are counts. With the same
seeds on both sides the test is paired, with other seeds it is not; samples of two sizes are tried, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from engine.verdict import Contestant, judge

SIZES = ((2, 2), (3, 3), (5, 5), (10, 10), (2, 5), (2, 10), (3, 10))
IMAGES, ACCURACY, DEVIATION = 10_000, 0.975, 0.0015
MOST = 0.06

Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]

DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda generator, shape: generator.normal(ACCURACY, DEVIATION, shape),
    "counts of 10,000": lambda generator, shape: generator.binomial(IMAGES, ACCURACY, shape) / IMAGES,
}


def false_share(draw: Draw, sizes: tuple[int, int], same_seeds: bool, pairs: int, seed: int = 0) -> float:
    """Return the share of `pairs` of equal recipes of which the verdict calls one better."""
    generator = np.random.default_rng(seed)
    first, second = (draw(generator, (pairs, size)).tolist() for size in sizes)
    start = 0 if same_seeds else sizes[0]
    return sum(_is_claimed(one, other, start) for one, other in zip(first, second, strict=True)) / pairs


def _is_claimed(first: list[float], second: list[float], second_starts: int) -> bool:
    one = Contestant("A", first[0], dict(enumerate(first)))
    other = Contestant("B", second[0], dict(enumerate(second, second_starts)))
    return bool(judge(one, other).better)


def main() -> int:
    """Print a table of the shares; return 1 when one is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20_000)
    options = parser.parse_args()
    print(
        "| seeds | " + " | ".join(f"{name}, {how}" for name in DISTRIBUTIONS for how in ("paired", "unpaired")) + " |"
    )
    print("|---|" + 2 * len(DISTRIBUTIONS) * "---:|")
    highest = 0.0
    for sizes in SIZES:
        shares = [
            false_share(draw, sizes, same_seeds, options.pairs)
            for draw in DISTRIBUTIONS.values()
            for same_seeds in (True, False)
        ]
        highest = max(highest, *shares)
        print(
            f"| {sizes[0]} and {sizes[1]} | " + " | ".join(f"{100 * share:.1f} %" for share in shares) + " |",
            flush=True,
        )
    print(f"\nhighest: {100 * highest:.1f} % (limit {100 * MOST:.0f} %), {options.pairs:,} pairs each")
    return int(highest > MOST)


if __name__ == "__main__":
    raise SystemExit(main())
