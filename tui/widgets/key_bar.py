"""The footer with the keys, drawn anew only where these are other ones, and none of them cut off."""

from __future__ import annotations

from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

ALWAYS = {"app.help", "app.quit", "help", "quit"}
"""The help lists the keys that there is no room for."""


class KeyBar(Footer):
    """Textual's Footer makes a widget for every key, at every chance of a change: half of a screen's cost.

    Where there is no room for all keys, those that come last are left out, but for help and quit.
    """

    _drawn: tuple[tuple[Binding, bool], ...] | None = None

    async def recompose(self) -> None:
        """Make the keys anew, unless they are as they were."""
        active = self.screen.active_bindings.values()
        offered = tuple((key.binding, key.enabled) for key in active if key.binding.show)
        if offered != self._drawn:
            self._drawn = offered
            await super().recompose()
            self.call_after_refresh(self._fit)

    def on_resize(self) -> None:
        """Look again which keys there is room for."""
        for key in self.children:
            key.display = True
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        widths = {key: self._width_of(key) for key in self.children}
        missing = sum(widths.values()) - self.size.width
        for key in reversed(self.children):
            if missing <= 0:
                return
            is_needed = not isinstance(key, FooterKey) or key.has_class("-command-palette") or key.action in ALWAYS
            if not is_needed:
                key.display = False
                missing -= widths[key]

    def _width_of(self, key: Widget) -> int:
        """Return how many cells `key` takes, which may not have been laid out yet."""
        return key.get_content_width(self.size, self.size) + key.styles.gutter.width + key.styles.margin.width
