"""All that decides a run, as people read it: its settings, its framework's conventions, and what it ran on."""

from __future__ import annotations

from typing import Any

from engine.config import FIELDS, TrainConfig
from engine.conventions import conventions_in_use
from engine.runs import Progress
from tui.change_words import backend_text, epochs_text, learning_rate_text
from tui.formats import text_of

LABELS = {
    "preset_name": "Preset",
    "initialisation": "Initial weights",
    "adam_epsilon": "Adam ε",
    "adam_epsilon_corrected": "Adam ε after bias correction",
    "batch_norm_momentum": "Batch norm momentum",
    "batch_norm_epsilon": "Batch norm ε",
    "batch_norm_unbiased": "Batch norm variance unbiased",
    "framework_version": "Framework version",
    "device_used": "Device used",
    "device_name": "Device name",
    "kernels": "Kernels",
    "dataset": "Dataset",
    "dataset_fingerprint": "Dataset fingerprint",
    "train_examples": "Training images",
    "test_examples": "Test images",
}
CHANGEABLE = {"learning_rate": learning_rate_text, "backend": backend_text, "epochs": epochs_text}
"""The settings that can be changed on the way, and how a run tells of them."""


KERNELS = {"fused": "fused (mnist-tui's own)", "framework": "the framework's layers"}
"""Whose code trained: see engine.backends.base.Kernels."""


def facts_of(config: TrainConfig, progress: Progress, name: str) -> dict[str, Any]:
    """Return all that decides a run, by key: settings, its framework's conventions where used, and what it ran on.

    `name` is what the run is called now. What was changed on the way is a text, such as `0.01 → 0.003 in epoch 3`. A
    convention that the run has no use for, such as Adam's ε with SGD, is None.
    """
    facts = {key: getattr(config, key) for key in FIELDS} | {"name": name} | conventions_in_use(config)
    facts |= {key: said(config, progress) for key, said in CHANGEABLE.items() if _is_changed(key, progress)}
    started = progress.started
    return facts | {
        "framework_version": started and started.framework_version,
        "device_used": started and started.device,
        "device_name": started and started.device_name,
        "kernels": started and started.kernels,
        "dataset": started and started.dataset.name,
        "dataset_fingerprint": started and started.dataset.fingerprint,
        "train_examples": started and started.dataset.train_examples,
        "test_examples": started and started.dataset.test_examples,
    }


def fact_text(key: str, value: Any) -> str:
    """Return the value of a fact as people read it."""
    return KERNELS.get(value, text_of(value)) if key == "kernels" else text_of(value)


def _is_changed(key: str, progress: Progress) -> bool:
    """Say whether the setting was changed on the way."""
    return any(change.__struct_config__.tag == key for change in progress.changes)


def label_of(key: str) -> str:
    """Return how a fact is called."""
    return LABELS.get(key) or FIELDS[key].label
