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

CELL_STYLES: dict[Status, str] = {
    "running": "#5fb3d9",
    "completed": "#7dc48f",
    "failed": "#e8706f",
    "crashed": "#e8706f",
    "paused": "#e5a84b",
}


def status_text(status: Status, ascii_only: bool = False) -> Content:
    """Return the glyph and the word of `status`."""
    glyph, ascii_glyph, style = GLYPHS[status]
    return Content.styled(f"{ascii_glyph if ascii_only else glyph} {status}", style)


def status_cell(status: Status, ascii_only: bool = False) -> Text:
    """Return the same for a table's cell; Rich knows no theme variables."""
    glyph, ascii_glyph, _ = GLYPHS[status]
    return Text(f"{ascii_glyph if ascii_only else glyph} {status}", style=CELL_STYLES.get(status, ""))
