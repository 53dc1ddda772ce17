"""The colours: one accent, quiet borders, and the blue and orange that stay apart for colour-blind eyes."""

from __future__ import annotations

from textual.theme import Theme

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
