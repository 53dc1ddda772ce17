"""The one verdict on two runs: which recipe, or only which network, is more accurate by more than chance.

Several seeds on both sides tell something about the recipes. A single seed on either side tells something about these
two networks alone, by McNemar's test on the images that only one of them gets wrong. The sentences always say which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engine.overlay import Agreement
from engine.significance import MeanDifference, compare_seeds, is_significant, p_text

Subject = Literal["recipes", "networks", "nothing"]
Test = Literal["paired t test", "Welch's t test", "McNemar's test", "none"]


@dataclass(frozen=True)
class Contestant:
    """A side called `name`: the test accuracy (0 to 1) of the run that is looked at, and those of its recipe by seed.

    `alone` says why the run stands for no recipe, such as `its learning rate was changed on the way`; then `by_seed`
    has its own accuracy only.
    """

    name: str
    accuracy: float
    by_seed: Mapping[int, float]
    alone: str = ""


@dataclass(frozen=True)
class Verdict:
    """What can be said of two sides' accuracies.

    `better` names the side that is better by more than chance, and is else empty. `seeds` are how many count on each
    side. `difference` (second − first, 0 to 1), its 95 % `interval` and `p_value` are those of `test`, as far as it
    gives them.
    """

    about: Subject
    sentences: tuple[str, ...]
    seeds: tuple[int, int]
    test: Test = "none"
    better: str = ""
    difference: float | None = None
    interval: tuple[float, float] | None = None
    p_value: float | None = None


def judge(
    first: Contestant,
    second: Contestant,
    agreement: Agreement | None = None,
    no_agreement: str = "their answers are not at hand",
    same_recipe: bool = False,
) -> Verdict:
    """Compare two sides that were tested on the same images. Slow at first: it imports SciPy.

    `agreement` is how the two networks answered at their end; without it, `no_agreement` says why. With `same_recipe`
    the two are repeats of one recipe, so there are only networks to compare.
    """
    if same_recipe or min(len(first.by_seed), len(second.by_seed)) < 2:
        return _on_networks(first, second, agreement, no_agreement, same_recipe)
    return _on_recipes(first, second, compare_seeds(first.by_seed, second.by_seed))


# Recipes


def _on_recipes(first: Contestant, second: Contestant, found: MeanDifference) -> Verdict:
    test: Test = "paired t test" if found.is_paired else "Welch's t test"
    seeds = seeds_text(found.sizes)
    left_out = len(first.by_seed) + len(second.by_seed) - sum(found.sizes)
    seeds += " that both have" if left_out else ""
    against = f"{second.name} against {first.name}: {_points(found.difference)} of test accuracy"
    better = ""
    if found.p_value is None or found.interval is None:
        sentence = f"{against} with {seeds}, but no spread between them to judge that by: only more seeds can tell."
        if not found.difference:
            sentence = f"The same test accuracy with every seed ({seeds})."
    else:
        low, high = (f"{100 * end:+.2f}" for end in found.interval)
        basis = f"{test}, {seeds}, p {p_text(found.p_value)}; 95 % interval {low} to {high}"
        if found.is_significant:
            better = second.name if found.difference > 0 else first.name
            sentence = f"{better}'s recipe is better: {against}, more than chance ({basis})."
        else:
            sentence = f"{against}, no more than chance ({basis})."
    return Verdict(
        "recipes", (sentence,), found.sizes, test, better, found.difference, found.interval, found.p_value
    )  # fmt: skip


def seeds_text(numbers: tuple[int, int]) -> str:
    """`5 seeds each`, `1 seed and 3 seeds`."""
    one, other = (f"{number} seed" if number == 1 else f"{number} seeds" for number in numbers)
    return f"{one} each" if one == other else f"{one} and {other}"


def _points(difference: float) -> str:
    return f"{100 * difference:+.2f} percentage points"


# Networks


def _on_networks(
    first: Contestant, second: Contestant, agreement: Agreement | None, no_agreement: str, same_recipe: bool
) -> Verdict:
    seeds = len(first.by_seed), len(second.by_seed)
    difference, rest = second.accuracy - first.accuracy, _on_no_recipe(first, second, same_recipe)
    figures = f"{_percent(first.accuracy)} and {_percent(second.accuracy)}"
    if agreement is None:
        untold = f"Test accuracy {figures}: {no_agreement}, so nobody can tell whether that is chance."
        return Verdict("nothing", (untold, *rest), seeds, difference=difference)
    p_value, images, better = agreement.p_value, f"{agreement.tested:,} test images", ""
    if agreement.alike == agreement.tested:
        sentence = f"Both networks answer all {images} alike ({_percent(first.accuracy)})."
    elif not is_significant(p_value):
        told = f"{figures} of {images} (McNemar's p {p_text(p_value)})"
        sentence = f"The two networks differ by no more than chance: {told}."
    else:
        winner, loser = (first, second) if agreement.only_second_wrong > agreement.only_first_wrong else (second, first)
        better, figures = winner.name, f"{_percent(winner.accuracy)} against {_percent(loser.accuracy)}"
        sentence = f"{better}'s network is better on these {images}: {figures} (McNemar's p {p_text(p_value)})."
    return Verdict("networks", (sentence, *rest), seeds, "McNemar's test", better, difference, None, p_value)


def _on_no_recipe(first: Contestant, second: Contestant, same_recipe: bool) -> tuple[str, ...]:
    """Say why this is about no recipes, and what would tell more."""
    if same_recipe:
        return ("Both repeat one recipe, so there are no recipes to compare.",)
    alone = [f"{side.name} stands for itself alone: {side.alone}." for side in (first, second) if side.alone]
    seeds = seeds_text((len(first.by_seed), len(second.by_seed)))
    about = f"That is about these two runs, not about their recipes ({seeds})"
    return (*alone, f"{about}." if alone else f"{about}: only more seeds can tell.")


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
