"""The colours: one accent, quiet borders, and the blue and orange that stay apart for colour-blind eyes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.theme import Theme as ConsoleTheme
from textual.theme import BUILTIN_THEMES, Theme

if TYPE_CHECKING:
    from tui.memory import Memory

MNIST_DARK = Theme(
    name="mnist-dark",
    primary="#5fb3d9",
    secondary="#8aa4b8",
    accent="#5fb3d9",
    warning="#e5a84b",
    error="#e8706f",
    success="#7dc48f",
    foreground="#d7dde3",
    background="#0f1317",
    surface="#151a20",
    panel="#1c232b",
    boost="#1f272f",
    dark=True,
    variables={
        "border": "#5fb3d9",
        "button-focus-text-style": "bold underline",
        "border-blurred": "#3a4652",
        "footer-key-foreground": "#5fb3d9",
        "footer-background": "#1c232b",
        "block-cursor-background": "#2b5a73",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#24313b",
        "input-selection-background": "#5fb3d9 40%",
    },
)

MNIST_LIGHT = Theme(
    name="mnist-light",
    primary="#0a628c",
    secondary="#45596b",
    accent="#0a628c",
    warning="#8a4f00",
    error="#b02a24",
    success="#1a6b3a",
    foreground="#1d2730",
    background="#f8fafb",
    surface="#eff3f6",
    panel="#e2e9ee",
    boost="#e6edf2",
    dark=False,
    variables={
        "border": "#0a628c",
        "button-focus-text-style": "bold underline",
        "border-blurred": "#a9b7c2",
        "footer-key-foreground": "#0a628c",
        "footer-background": "#e2e9ee",
        "block-cursor-background": "#0a628c",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#cfdbe3",
        "input-selection-background": "#0a628c 25%",
    },
)

OURS = (MNIST_DARK, MNIST_LIGHT)
DEFAULT_THEME = MNIST_DARK.name


def theme_names() -> list[str]:
    """Return the themes to choose from, ours first."""
    return [*(theme.name for theme in OURS), *BUILTIN_THEMES]


def remembered_theme(memory: Memory) -> str:
    """Return the theme that the user chose last in the app, or the default."""
    name = memory.recall("theme")
    return name if name in theme_names() else DEFAULT_THEME


def console_theme(variables: Mapping[str, str]) -> ConsoleTheme:
    """Return the accent colour as `theme.primary`, for Rich's tables, which know no variables."""
    return ConsoleTheme({"theme.primary": variables["primary"]}, inherit=False)
