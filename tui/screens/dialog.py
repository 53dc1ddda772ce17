"""What lies over a mode's screen: dialogs and the command palette."""

from __future__ import annotations

from typing import TypeVar

from textual.command import CommandPalette
from textual.screen import ModalScreen

from tui.screens.stepping import SteppingScreen

R = TypeVar("R")


class Dialog(ModalScreen[R], SteppingScreen):
    """Explains, or asks something; the answer is its result."""


class Palette(CommandPalette, SteppingScreen):
    """The command palette."""
