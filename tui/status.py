"""A run's status as a glyph and a word, told apart without colour."""

from __future__ import annotations

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
