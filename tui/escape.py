"""Escape at once: whether it is a key by itself or begins another one's sequence shows in the time that follows."""

from __future__ import annotations

import os
import selectors
from types import SimpleNamespace

MILLISECONDS = 50
"""How long the rest of a sequence may take to come, as in Neovim; ESCDELAY in the environment has another say."""
PAUSE = 0.01


class ImpatientSelector(selectors.SelectSelector):
    """Waits as long as it is told, but looks again soon for a while after something has come."""

    looks_after_input = MILLISECONDS // round(1000 * PAUSE) + 1
    _looks = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready to be read, within `timeout` seconds."""
        ready = super().select(timeout if self._looks == 0 else PAUSE)
        self._looks = self.looks_after_input if ready else max(0, self._looks - 1)
        return ready


def answer_escape_at_once() -> None:
    """Have Textual wait for ESCDELAY alone: its driver notices only every 0.1 s that the time is over."""
    os.environ.setdefault("ESCDELAY", str(MILLISECONDS))
    from textual.constants import ESCAPE_DELAY  # which is something usual where ESCDELAY is no number
    from textual.drivers import linux_driver

    ImpatientSelector.looks_after_input = round(ESCAPE_DELAY / PAUSE) + 1
    quick = SimpleNamespace(SelectSelector=ImpatientSelector, EVENT_READ=selectors.EVENT_READ)
    linux_driver.selectors = quick  # type: ignore[attr-defined, assignment]
