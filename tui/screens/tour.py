"""Three sentences for the first time that someone opens the app."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui.keys import with_keys
from tui.screens.dialog import Dialog

ONLY_CLOSE = ("escape", "enter", "space")
SENTENCES = (
    "Press {train}, and a small network learns to read handwritten digits, with the settings on the left and its "
    "curves on the right.",
    "Then 3 shows every digit that it still gets wrong, and {both} trains the same recipe on PyTorch and on "
    "TensorFlow.",
    "{help} explains each screen and its keys, ^p finds every command, and {quit} leaves, with training going on "
    "if you like.",
)


class TourScreen(Dialog[None]):
    """Goes at any key or click; a key still does what it does."""

    def compose(self) -> ComposeResult:
        """Lay out the sentences."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Welcome to mnist-tui"
            dialog.border_subtitle = Content(with_keys(self.app, "Any key goes on · {tour} shows this again"))
            for sentence in SENTENCES:
                yield Static(with_keys(self.app, sentence), markup=False)

    def _forward_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key):
            self.dismiss()
            if event.key not in ONLY_CLOSE:
                (self.app.focused or self.app.screen)._forward_event(event)
        elif isinstance(event, events.MouseDown):
            self.dismiss()
        else:
            super()._forward_event(event)
