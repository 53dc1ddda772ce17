"""The part of the app that takes over another theme: in steps between which keys may pass, and shown all at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from textual.app import App
from textual.dom import DOMNode
from textual.reactive import var
from textual.screen import Screen

from tui.pacing import Pacing

WIDGETS_AT_ONCE = 8
STYLE_SHEETS = 256
"""How many are kept parsed. Textual's 64 are too few for ours and its own: with one more, each new kind of widget would
have all of them parsed again, 60 ms."""


class Restyling(App[None]):
    """Parses all styles, and matches them with all widgets of all screens, step by step.

    Textual does so in one step, 0.2 s for a theme, and again for each screen when that is looked at.
    """

    restyled: var[int] = var(0)
    """How often that was done: who has put a theme's colours into a text does so anew."""

    def __init__(self) -> None:
        super().__init__()
        self.stylesheet._parse_cache.grow(STYLE_SHEETS)

    def refresh_css(self, animate: bool = True) -> None:
        """Have the styles parsed and matched anew, soon."""
        for screen in self._screens():
            screen._css_update_count = self._css_update_count  # Textual need not do it when that is looked at
        # Not begun here, for it may be overtaken before it is; mypy finds no type for the union that run_worker takes.
        self.run_worker(self._restyle, group="styles", exclusive=True)  # type: ignore[arg-type]

    async def _restyle(self) -> None:
        pacing = Pacing()
        await self._parse(pacing)
        with self.batch_update():
            self.stylesheet.apply(self)
            for screen in self.screen_stack:
                await self._match(screen, pacing)
                screen.refresh(layout=True)
            self.restyled += 1
        for screen in self._screens():
            if screen not in self.screen_stack:
                await self._match(screen, pacing)
        self.restyled += 1

    async def _parse(self, pacing: Pacing) -> None:
        """Parse each style sheet by itself: all of them are remembered until the variables are other ones."""
        sheet = self.stylesheet
        sheet.set_variables(self.get_css_variables())
        for location, source in list(sheet.source.items()):
            sheet._parse_rules(source.content, location, source.is_defaults, source.tie_breaker, source.scope)
            await pacing.pause()
        sheet.parse()

    async def _match(self, screen: Screen[Any], pacing: Pacing) -> None:
        nodes: Iterator[DOMNode] = iter(screen.walk_children(with_self=True))
        while some := list(islice(nodes, WIDGETS_AT_ONCE)):
            self.stylesheet.update_nodes(node for node in some if node.is_attached)
            await pacing.pause()

    def _screens(self) -> list[Screen[Any]]:
        return [screen for stack in self._screen_stacks.values() for screen in stack]
