"""What the screen below is for, and its keys."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tui.widgets.mode_bar import MODE_TITLES

EVERYWHERE = [
    ("1 – 5", "Go to " + ", ".join(MODE_TITLES.values())),
    ("^p", "Search all commands"),
    ("Esc", "Leave a field"),
]


class HelpScreen(ModalScreen[None]):
    """Explains `below`, and lists the keys that do something there now: those in its footer or with a tooltip."""

    BINDINGS = [Binding("escape,question_mark,f1,q,enter", "dismiss", "Close")]

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        self._about = str(getattr(below, "ABOUT", ""))
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
            rows = list(dict.fromkeys([*self._keys, *EVERYWHERE]))
            width = max(len(key) for key, _ in rows)
            lines = [Content.assemble((f"{key:<{width}}", "bold $primary"), f"  {text}") for key, text in rows]
            yield Static(Content("\n").join(lines))
