"""The screen beneath all others: where Textual lays out and draws in one go, keys may pass between the two."""

from __future__ import annotations

import asyncio
from typing import Any

from textual import events
from textual.geometry import Size
from textual.screen import Screen


class SteppingScreen(Screen[Any]):
    """Lays out and draws in steps of their own; each takes up to 50 ms for a screen that appears."""

    _is_drawing_due = False

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        self._is_drawing_due = True
        super()._refresh_layout(size, scroll)
        self.call_later(self._draw)

    def _draw(self) -> None:
        self._is_drawing_due = False
        self._compositor.update_widgets(self._dirty_widgets)  # those that have changed since the layout
        self._compositor_refresh()

    def _compositor_refresh(self) -> None:
        """Draw what has changed, unless that follows anyhow: after the layout, or at the end of a batch."""
        if not (self._is_drawing_due or self.app._batch_count):
            super()._compositor_refresh()

    def on_resize(self) -> None:
        """Let keys pass before the next message."""
        self.call_next(asyncio.sleep, 0)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Let keys pass before the next message."""
        self.call_next(asyncio.sleep, 0)
