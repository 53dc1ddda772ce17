"""Runs launched together are recognised by their settings and the moment of their creation."""

from __future__ import annotations

import pytest

from engine.backends import BACKENDS
from engine.comparison import differing_settings
from engine.config import TrainConfig
from engine.conventions import NATIVE
from engine.errors import ConfigError
from engine.families import family_of, matched, partner_of, repeated
from engine.presets import PRESETS

RECIPE = TrainConfig.preset("pytorch-tutorial")


def run_id(second: float, backend: str) -> str:
    """Return the id of a run created `second` seconds after noon, below 60."""
    return f"20261124-1200{int(second):02}-{backend}-{int(second % 1 * 65536):04x}"


def runs(*made: tuple[float, TrainConfig]) -> dict[str, TrainConfig]:
    """Return settings by run id, of runs created at these seconds."""
    return {run_id(second, config.backend): config for second, config in made}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_matched_recipe_differs_in_nothing_but_the_backend_and_follows_its_preset(preset: str) -> None:
    for backend in BACKENDS:
        both = matched(TrainConfig.preset(preset, backend=backend, learning_rate=0.003))
        assert [config.backend for config in both] == list(BACKENDS)
        assert {config.conventions for config in both} == {NATIVE[PRESETS[preset].backend]}
        assert {config.learning_rate for config in both} == {0.003}
        assert differing_settings(both).keys() == {"backend"}


def test_conventions_that_the_user_pinned_stay() -> None:
    assert {config.conventions for config in matched(RECIPE.replace(conventions="keras"))} == {"keras"}


def test_repeats_take_consecutive_seeds_as_far_as_there_are_any() -> None:
    assert [config.seed for config in repeated(RECIPE.replace(seed=5), 3)] == [5, 6, 7]
    with pytest.raises(ConfigError, match="Seed must be"):
        repeated(RECIPE.replace(seed=2**31 - 2), 3)


def test_a_pair_and_the_repeats_of_both_are_a_family_in_the_order_of_their_launch() -> None:
    configs = [one for repeat in repeated(RECIPE, 3) for one in matched(repeat)]
    settings = runs(*((number / 4, config) for number, config in enumerate(configs)))
    for member in settings:
        assert family_of(member, settings) == tuple(settings)
    first, second, *_ = settings
    assert partner_of(first, settings) == second
    assert partner_of(second, settings) == first


def test_a_family_may_be_as_long_as_its_members_are_near_one_another() -> None:
    settings = runs(*((8 * number, config) for number, config in enumerate(repeated(RECIPE, 7))))
    assert len(family_of(next(iter(settings)), settings)) == 7


def test_runs_that_were_not_launched_together_or_are_not_matched_are_no_family() -> None:
    torch, tensorflow = matched(RECIPE)
    apart = runs((0, torch), (30, tensorflow))
    unmatched = runs((0, RECIPE), (0.5, RECIPE.replace(backend="tensorflow")))
    other_recipe = runs((0, torch), (0.5, tensorflow.replace(epochs=3)))
    for settings in (apart, unmatched, other_recipe):
        for member in settings:
            assert family_of(member, settings) == (member,)
            assert partner_of(member, {member: settings[member]}) is None


def test_of_two_pairs_launched_right_after_one_another_each_stays_by_itself() -> None:
    torch, tensorflow = matched(RECIPE)
    settings = runs((0, torch), (0.25, tensorflow), (2, torch), (2.25, tensorflow))
    ids = tuple(settings)
    assert [family_of(member, settings) for member in ids] == [ids[:2], ids[:2], ids[2:], ids[2:]]


def test_a_run_of_unknown_settings_or_name_is_a_family_of_its_own() -> None:
    settings = runs((0, RECIPE)) | {"a-copy": RECIPE}
    assert family_of("damaged", settings) == ("damaged",)
    assert family_of("a-copy", settings) == ("a-copy",)
    assert family_of(run_id(0, "torch"), settings) == (run_id(0, "torch"),)
