"""A run's status as a glyph and a word, told apart without colour."""

from __future__ import annotations

from rich.text import Text
from textual.content import Content

from engine.runs import Status

GLYPHS: dict[Status, tuple[str, str, str]] = {
    "waiting": ("◌", ".", "$text-muted"),
    "running": ("●", "*", "$primary"),
    "paused": ("‖", "=", "$warning"),
    "completed": ("✓", "+", "$success"),
    "stopped": ("■", "o", "$secondary"),
    "failed": ("✗", "x", "$error"),
    "crashed": ("!", "!", "$error"),
}


def status_text(status: Status, ascii_only: bool = False) -> Content:
    """Return the glyph and the word of `status`."""
    glyph, ascii_glyph, style = GLYPHS[status]
    return Content.styled(f"{ascii_glyph if ascii_only else glyph} {status}", style)


def status_cell(status: Status, ascii_only: bool = False) -> Text:
    """Return the same for a table's cell, in the colours of `console_theme`."""
    glyph, ascii_glyph, style = GLYPHS[status]
    console_style = "" if style == "$text-muted" else style.replace("$", "theme.")
    return Text(f"{ascii_glyph if ascii_only else glyph} {status}", style=console_style)
