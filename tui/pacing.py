"""Long work of the event loop in steps: between them, keys and whatever else is waiting have their turn."""

from __future__ import annotations

import asyncio
import time

STEP_SECONDS = 0.015


class Pacing:
    """Counts how long the present step has taken."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    async def pause(self) -> None:
        """End the step if it has taken long enough, and begin the next one when the others have had their turn."""
        if time.perf_counter() - self._began > STEP_SECONDS:
            await asyncio.sleep(0)
            self._began = time.perf_counter()
