"""The part of the app that chooses when Python collects garbage: a full collection stops everything for 0.1 s."""

from __future__ import annotations

import gc
import sys
import time
from typing import Any

from textual import events
from textual.app import App

LOOK_SECONDS = 1.0
PAUSE_SECONDS, LONG_PAUSE_SECONDS = 1.0, 10.0
PATIENCE_SECONDS = 60.0
"""Where no pause comes for so long, the collection does without one."""
DUE = 4
"""A full collection is due after more than so many of what is younger: with some 30,000 new objects, 15 ms."""
MODULES = 8
"""So many of the younger come from modules that were imported, which stay: 60,000 objects and more."""
NEVER = 2**31 - 1


class CollectingInPauses(App[None]):
    """Collects all garbage while nobody presses keys, once `collect_in_pauses` has said that the app is complete.

    Python's own way looks at all objects each time, 300,000 of them, in the middle of drawing a screen. Here, what is
    left after a collection is taken to stay and not looked at again until there is twice as much in memory, and then
    in a long pause.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_had_key = False
        self._last_input = self._last_collection = time.monotonic()
        self._blocks_at_first = 0

    async def on_event(self, event: events.Event) -> None:
        """Note when a key or the mouse was used."""
        if isinstance(event, events.InputEvent):
            self._last_input = time.monotonic()
            self.has_had_key |= isinstance(event, events.Key)
        await super().on_event(event)

    def collect_in_pauses(self) -> None:
        """Leave the full collections to the pauses from now on; the quick ones of what is young stay Python's."""
        youngest, younger, _ = gc.get_threshold()
        gc.set_threshold(youngest, younger, NEVER)
        gc.freeze()
        gc.enable()
        self._blocks_at_first = sys.getallocatedblocks()
        self.set_interval(LOOK_SECONDS, self._collect_if_due)

    def _collect_if_due(self) -> None:
        now, younger = time.monotonic(), gc.get_count()[2]
        pause = now - self._last_input
        if pause > LONG_PAUSE_SECONDS and sys.getallocatedblocks() > 2 * self._blocks_at_first:
            self.collect_all()
        elif younger > MODULES:
            gc.freeze()
        elif younger > DUE and (pause > PAUSE_SECONDS or now - self._last_collection > PATIENCE_SECONDS):
            self._last_collection = now
            gc.collect()
            gc.freeze()

    def collect_all(self) -> None:
        """Collect also what became garbage after it had been taken to stay: 0.3 s."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._blocks_at_first = sys.getallocatedblocks()
