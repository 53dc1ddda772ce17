"""The app: five modes, the run on display, and the keys that work everywhere."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.message import Message
from textual.reactive import var
from textual.screen import Screen

from engine import commands
from engine.backends import BACKENDS
from engine.config import TrainConfig
from engine.devices import BackendReport, probe
from engine.errors import EngineError
from engine.runs import Run, Store
from tui.background import WorkFailed, in_background, post_safely
from tui.farewell import farewell
from tui.jobs import (
    Dataset,
    DatasetExamined,
    DeviceProbed,
    JobFailed,
    RunLaunched,
    examine_dataset,
    launch_run,
)
from tui.screens import mode_screens
from tui.snapshot import RunSnapshot
from tui.terminal import clean, picture_mode, wants_ascii
from tui.theme import MNIST_DARK
from tui.watcher import RunChanged, RunsChanged, StoreFailed, Watcher
from tui.widgets.mode_bar import MODE_TITLES

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


class MnistApp(App[None]):
    """Shows the runs of `store`, `open_run` first. `settings` are the user's own defaults for the form.

    `probe` answers for a framework what it can use on this machine; it may take its time.
    """

    TITLE = "mnist-tui"
    CSS_PATH = "app.tcss"
    MODES = mode_screens()
    DEFAULT_MODE = "train"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (150, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall")]
    BINDINGS = [
        *(
            Binding(f"{number},alt+{number}", f"switch_mode('{mode}')", title, show=False)
            for number, (mode, title) in enumerate(MODE_TITLES.items(), start=1)
        ),
        Binding("s", "stop", "Stop"),
        Binding("d", "detach", "Detach"),
        Binding("question_mark,f1", "help", "Help", key_display="?"),
        Binding("q,ctrl+c", "quit", "Quit", key_display="q"),
        Binding("escape", "leave_field", "Leave the field", show=False),
    ]

    snapshot: var[RunSnapshot | None] = var(None)
    """The run on display."""
    runs: var[tuple[RunSnapshot, ...] | None] = var(None)
    """The store's runs, the newest first; None before the first look."""
    store_problem: var[str] = var("")
    reports: var[Mapping[str, Any]] = var({})
    """What each framework says of this machine, as they answer."""
    dataset: var[Dataset | None] = var(None)
    """What the form's data setting leads to; None while that is being looked at."""
    config: var[TrainConfig | None] = var(None)
    """The form's settings; None while one of them does not fit."""

    def __init__(
        self,
        store: Store,
        settings: dict[str, Any],
        ascii: bool = False,
        open_run: Run | None = None,
        probe: Callable[[str], BackendReport] = probe,
    ) -> None:
        super().__init__()
        self.store = store
        self.settings = settings
        self.ascii = wants_ascii(os.environ, ascii)
        self.picture_mode = picture_mode(os.environ, ascii)
        self.watcher = Watcher(store, lambda message: post_safely(self, message))
        self._probe = probe
        self._run_on_display = open_run
        self._data = ""
        self._launching = False
        self._started_here: set[str] = set()
        self.register_theme(MNIST_DARK)
        self.theme = MNIST_DARK.name

    # Start and end

    def on_mount(self) -> None:
        """Take over the signals, follow the store, and ask in the background what this machine has."""
        self._handle_signals()
        if self._run_on_display:
            self.watcher.watch(self._run_on_display)
        self.watcher.start()
        self.call_after_refresh(self._look_around)

    def on_unmount(self) -> None:
        """Stop following."""
        self.watcher.stop()

    def _handle_signals(self) -> None:
        """End in order on a signal: stock Textual would leave the terminal in the alternate screen."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            with contextlib.suppress(RuntimeError, ValueError):  # not the main thread: a test, or a browser session
                loop.add_signal_handler(number, self._exit_by_signal, number)

    def _exit_by_signal(self, number: int) -> None:
        self.exit(return_code=128 + number)

    def _look_around(self) -> None:
        self.examine_data(str(self.settings.get("data") or ""))
        for name in BACKENDS:
            in_background(self, partial(self._ask_for_devices, name), f"probe {name}")

    def _ask_for_devices(self, backend: str) -> Message:
        return DeviceProbed(self._probe(backend))

    # What the background says

    def on_run_changed(self, message: RunChanged) -> None:
        """Show the run's news, unless another run is on display by now."""
        if self._run_on_display and message.snapshot.run.id == self._run_on_display.id:
            self.snapshot = message.snapshot
            self.refresh_bindings()

    def on_runs_changed(self, message: RunsChanged) -> None:
        """Take over the store's runs; the first time, open a live one, else the newest."""
        first_look = self.runs is None
        self.store_problem = ""
        self.runs = message.snapshots
        if first_look and self._run_on_display is None and self.runs:
            self.open_run(next((s for s in self.runs if s.live), self.runs[0]).run)

    def on_store_failed(self, message: StoreFailed) -> None:
        """Say that the store cannot be read."""
        self.store_problem = str(message.error)
        self.show_error(message.error)

    def on_dataset_examined(self, message: DatasetExamined) -> None:
        """Take over what dataset there is, unless the setting is another one by now."""
        if message.dataset.data == self._data:
            self.dataset = message.dataset

    def on_device_probed(self, message: DeviceProbed) -> None:
        """Take over what a framework says of this machine."""
        self.reports = {**self.reports, message.report.backend: message.report}

    def on_run_launched(self, message: RunLaunched) -> None:
        """Show the run that was just started."""
        self._launching = False
        self._started_here.add(message.run.id)
        self.open_run(message.run)

    def on_job_failed(self, message: JobFailed) -> None:
        """Say what did not work."""
        self._launching = False
        self.show_error(message.error)

    def on_work_failed(self, message: WorkFailed) -> None:
        """A bug in background work ends the app like any other bug, where it can be seen."""
        raise message.error

    # What can be done

    def examine_data(self, data: str) -> None:
        """Look at what the setting `data` leads to."""
        self._data = data
        in_background(self, partial(examine_dataset, data), "examine dataset")

    def open_run(self, run: Run) -> None:
        """Put `run` on display."""
        if self.snapshot and self.snapshot.run.id != run.id:
            self.snapshot = None
        self._run_on_display = run
        self.watcher.watch(run)

    def train(self, config: TrainConfig) -> None:
        """Start a run with `config`, once, and show it."""
        if not self._launching:
            self._launching = True
            in_background(self, partial(launch_run, self.store, config), "launch")

    def delete_run(self, run: Run) -> None:
        """Delete `run` from the store."""
        try:
            self.store.delete(run)
        except EngineError as error:
            self.show_error(error)
            return
        if self._run_on_display and self._run_on_display.id == run.id:
            self._run_on_display = self.snapshot = None
            self.watcher.watch(None)
        self.watcher.look()

    def action_stop(self) -> None:
        """Ask the run on display to stop after its step."""
        if self.snapshot:
            self.stop_run(self.snapshot.run)

    def stop_run(self, run: Run) -> None:
        """Ask `run` to stop."""
        try:
            run.send(commands.Stop())
        except EngineError as error:
            self.show_error(error)
        else:
            self.notify("It finishes its step, tests, and saves.", title="Stopping", markup=False)

    def live_runs(self) -> list[RunSnapshot]:
        """Return the live runs that are this session's: those started here, and the one on display."""
        display = self._run_on_display.id if self._run_on_display else ""
        ours = {s.run.id: s for s in self.runs or () if s.run.id in self._started_here or s.run.id == display}
        if self.snapshot:
            ours[self.snapshot.run.id] = self.snapshot
        return [snapshot for snapshot in ours.values() if snapshot.live]

    def action_detach(self) -> None:
        """Leave, and let the runs go on."""
        self.exit(message=farewell([snapshot.run for snapshot in self.live_runs()], self.store))

    async def action_quit(self) -> None:
        """Leave; while a run of this session is live, ask what is to become of it."""
        live = self.live_runs()
        if not live:
            self.exit()
            return
        from tui.screens.quit import QuitScreen

        if not isinstance(self.screen, QuitScreen):
            await self.push_screen(QuitScreen(live), self._quit)

    def _quit(self, answer: str | None) -> None:
        if answer == "detach":
            self.action_detach()
        elif answer == "stop":
            for snapshot in self.live_runs():
                self.stop_run(snapshot.run)
            self.exit()

    def action_help(self) -> None:
        """Explain the screen and list its keys."""
        from tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_leave_field(self) -> None:
        """Give the keys back to the screen."""
        self.screen.set_focus(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer stop and detach only while there is something live."""
        if action == "stop":
            return bool(self.snapshot and self.snapshot.live)
        if action == "detach":
            return bool(self.live_runs())
        return True

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Add the modes and everything that can be done now to the command palette."""
        yield from super().get_system_commands(screen)
        for mode, title in MODE_TITLES.items():
            yield SystemCommand(f"Go to {title}", f"Show the {title} screen", self._switcher(mode))
        for active in screen.active_bindings.values():
            if active.enabled and active.binding.show and active.binding.action not in ("quit", "command_palette"):
                action, node = active.binding.action, active.node
                yield SystemCommand(
                    active.binding.description,
                    f"Key {self.get_key_display(active.binding)}",
                    self._runner(action, node),
                )

    def _switcher(self, mode: str) -> Callable[[], object]:
        return lambda: self.call_later(self.switch_mode, mode)

    def _runner(self, action: str, node: Any) -> Callable[[], object]:
        return lambda: self.call_later(self.run_action, action, node)

    def show_error(self, error: EngineError) -> None:
        """Show an error that does not belong to any field."""
        text = " ".join(part for part in (error.message, error.hint) if part)
        self.notify(clean(text), title=clean(error.title), severity="error", timeout=10, markup=False)
