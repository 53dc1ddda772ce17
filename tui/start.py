"""The part of the app that gets ready, once its first frame is there: what it imports, looks for and makes ahead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from textual.message import Message
from textual.reactive import var

from engine.backends import BACKENDS
from engine.devices import BackendReport, probe
from tui.background import in_background
from tui.garbage import CollectingInPauses
from tui.jobs import DatasetExamined, DeviceProbed, ExaminedDataset, examine_dataset
from tui.screens import import_screens, style_sheets
from tui.screens.stepping import SteppingScreen
from tui.terminal import clean
from tui.watcher import Watcher
from tui.widgets.mode_bar import MODE_TITLES

PAUSE_FOR_KEYS = 0.05
unhurried_probe = partial(probe, niceness=10)
"""Neither keys nor a run in training wait for frameworks that say what they see."""


class PlottingImported(Message):
    """Curves can be drawn without waiting for what draws them."""


class ScreensImported(Message):
    """The screens can be made without waiting for their modules."""


class GettingReady(CollectingInPauses):
    """Starts the watcher, finds out what data and devices there are, and makes the screens before they are wanted."""

    watcher: Watcher
    form_settings: dict[str, Any]
    probe: Callable[[str], BackendReport]

    reports: var[Mapping[str, Any]] = var({})
    """What each framework says of this machine, as they answer."""
    dataset: var[ExaminedDataset | None] = var(None)
    """What the form's data setting leads to; None while that is being looked at."""

    _data = ""
    _has_looked_around = False

    def follow_store(self) -> None:
        """Show the runs from now on, as soon as there is something to draw them with."""
        in_background(self, self._import_plotting, "import plotting")

    def _import_plotting(self) -> Message:
        import_module("plotext")  # takes 0.2 s, for which no key should have to wait
        return PlottingImported()

    def on_plotting_imported(self) -> None:
        """Start following."""
        self.watcher.start()

    def look_around(self) -> None:
        """Find out in the background what else there is, once the runs are known and on the screen."""
        if not self._has_looked_around:
            self._has_looked_around = True
            self.call_after_refresh(self._look_around)

    def _look_around(self) -> None:
        in_background(self, self._import_screens, "import screens")
        self.examine_data(str(self.form_settings.get("data") or ""))
        for name in BACKENDS:
            in_background(self, partial(self._ask_for_devices, name), f"probe {name}")

    def _ask_for_devices(self, backend: str) -> Message:
        return DeviceProbed(self.probe(backend))

    def on_device_probed(self, message: DeviceProbed) -> None:
        """Take over what a framework says of this machine."""
        self.reports = {**self.reports, message.report.backend: message.report}

    def examine_data(self, data: str) -> None:
        """Look at what the setting `data` leads to."""
        self._data = data
        in_background(self, partial(examine_dataset, data), "examine dataset")

    def look_for_download(self) -> None:
        """Look at the data again if there was none yet: a run that has started has it."""
        if self.dataset and self.dataset.fetched_later:
            self.examine_data(self._data)

    def on_dataset_examined(self, message: DatasetExamined) -> None:
        """Take over what dataset there is, unless the setting is another one by now."""
        if message.dataset.data == self._data:
            self.dataset = message.dataset
            if message.dataset.notice:
                notice = clean(message.dataset.notice)
                self.notify(notice, title="Files skipped", severity="warning", timeout=10, markup=False)

    def _import_screens(self) -> Message:
        import_screens()
        return ScreensImported()

    async def on_screens_imported(self) -> None:
        """Make the screens ready where a user is going to look at them."""
        if not self.is_headless:
            self.run_worker(self.open_ahead())

    async def open_ahead(self) -> None:
        """Mount every mode's screen out of sight, so that it opens at once when its key is pressed.

        Their style sheets come first: read with a screen, each would have Textual parse all of them again and match
        them with all widgets.
        """
        for path in style_sheets():
            if not self.stylesheet.has_source(str(path)):
                self.stylesheet.read(path)
                self.stylesheet.parse()
                await asyncio.sleep(PAUSE_FOR_KEYS)
        for mode in (*MODE_TITLES, "duel"):
            await self._init_mode(mode)  # what switch_mode does, but for showing it
            await asyncio.sleep(PAUSE_FOR_KEYS)
            screen = self.get_screen_stack(mode)[0]
            assert isinstance(screen, SteppingScreen)
            await screen.draw_ahead()
        self.collect_in_pauses()
