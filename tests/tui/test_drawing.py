"""What is sent to the terminal adds up to what the app means to show, though laying out and drawing are apart."""

from __future__ import annotations

from typing import Any

import pyte
import pytest
from rich.console import RenderableType
from textual._compositor import CompositorUpdate
from textual.events import Resize
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from engine.runs import Store
from tests.tui.app_harness import WrittenRun, completed, cpu_only, driven, opened, shown, until, until_shown
from tui.app import MnistApp

WALK = (
    "1", "L", "z", "o", "o", "question_mark", "escape", "ctrl+p", "escape", "f2", "space",
    "2", "down", "slash", "t", "escape", "m", "escape", "3", "tab", "right", "w", ">", "tab", "escape",
    "4", "tab", "+", "5", "tab", "+", "1", "u", "escape", "q", "escape",
)  # fmt: skip


class Emulated:
    """An emulated terminal of `size` that gets what `app` would send to its own."""

    def __init__(self, app: MnistApp, size: tuple[int, int]) -> None:
        self._app = app
        self._screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self._screen)
        self._display, app._display = app._display, self._send  # type: ignore[method-assign]

    def _send(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if isinstance(renderable, CompositorUpdate) and not self._app._batch_count:
            self._stream.feed(renderable.render_segments(self._app.console))
        self._display(screen, renderable)

    @property
    def text(self) -> str:
        """What is on it."""
        return "\n".join(line.rstrip() for line in self._screen.display)


def meant(app: MnistApp) -> str:
    """Return the text that the app means to show."""
    return "\n".join(line.rstrip() for line in shown(app).splitlines())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_terminal_has_what_the_app_means_to_show(store: Store, size: tuple[int, int]) -> None:
    completed(store, epochs=3)
    written = WrittenRun(store)
    written.start()
    written.epoch(1)
    app = MnistApp(store, {}, probe=cpu_only)
    terminal = Emulated(app, size)
    async with driven(app, size) as pilot:
        await until(lambda: app.runs and app.dataset, "the app has looked around")
        for number, key in enumerate(WALK):
            await pilot.press(key)
            written.step(2, 1 + number % 8)
            await until(lambda: terminal.text == meant(app), f"all is drawn after {WALK[: number + 1]}")
    written.vanish()


async def test_what_comes_into_sight_is_told_of_its_size_also_when_someone_asked_before(store: Store) -> None:
    completed(store)
    async with opened(store) as (app, pilot):
        await until_shown(app, "✓ completed", "images/s")
        chip = Chip()
        await app.screen.query_one("#history").mount(chip)
        await pilot.pause()
        assert not chip.sizes
        chip.display = True
        app.screen._compositor._full_map_invalidated = True
        assert chip in app.screen._compositor.full_map  # as when a widget that is drawn asks for its size
        await until(lambda: chip.sizes, "it is told")


class Chip(Widget):
    """Out of sight at first; notes the sizes that it is told."""

    DEFAULT_CSS = "Chip { height: 1; display: none; }"

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[Size] = []

    def on_resize(self, event: Resize) -> None:
        self.sizes.append(event.size)
