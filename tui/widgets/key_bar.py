"""The footer with the keys, drawn anew only where these are other ones."""

from __future__ import annotations

from textual.binding import Binding
from textual.widgets import Footer


class KeyBar(Footer):
    """Textual's Footer makes a widget for every key, at every chance of a change: half of a screen's cost."""

    _drawn: tuple[tuple[Binding, bool], ...] | None = None

    async def recompose(self) -> None:
        """Make the keys anew, unless they are as they were."""
        active = self.screen.active_bindings.values()
        offered = tuple((key.binding, key.enabled) for key in active if key.binding.show)
        if offered != self._drawn:
            self._drawn = offered
            await super().recompose()
