"""The screens: one module each, imported when first shown, or before that while the app has nothing to do."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from textual.screen import Screen

_SCREENS = {
    "train": "TrainScreen",
    "runs": "RunsScreen",
    "mistakes": "MistakesScreen",
    "data": "DataScreen",
    "model": "ModelScreen",
    "duel": "DuelScreen",
}


def mode_screens() -> dict[str, str | Callable[[], Screen[Any]]]:
    """Return what makes each mode's screen, by mode."""
    return {mode: _maker(mode, name) for mode, name in _SCREENS.items()}


def import_screens() -> None:
    """Import all screens and the plotting library: for a thread, so that each opens at once when it is wanted."""
    for mode in _SCREENS:
        import_module(f"tui.screens.{mode}")
    import_module("plotext")


def screen_classes() -> dict[str, type[Screen[Any]]]:
    """Import all screens and return them, by mode."""
    return {mode: getattr(import_module(f"tui.screens.{mode}"), name) for mode, name in _SCREENS.items()}


def style_sheets() -> list[Path]:
    """Return the files with the screens' styles."""
    return sorted(Path(__file__).parent.glob("*.tcss"))


def _maker(mode: str, name: str) -> Callable[[], Screen[Any]]:
    def make() -> Screen[Any]:
        screen: Screen[Any] = getattr(import_module(f"tui.screens.{mode}"), name)()
        return screen

    return make
