"""Who calls a setting by another tool's name is told ours, wherever settings are given."""

from __future__ import annotations

import pytest

from engine.config import FIELDS, TrainConfig
from engine.errors import ConfigError
from engine.setting_names import OTHER_NAMES, meant

KNOWN = {*FIELDS, "preset", "store", "theme", "repeats"}


@pytest.mark.parametrize(
    ("typed", "setting"),
    [
        ("--lr", "learning_rate"), ("bs", "batch_size"), ("--batch", "batch_size"), ("epoch", "epochs"),
        ("--gpu", "device"), ("framework", "backend"), ("wd", "weight_decay"), ("--mom", "momentum"),
        ("num-workers", "threads"), ("LEARNING_RATE", "learning_rate"), ("lerning_rate", "learning_rate"),
        ("normalization", "normalisation"), ("warp_drive", ""),
    ],
)  # fmt: skip
def test_other_names_and_misspelt_ones_lead_to_the_setting(typed: str, setting: str) -> None:
    assert meant(typed, KNOWN) == setting


def test_no_other_name_is_one_of_ours_or_means_two_settings() -> None:
    others = [other for names in OTHER_NAMES.values() for other in names.split()]
    assert len(others) == len(set(others))
    assert not set(others) & KNOWN
    assert OTHER_NAMES.keys() <= KNOWN


def test_python_code_is_told_too() -> None:
    with pytest.raises(ConfigError, match="Did you mean “learning_rate”"):
        TrainConfig.preset("pytorch-tutorial", lr=0.1)
