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


def status_text(status: Status, ascii_only: bool = False, word: str = "") -> Content:
    """Return the glyph of `status` and its word, or another `word` that says more, such as `stopping`."""
    glyph, ascii_glyph, style = GLYPHS[status]
    return Content.styled(f"{ascii_glyph if ascii_only else glyph} {word or status}", style)
