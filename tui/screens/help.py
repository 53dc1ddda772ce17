"""What the screen below is for, and its keys."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from tui.keys import with_keys
from tui.screens.dialog import Dialog
from tui.widgets.mode_bar import MODE_TITLES

EVERYWHERE = [
    ("1 – 5", "Go to " + ", ".join(MODE_TITLES.values())),
    ("^t", "Train as the form says"),
    ("^p", "Search all commands"),
    ("Esc", "Leave a field"),
]
TOUR = "The first steps, in three sentences"


class HelpScreen(Dialog[None]):
    """Explains `below`, and lists the keys that do something there now: those in its footer or with a tooltip."""

    BINDINGS = [
        Binding("escape,enter", "dismiss", "Close"),
        Binding("question_mark", "dismiss", "Help", id="help"),
        Binding("f1", "dismiss", "Help"),
        Binding("k", "app.simulate_key('up')", show=False),
        Binding("j", "app.simulate_key('down')", show=False),
    ]

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        self._about = with_keys(below.app, str(getattr(below, "ABOUT", "")))
        self._keys = [
            (below.app.get_key_display(active.binding), active.binding.tooltip or active.binding.description)
            for active in below.active_bindings.values()
            if (active.binding.show or (active.binding.tooltip and active.node is not below.app)) and active.enabled
        ]

    def compose(self) -> ComposeResult:
        """Lay out the explanation above the keys."""
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = "Esc closes"
            yield Static(self._about, markup=False)
            table = Table.grid(padding=(0, 2, 0, 0))
            table.add_column(style="bold", no_wrap=True)
            for key, text in dict.fromkeys([*self._keys, *EVERYWHERE, (with_keys(self.app, "{tour}"), TOUR)]):
                table.add_row(Text(key, "theme.primary"), Text(text))
            yield Static(table)
