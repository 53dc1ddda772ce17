"""The verdict says whether it is about recipes or about two networks, and how many seeds there are."""

from __future__ import annotations

from engine.overlay import Agreement
from engine.verdict import Contestant, judge

ALIKE = Agreement(
    (3, 3), tested=10_000, alike=10_000, both_wrong=300, only_first_wrong=0, only_second_wrong=0, p_value=1
)
CHANCE = Agreement((3, 3), 10_000, 9_900, 250, 50, 50, p_value=0.92)
APART = Agreement((3, 3), 10_000, 9_000, 200, 40, 100, p_value=0.0000004)


def side(name: str, *accuracies: float, first_seed: int = 0, alone: str = "") -> Contestant:
    return Contestant(name, accuracies[0], dict(enumerate(accuracies, first_seed)), alone)


def test_one_seed_each_is_about_the_networks_never_about_the_recipes() -> None:
    found = judge(side("PyTorch", 0.976), side("TensorFlow", 0.97), APART)
    assert (found.about, found.better, found.test) == ("networks", "PyTorch", "McNemar's test")
    text = " ".join(found.sentences)
    assert "PyTorch's network is better on these 10,000 test images: 97.60 % against 97.00 %" in text
    assert "not about their recipes (1 seed each): only more seeds can tell" in text


def test_a_single_seed_on_one_side_says_nothing_about_recipes() -> None:
    found = judge(side("A", 0.97, 0.98, 0.975), side("B", 0.6, first_seed=7), CHANCE)
    assert (found.about, found.better, found.seeds) == ("networks", "", (3, 1))
    assert "3 seeds and 1 seed" in " ".join(found.sentences)


def test_networks_that_answer_alike_or_differ_by_chance_are_not_told_apart() -> None:
    one, other = side("A", 0.97), side("B", 0.97)
    assert judge(one, other, ALIKE).sentences[0] == "Both networks answer all 10,000 test images alike (97.00 %)."
    assert "by no more than chance: 97.00 % and 97.00 % of 10,000 test images" in judge(one, other, CHANCE).sentences[0]


def test_without_answers_nobody_can_tell() -> None:
    found = judge(side("A", 0.97), side("B", 0.60), None, "their predictions are gone")
    assert (found.about, found.better) == ("nothing", "")
    assert "their predictions are gone, so nobody can tell whether that is chance" in found.sentences[0]


def test_several_seeds_are_about_the_recipes_whatever_two_networks_do() -> None:
    found = judge(side("A", 0.970, 0.971, 0.972), side("B", 0.980, 0.9811, 0.9820), ALIKE)
    assert (found.about, found.better, found.test, found.seeds) == ("recipes", "B", "paired t test", (3, 3))
    assert found.sentences[0].startswith("B's recipe is better: B against A: +1.00 percentage points")
    assert "paired t test, 3 seeds each" in found.sentences[0]


def test_other_seeds_make_it_a_test_of_groups_and_chance_is_called_chance() -> None:
    found = judge(side("A", 0.97, 0.98), side("B", 0.975, 0.981, first_seed=5), APART)
    assert (found.better, found.test) == ("", "Welch's t test")
    assert "no more than chance (Welch's t test, 2 seeds each" in found.sentences[0]


def test_seeds_without_a_spread_give_no_certainty() -> None:
    found = judge(side("A", 0.97, 0.97), side("B", 0.98, 0.98))
    assert (found.better, found.p_value) == ("", None)
    assert "no spread between them to judge that by" in found.sentences[0]
    assert judge(side("A", 0.97, 0.97), side("B", 0.97, 0.97)).sentences == (
        "The same test accuracy with every seed (2 seeds each).",
    )


def test_a_run_that_was_changed_on_the_way_stands_for_itself() -> None:
    found = judge(side("A", 0.97, 0.98), side("B", 0.5, alone="its learning rate was changed on the way"), APART)
    assert "B stands for itself alone: its learning rate was changed on the way." in found.sentences


def test_two_repeats_of_one_recipe_are_two_networks() -> None:
    found = judge(side("A", 0.97, 0.98), side("B", 0.98, 0.97), CHANCE, same_recipe=True)
    assert found.about == "networks"
    assert found.sentences[-1] == "Both repeat one recipe, so there are no recipes to compare."
