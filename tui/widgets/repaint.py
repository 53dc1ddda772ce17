"""Saying the same again costs nothing: Textual lays out and sends anew whatever it is given, changed or not."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static


def say(line: Static, text: Content) -> None:
    """Show `text` in `line`, unless it is there already."""
    shown = line.content
    if not (isinstance(shown, Content) and shown.is_same(text)):
        line.update(text)


def entitle(box: Widget, title: Content) -> None:
    """Write `title` on the border of `box`, unless it is there already: all that is inside would be sent with it."""
    shown: Content | None = getattr(box, "_border_title", None)
    if shown is None or not shown.is_same(title):
        box.border_title = title


def undertitle(box: Widget, text: Content) -> None:
    """Write `text` on the lower border of `box`, unless it is there already."""
    shown: Content | None = getattr(box, "_border_subtitle", None)
    if shown is None or not shown.is_same(text):
        box.border_subtitle = text
