"""Where the terminal is too small for the app: a sentence instead of a broken screen."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.keys import with_keys

NEEDED = Size(80, 24)
LINES_TO_SPARE = 2
"""For the status line of tmux or screen, in a terminal of the needed size."""


def is_too_small(size: Size) -> bool:
    """Whether the app has no room in a terminal of `size`."""
    return size.width < NEEDED.width or size.height < NEEDED.height - LINES_TO_SPARE


class TooSmallScreen(ModalScreen[None]):
    """Covers everything until there is room again."""

    BINDINGS = [Binding("q", "app.quit", "Quit", id="quit"), Binding("ctrl+c", "app.quit", "Quit", show=False)]

    def compose(self) -> ComposeResult:
        """Lay out the sentence."""
        yield Static(markup=False)

    def on_mount(self) -> None:
        """Say what is missing."""
        self._look()

    def on_resize(self) -> None:
        """Make way as soon as there is room."""
        self._look()

    def on_screen_resume(self) -> None:
        """The same, when a dialog lay over it meanwhile."""
        self._look()

    def _look(self) -> None:
        size = self.app.size
        if not is_too_small(size):
            if self.is_current:
                self.dismiss()
            return
        text = (
            f"{NEEDED.width} × {NEEDED.height} cells are needed, and here are {size.width} × {size.height}: "
            + with_keys(self.app, "make the window larger, or the letters smaller, or press {quit} to quit.")
        )
        self.query_one(Static).update(Content(text))
