"""The app: five modes, the run on display, and the keys that work everywhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

from rich.text import Text
from textual.app import ScreenStackError, SystemCommand
from textual.binding import Binding
from textual.css.query import NoMatches
from textual.dom import NoScreen
from textual.events import AppFocus
from textual.reactive import var
from textual.screen import Screen
from textual.widget import MountError

from engine.commands import Stop
from engine.config import TrainConfig
from engine.devices import BackendReport
from engine.folders import homeless_notice
from engine.runs import Run, Store
from tui.background import WorkFailed, post_safely
from tui.control import DETACH, RunControl
from tui.farewell import farewell
from tui.fields import ALT_DIGITS, LeavingFields
from tui.jobs import CommandSent, JobFailed, RunLabelled, RunsDeleted, RunsLaunched, send_command
from tui.keys import with_keys
from tui.last_trained import recall, starting_settings
from tui.memory import Memory
from tui.palette import palette_of
from tui.screens import mode_screens
from tui.screens.opening import OpeningScreen
from tui.signals import exit_on_signals
from tui.start import GettingReady, unhurried_probe
from tui.suspending import come_back_well, has_job_control, suspend
from tui.terminal import clean
from tui.theme import DEFAULT_THEME
from tui.watcher import RunChanged, RunsChanged, StoreFailed, Watcher
from tui.widgets.mode_bar import MODE_TITLES


class MnistApp(RunControl, LeavingFields, GettingReady):
    """Shows the runs of `store`, `open_run` first. `settings` are the user's own defaults for the form.

    `probe` answers for a framework what it can use on this machine; it may take its time. With a `memory`, newcomers
    are shown a tour, and the theme that is chosen here is kept, and the settings that were trained last.
    """

    TITLE = "mnist-tui"
    CSS_PATH = "app.tcss"
    MODES = mode_screens()
    DEFAULT_MODE = "train"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (150, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall")]
    BINDINGS = [
        *(
            Binding(f"{number},alt+{number},{after_escape}", f"switch_mode('{mode}')", title, show=False)
            for number, after_escape, (mode, title) in zip(range(1, 6), ALT_DIGITS, MODE_TITLES.items(), strict=True)
        ),
        Binding("ctrl+t,f5", "train", "Train", show=False, tooltip="Train as the form says, from any screen"),
        Binding("u", "duel", "Duel", show=False, tooltip="Both frameworks side by side", id="duel"),
        Binding("d", "detach", "Detach", tooltip=DETACH, id="detach"),
        Binding(
            "question_mark", "help", "Help", key_display="?", tooltip="What this screen is for, and its keys", id="help"
        ),
        Binding("f1", "help", "Help", show=False),
        Binding("q", "quit", "Quit", tooltip="Leave; what becomes of live runs is asked", id="quit"),
        Binding("ctrl+c", "quit", "Quit", show=False),
        Binding(
            "ctrl+z",
            "suspend_process",
            "Suspend",
            show=False,
            priority=True,
            tooltip="To the shell; fg returns",
        ),
        Binding("f2", "tour", "Tour", show=False, tooltip="The first steps, in three sentences", id="tour"),
    ]

    store_problem: var[str] = var("")
    config: var[TrainConfig | None] = var(None)
    """The form's settings; None while one of them does not fit."""

    def __init__(
        self,
        store: Store,
        settings: dict[str, Any],
        ascii: bool = False,
        open_run: Run | None = None,
        probe: Callable[[str], BackendReport] = unhurried_probe,
        memory: Memory | None = None,
    ) -> None:
        super().__init__(store, ascii, settings.get("theme") or DEFAULT_THEME)
        self.settings = settings
        self.form_settings = starting_settings(settings, recall(memory))
        self.memory = memory
        self.watcher = Watcher(store, lambda message: post_safely(self, message))
        self.probe = probe
        self._run_on_display = open_run
        self._follows_training = True  # to the next run of a family, when this one has ended
        self.duel_opened_in = "train"

    # Start and end

    def on_load(self) -> None:
        """Take over the signals before the terminal is changed."""
        exit_on_signals(self)

    def on_mount(self) -> None:
        """Look in the background at the store and at what this machine has."""
        come_back_well(self)
        if notice := homeless_notice():
            self.notify(clean(notice), title="No home folder", timeout=15, markup=False)
        self.set_keymap(self.settings.get("keys", {}))
        if self._run_on_display:
            self.watcher.watch(self._run_on_display)
        if self.current_mode == MnistApp.DEFAULT_MODE:
            self.follow_store()

    def on_unmount(self) -> None:
        """Stop following."""
        self.watcher.stop()

    def _handle_exception(self, error: Exception) -> None:
        """Take for a bug what nobody handled, but not that a widget is missing once the app is about to end.

        Textual adds none any more from then on, and takes away one by one those that there are.
        """
        if not (self._exit and isinstance(error, (NoMatches, NoScreen, ScreenStackError, MountError))):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Leave a report instead of Textual's traceback, which fills the terminal and tells values of variables."""
        if not self._exit_renderables:
            from tui.crash_report import crash_message

            error = sys.exc_info()[1] or self._exception
            text = crash_message(error) if error else "mnist-tui ended."
            self._exit_renderables.append(Text(text))
        self._close_messages_no_wait()

    # What the background says

    def on_run_changed(self, message: RunChanged) -> None:
        """Show the news of the run on display, unless another one is by now."""
        display = message.family.display
        is_overtaken = self._run_on_display is None or display.run.id != self._run_on_display.id
        if is_overtaken or not self.screen_stack:  # the app's end takes the screens away first
            return
        if self.snapshot and self.snapshot.live and not display.live:
            self._follows_training = True
        before, started = self.family, self.snapshot.progress.started if self.snapshot else None
        self.snapshot, self.family = display, message.family
        if display.progress.started != started:
            self.look_for_download()
        if before is None or before.statuses != self.family.statuses:  # making the footer anew is slow
            self.refresh_bindings()
        self._move_on()
        self.look_around()

    def _move_on(self) -> None:
        """On the screens that are for it, show the run of the family that is training, if the one on display is not."""
        training = self.family.training if self.family else None
        is_idle = self.snapshot is not None and self.snapshot.status not in ("running", "paused")
        if training and is_idle and self._follows_training and self.current_mode in ("train", "duel"):
            self.open_run(training.run, follow_training=True)

    def on_runs_changed(self, message: RunsChanged) -> None:
        """Take over the store's runs; the first time, open a live one, else the newest."""
        first_look = self.runs is None
        self.store_problem = ""
        self.runs = message.snapshots
        if first_look and not self.runs:
            self._welcome()
        live = sum(snapshot.live for snapshot in message.snapshots)
        if first_look and live > 1:
            self.notify(f"{live} runs are live: 2 Runs lists them", markup=False)
        if first_look and self._run_on_display is None and self.runs:
            order = sorted(self.runs, key=lambda s: (s.status not in ("running", "paused"), not s.live))
            self.open_run(order[0].run, follow_training=True)
        if self._run_on_display is None:
            self.look_around()

    def _welcome(self) -> None:
        """Show newcomers the tour, unless they are at work already: it would take their keys."""
        if self.memory and not self.has_had_key and not self.memory.recall("tour"):
            self.memory.keep("tour", "shown")
            self.action_tour()

    def on_store_failed(self, message: StoreFailed) -> None:
        """Say that the store cannot be read."""
        self.store_problem = str(message.error)
        self.show_error(message.error)
        self.look_around()

    def on_runs_launched(self, message: RunsLaunched) -> None:
        """Show the first of the runs that were just started."""
        self.is_launching = False
        self.started_here |= {run.id for run in message.runs}
        self.open_run(message.runs[0], follow_training=True)
        if message.error:
            self.show_error(message.error)

    def on_command_sent(self, message: CommandSent) -> None:
        """Show at once what has been asked for; RunControl says what comes of it."""
        self.watcher.look()

    def on_runs_deleted(self, message: RunsDeleted) -> None:
        """Have the list made anew, and nothing on display that is gone."""
        if self._run_on_display and self._run_on_display.id in {run.id for run in message.runs}:
            self._run_on_display = self.snapshot = self.family = None
            self.watcher.watch(None)
        self.watcher.look()
        if message.error:
            self.show_error(message.error)

    def on_run_labelled(self, message: RunLabelled) -> None:
        """Have the run shown with what is written on it now."""
        self.watcher.look(message.run)
        if message.error:
            self.show_error(message.error)

    def on_job_failed(self, message: JobFailed) -> None:
        """Say what did not work."""
        self.is_launching = False
        self.show_error(message.error)

    def on_work_failed(self, message: WorkFailed) -> None:
        """Show what the system refused; a bug in background work ends the app like any other, where it can be seen."""
        from tui.crash_report import system_error

        error = system_error(message.error)
        if error is None:
            raise message.error
        self.is_launching = False
        self.show_error(error)

    # What can be done

    def open_run(self, run: Run, follow_training: bool = False) -> None:
        """Put `run` on display; with `follow_training`, it makes room for the one of its family that trains."""
        if self.snapshot and self.snapshot.run.id != run.id:
            self.family = self.family.showing(run) if self.family else None
            self.snapshot = self.family.display if self.family else None
            self.refresh_bindings()
        self._run_on_display = run
        self._follows_training = follow_training
        self.watcher.watch(run)

    async def action_train(self) -> None:
        """Train with the form's settings, from any screen."""
        from tui.screens.train import TrainScreen

        await self.switch_mode("train")
        if isinstance(self.screen, TrainScreen):
            await self.screen.action_train()

    async def action_duel(self) -> None:
        """Show the pair on display side by side."""
        if self.current_mode != "duel":
            self.duel_opened_in = self.current_mode
        await self.switch_mode("duel")

    def action_detach(self) -> None:
        """Leave, and let the runs go on."""
        self.exit(message=farewell([snapshot.run for snapshot in self.live_runs()]))

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
            live = [snapshot.run for snapshot in self.live_runs()]
            send_command(live, Stop())  # here and now: the app may end before a thread gets to it
            self.exit()

    def action_suspend_process(self) -> None:
        """Stop as a job of the shell, where there is one to continue it."""
        if has_job_control():
            suspend(self)
        else:
            self.notify(with_keys(self, "There is no shell to go back to. To leave, press {quit}."), markup=False)

    def action_help(self) -> None:
        """Explain the screen and list its keys."""
        from tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_command_palette(self) -> None:
        """Search all commands; the tour, which tells of that, makes way."""
        from tui.screens.dialog import Palette
        from tui.screens.tour import TourScreen

        if isinstance(self.screen, TourScreen):
            self.screen.dismiss()
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_tour(self) -> None:
        """Show the first steps."""
        from tui.screens.tour import TourScreen

        if not self.screen.is_modal:
            self.push_screen(TourScreen())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to detach only while something is live, and a duel only of a pair; for the rest see RunControl."""
        if action == "detach":
            return bool(self.live_runs())
        if action == "duel":
            return bool(self.family and self.family.pair)
        if action == "suspend_process":
            return not self.is_web
        return super().check_action(action, parameters)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Add the modes and everything that can be done now to the command palette."""
        yield from super().get_system_commands(screen)
        yield from palette_of(self, screen)


class TerminalApp(MnistApp):
    """The same with a first frame at once: in a terminal, someone waits for it."""

    DEFAULT_MODE = "opening"
    MODES = {**MnistApp.MODES, DEFAULT_MODE: OpeningScreen}

    _was_blurred = False

    def on_ready(self) -> None:
        """Go on: the first frame is on the terminal."""
        if isinstance(self.screen, OpeningScreen):
            self.screen.call_later(self.screen.make_way)

    def on_app_blur(self) -> None:
        """Take the keys in a browser: Textual starts there as if another window had them, and shows no footer."""
        if self.is_web and not self._was_blurred:
            self.post_message(AppFocus())
        self._was_blurred = True
