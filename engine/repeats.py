"""Which runs repeat one another: the one rule by which every screen and command pools seeds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from engine.changes import BackendChange, Extension, RateChange
from engine.comparison import spelt_out

if TYPE_CHECKING:
    from engine.config import TrainConfig
    from engine.events import RunStarted
    from engine.runs import Progress

INCIDENTAL = frozenset({"seed", "name", "data", "device", "threads", "preset_name"})
"""Settings that may differ between repeats. Of data and device, what was really used counts."""

Recipe = frozenset[tuple[str, Any]]


@dataclass(frozen=True)
class Identity:
    """What repeats have in common. Anything else about them, apart from the seed, is incidental.

    `fingerprint` is that of the dataset's images and labels, `device` is a kind: cpu, cuda or mps. `kernels` is None
    in logs of earlier versions.
    """

    recipe: Recipe
    fingerprint: str
    framework_version: str
    device: str
    kernels: str | None


def identity_of(config: TrainConfig, progress: Progress) -> Identity | None:
    """Return what a run has in common with its repeats; None where it has none, for the reason that `why_alone` gives.

    A run that was stopped and resumed is as good as any other: it ends with the same bits.
    """
    started = progress.started
    if started is None or why_alone(progress):
        return None
    return Identity(recipe_of(config), started.dataset.fingerprint, *_trained_with(started))


def why_alone(progress: Progress) -> str:
    """Say why nothing repeats a run with this progress, such as `its learning rate was changed on the way`; or ``."""
    if progress.started is None:
        return "it has not begun to train"
    for change in progress.changes:
        match change:
            case RateChange():
                return "its learning rate was changed on the way"
            case BackendChange():
                return "two frameworks trained it"
            case Extension():
                return "its epochs were changed on the way"
    if len({_trained_with(started) for started in progress.starts}) > 1:
        return "it was resumed with another version, kind of device or kernels"
    return ""


def _trained_with(started: RunStarted) -> tuple[str, str, str | None]:
    return started.framework_version, started.device.partition(":")[0], started.kernels


@lru_cache(maxsize=16_384)
def recipe_of(config: TrainConfig) -> Recipe:
    """Return the settings that repeats share, with the defaults that the framework brings spelt out."""
    return frozenset(item for item in spelt_out(config).items() if item[0] not in INCIDENTAL)
