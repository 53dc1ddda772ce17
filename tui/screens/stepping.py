"""The screen beneath all others: where Textual lays out and draws in one go, keys may pass in between."""

from __future__ import annotations

import asyncio
from typing import Any

from textual import events
from textual._compositor import CompositorMap
from textual.geometry import Size
from textual.screen import Screen

from tui.pacing import Pacing

LARGE = 0.25
"""What draws more than that part of the screen does so in several steps."""


class SteppingScreen(Screen[Any]):
    """Lays out in one step and draws in others: for a screen that appears, all together take 0.1 s."""

    _is_drawing_due = False
    _laid_out: CompositorMap | None = None
    """Where everything was after the last layout."""

    async def draw_ahead(self) -> None:
        """Have the widgets draw themselves, step by step, so that they can be shown at once: each keeps its lines."""
        pacing = Pacing()
        for widget, (region, clip) in list(self._compositor.visible_widgets.items()):
            if widget is not self and widget.is_attached:
                widget.render_lines(region.intersection(clip).translate(-region.offset))
            await pacing.pause()

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        """Lay out now, and draw later.

        Between a change and its layout, a widget that asks for its size while it is drawn has Textual find out where
        everything will be. Compared with that, nothing would be new in the layout, and nobody told of a new size.
        """
        if self._laid_out is not None:
            self._compositor._full_map = self._laid_out
        self._is_drawing_due = True
        super()._refresh_layout(size, scroll)
        self._laid_out = self._compositor._full_map
        self.call_later(self._draw)

    async def _draw(self) -> None:
        changed = sum(region.area for region in self._compositor._dirty_regions)
        if changed > LARGE * self.size.area:
            await self.draw_ahead()
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
