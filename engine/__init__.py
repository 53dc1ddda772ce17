"""The training engine of mnist-tui, headless: settings in, events out.

    from engine import TrainConfig, train
    for event in train(TrainConfig.preset("pytorch-tutorial", epochs=2, seed=1)):
        print(event)

Importing this package is light: no framework and no NumPy until something needs it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.config import TrainConfig as TrainConfig
    from engine.data import load as load_data
    from engine.errors import EngineError as EngineError
    from engine.launcher import launch as launch
    from engine.runs import Run as Run
    from engine.runs import Store as Store
    from engine.runs import open_run as open_run
    from engine.trainer import train as train

__all__ = ["EngineError", "Run", "Store", "TrainConfig", "launch", "load_data", "open_run", "train"]

_HOMES = {
    "EngineError": ("engine.errors", "EngineError"),
    "Run": ("engine.runs", "Run"),
    "Store": ("engine.runs", "Store"),
    "TrainConfig": ("engine.config", "TrainConfig"),
    "launch": ("engine.launcher", "launch"),
    "load_data": ("engine.data", "load"),
    "open_run": ("engine.runs", "open_run"),
    "train": ("engine.trainer", "train"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)
