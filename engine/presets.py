"""Named recipes: the two tutorials that the project starts from, and two for the impatient."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from engine.errors import ConfigError


@dataclass(frozen=True)
class Preset:
    """A recipe: the settings it fixes, and one line on what it teaches."""

    name: str
    title: str
    teaches: str
    settings: MappingProxyType[str, Any]

    @property
    def backend(self) -> str:
        """Its own framework: the one whose tutorial it is, or whose conventions it was tuned with."""
        return str(self.settings["backend"])


def _preset(name: str, title: str, teaches: str, **settings: Any) -> Preset:
    return Preset(name, title, teaches, MappingProxyType(settings))


_ONE_CYCLE: dict[str, Any] = {
    "backend": "torch",
    "model": "cnn-strided",
    "normalisation": "standard",
    "optimizer": "adam",
    "schedule": "onecycle",
    "batch_size": 128,
    "label_smoothing": 0.05,
}

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        _preset(
            "pytorch-tutorial",
            "PyTorch tutorial",
            "A first CNN with batch norm: a high learning rate that still converges",
            backend="torch",
            model="cnn-bn",
            normalisation="symmetric",
            optimizer="adam",
            learning_rate=0.01,
            batch_size=64,
            epochs=10,
        ),
        _preset(
            "tensorflow-tutorial",
            "TensorFlow tutorial",
            "The plainest CNN: two convolutions, a gentle learning rate, steady progress",
            backend="tensorflow",
            model="cnn",
            normalisation="unit",
            optimizer="adam",
            learning_rate=0.001,
            batch_size=32,
            epochs=10,
        ),
        _preset(
            "speedrun",
            "Speedrun",
            "99 % in one epoch: batch norm, and a learning rate that rises and falls again",
            **_ONE_CYCLE,
            learning_rate=0.02,
            epochs=1,
        ),
        _preset(
            "accurate",
            "Accurate",
            "99.6 % in twelve epochs: each image moved a little every time, so that none is learnt by heart",
            **_ONE_CYCLE,
            learning_rate=0.01,
            epochs=12,
            augmentation="shift",
        ),
    )
}

DEFAULT_PRESET = "pytorch-tutorial"


def get_preset(name: str) -> Preset:
    """Return the preset called `name`; raise ConfigError when there is none."""
    if name not in PRESETS:
        raise ConfigError("preset", f"There is no preset “{name}”.", f"Use one of: {', '.join(PRESETS)}.")
    return PRESETS[name]
