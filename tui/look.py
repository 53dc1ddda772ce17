"""The part of the app that fits its look to the terminal and to the user: themes, ASCII, pictures, animation."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

from rich.theme import ThemeStackError
from textual.filter import LineFilter

from tui.ascii_filter import AsciiFilter
from tui.memory import Memory
from tui.restyling import Restyling
from tui.terminal import curve_mode, is_remote, picture_mode, wants_ascii
from tui.theme import OURS, console_theme


class Look(Restyling):
    """Starts with the theme of that name; one that is chosen later is kept in `memory`, where there is one."""

    memory: Memory | None = None

    def __init__(self, ascii: bool, theme: str) -> None:
        super().__init__()
        self.ascii = wants_ascii(os.environ, ascii)
        self.picture_mode = picture_mode(os.environ, ascii)
        self.curve_mode = curve_mode(os.environ, ascii)
        if is_remote(os.environ):
            self.animation_level = "none"
        for ours in OURS:
            self.register_theme(ours)
        self.theme = theme
        self._pass_theme_on()

    def watch_theme(self, before: str, now: str) -> None:
        """Give Rich's tables the theme's accent too, and remember what the user has chosen."""
        self._pass_theme_on()
        if self.memory and self.is_running and now != before:
            self.memory.keep("theme", now)

    def _pass_theme_on(self) -> None:
        with suppress(ThemeStackError):  # at the first theme, there is none to take away
            self.console.pop_theme()
        self.console.push_theme(console_theme(self.get_css_variables()))

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Draw nothing but ASCII where that is wanted."""
        filters = super().get_line_filters()
        return [*filters, AsciiFilter()] if self.ascii else filters
