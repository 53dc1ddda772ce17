"""Runs that belong together: one recipe on both backends, or over several seeds, launched in one go.

Nothing on disk says that they do: a family is recognised by its members' settings and by when they were created.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.backends import BACKENDS
from engine.comparison import differing_settings
from engine.config import TrainConfig
from engine.conventions import NATIVE
from engine.presets import PRESETS
from engine.run_index import moment_in

KIN = frozenset({"backend", "seed"})
"""What members of a family may differ in."""
SECONDS_APART = 10.0
"""The most between the creation of one member and of the next: a hundred workers take a while to start."""
NEIGHBOURS = 200
"""How many runs before and after one in its store may have been launched together with it."""


def home_conventions(config: TrainConfig) -> str:
    """Return whose conventions both backends follow when they train alike: those of the preset's own framework."""
    preset = PRESETS.get(config.preset_name)
    return NATIVE[preset.backend if preset else config.backend]


def matched(config: TrainConfig) -> list[TrainConfig]:
    """Return the recipe of `config` for each backend, so that they train alike; conventions that are pinned stay."""
    pinned = home_conventions(config) if config.conventions == "auto" else config.conventions
    return [config.replace(backend=name, conventions=pinned) for name in BACKENDS]


def repeated(config: TrainConfig, repeats: int) -> list[TrainConfig]:
    """Return `config` with consecutive seeds, from its own on; raise ConfigError when there are not so many seeds."""
    return [config.replace(seed=config.seed + number) for number in range(repeats)]


def family_of(run_id: str, settings: Mapping[str, TrainConfig]) -> tuple[str, ...]:
    """Return the ids of the runs that were launched together with `run_id`, and its own, in that order.

    `settings` has the settings of all runs by id. Members differ in nothing but backend and seed, and each was created
    within SECONDS_APART of another one; of two runs with the same backend and seed, the nearer one belongs to it.
    """
    own, moment = settings.get(run_id), moment_in(run_id)
    if own is None or moment is None:
        return (run_id,)
    members = {(own.backend, own.seed): (moment, run_id)}
    moments = {other: moment_in(other) for other in settings}
    dated = sorted((abs(at - moment), at, other) for other, at in moments.items() if at is not None)
    for _, at, other in dated:
        key = settings[other].backend, settings[other].seed
        is_near = any(abs(at - joined) <= SECONDS_APART for joined, _ in members.values())
        if is_near and key not in members and differing_settings([own, settings[other]]).keys() <= KIN:
            members[key] = at, other
    return tuple(other for _, other in sorted(members.values()))


def partner_of(run_id: str, family: Mapping[str, TrainConfig]) -> str | None:
    """Return the member of the `family` that differs from `run_id` in its backend alone, if there is one."""
    own = family.get(run_id)
    for other, config in family.items():
        if own and config.seed == own.seed and config.backend != own.backend:
            return other
    return None
