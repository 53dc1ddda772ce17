"""The part of the app that asks things of runs: to start, stop, hold, go on, or be deleted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual.binding import Binding
from textual.reactive import var

from engine import commands
from engine.config import TrainConfig
from engine.errors import EngineError
from engine.runs import Run, Store
from tui.background import InOrder, in_background
from tui.family import Family
from tui.jobs import CommandSent, delete_runs, label_run, launch_runs, relaunch_run, send_command
from tui.look import Look
from tui.snapshot import RunSnapshot
from tui.terminal import clean

MORE_EPOCHS = "Train the run that is complete for more epochs"
STOP, PAUSE = "End the run: it is tested and saved", "Hold the run; it keeps its memory"
RESUME, DETACH = "Let the run that is held go on", "Leave, and let the runs go on"
RESUMABLE = ("stopped", "failed", "crashed")


class RunControl(Look):
    """Controls the runs of `store`, above all the one on display; `started_here` are the ids of this session's."""

    BINDINGS = [
        Binding("s", "stop", "Stop", tooltip=STOP, id="stop"),
        Binding("S", "stop(True)", "Stop now", show=False, id="stop_now"),
        Binding("p", "pause", "Pause", tooltip=PAUSE, id="pause"),
        Binding("p", "resume", "Go on", tooltip=RESUME, id="pause"),
    ]

    snapshot: var[RunSnapshot | None] = var(None)
    """The run on display."""
    family: var[Family | None] = var(None)
    """The same among the runs launched together with it."""
    runs: var[tuple[RunSnapshot, ...] | None] = var(None)
    """The store's runs, the newest first; None before the first look."""
    template: var[TrainConfig | None] = var(None)
    """Settings that the form is to take over, until it has."""

    def __init__(self, store: Store, ascii: bool, theme: str) -> None:
        super().__init__(ascii, theme)
        self.store = store
        self.started_here: set[str] = set()
        self.is_launching = False
        self._sender = InOrder(self, "send commands")

    def train(self, configs: Sequence[TrainConfig]) -> None:
        """Start a run with each of `configs`, once; on the same device they take turns."""
        if not self.is_launching:
            self.is_launching = True
            in_background(self, partial(launch_runs, self.store, configs), "launch")

    def relaunch(self, run: Run) -> None:
        """Go on with a run that has ended before its time."""
        if not self.is_launching:
            self.is_launching = True
            in_background(self, partial(relaunch_run, run), "relaunch")

    async def extend(self, snapshot: RunSnapshot) -> None:
        """Ask how many more epochs a complete run is to train, and go on with it."""
        from tui.screens.extend import ExtendScreen, MoreEpochs

        def go_on(wanted: MoreEpochs | None) -> None:
            if wanted and not self.is_launching:
                self.is_launching = True
                in_background(self, partial(relaunch_run, snapshot.run, *wanted), "relaunch")

        await self.push_screen(ExtendScreen(snapshot), go_on)

    def delete_runs(self, runs: Sequence[Run]) -> None:
        """Delete `runs` from the store."""
        in_background(self, partial(delete_runs, self.store, runs), "delete")

    def label_run(self, run: Run, name: str | None = None, note: str | None = None) -> None:
        """Give `run` another name, another note, or both."""
        in_background(self, partial(label_run, self.store, run, name, note), "label")

    def stop_runs(self, runs: Sequence[Run], now: bool = False) -> None:
        """Ask `runs` to stop after their step, or `now`: without testing and saving first."""
        self._send(runs, commands.Stop(now=now))

    async def action_stop(self, now: bool = False) -> None:
        """Ask the run on display to stop; where others were launched with it and wait, ask about them first."""
        live = self._live_members()
        if len(live) == 1:
            self.stop_runs(live, now)
        elif live:
            from tui.screens.stop import StopScreen

            await self.push_screen(StopScreen(len(live), now), partial(self._stop, live, now))

    @property
    def _members(self) -> Sequence[RunSnapshot]:
        return self.family.members if self.family else ()

    def _live_members(self) -> list[Run]:
        """Return the live runs of the family on display, the one on display first."""
        display = self.snapshot.run.id if self.snapshot else ""
        live = [member.run for member in self._members if member.live]
        return sorted(live, key=lambda run: run.id != display)

    def _stop(self, live: list[Run], now: bool, answer: str | None) -> None:
        if answer in ("one", "all"):
            still = {run.id for run in self._live_members()}  # one may have ended while the question stood
            self.stop_runs([run for run in (live[:1] if answer == "one" else live) if run.id in still], now)

    def action_pause(self) -> None:
        """Hold the run on display before its next step."""
        if self.snapshot:
            self._send([self.snapshot.run], commands.Pause())

    def action_resume(self) -> None:
        """Let the run on display go on after a pause."""
        if self.snapshot:
            self._send([self.snapshot.run], commands.Resume())

    def set_learning_rate(self, run: Run, rate: float) -> None:
        """Have `run` train on with another learning rate."""
        self._send([run], commands.SetLearningRate(learning_rate=rate))

    def _send(self, runs: Sequence[Run], command: commands.AnyCommand) -> None:
        self._sender.ask(partial(send_command, runs, command))

    def on_command_sent(self, message: CommandSent) -> None:
        """Say what comes of it, where the runs themselves do not, or not at once."""
        if message.error:
            self.show_error(message.error)
        known = {snapshot.run.id: snapshot.status for snapshot in (*(self.runs or ()), *self._members)}
        are_waiting = all(known.get(run.id) == "waiting" for run in message.runs)
        match message.command:
            case commands.Stop(now=now) if message.runs:
                title = "Stopping" if len(message.runs) == 1 else f"Stopping {len(message.runs)} runs"
                words = "It ends without testing and saving." if now else "It finishes its step, tests, and saves."
                words = "It has not begun, and leaves the queue." if are_waiting else words
                self.notify(words, title=title, timeout=3, markup=False)
            case commands.SetLearningRate(learning_rate=rate) if message.runs and are_waiting:
                self.notify("It holds from the run's first step on.", title=f"Learning rate {rate:g}", markup=False)

    def live_runs(self) -> list[RunSnapshot]:
        """Return the live runs that are this session's: those started here, and the one on display with its family."""
        ours = {s.run.id: s for s in self.runs or () if s.run.id in self.started_here}
        ours |= {s.run.id: s for s in self._members}
        return [snapshot for snapshot in ours.values() if snapshot.live]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done to the run on display as it is."""
        status = self.snapshot.status if self.snapshot else ""
        match action:
            case "stop":
                return bool(self._live_members())
            case "pause":
                return status == "running"
            case "resume":
                return status == "paused"
        return super().check_action(action, parameters)

    def show_error(self, error: EngineError) -> None:
        """Show an error that does not belong to any field."""
        text = " ".join(part for part in (error.message, error.hint) if part)
        self.notify(clean(text), title=clean(error.title), severity="error", timeout=10, markup=False)


def is_resumable(snapshot: RunSnapshot | None) -> bool:
    """Say whether a run ended before its time and can be taken up again."""
    return snapshot is not None and snapshot.status in RESUMABLE and snapshot.config is not None


def is_extendable(snapshot: RunSnapshot | None) -> bool:
    """Say whether a run is complete and can be trained for more epochs."""
    return snapshot is not None and snapshot.status == "completed" and snapshot.config is not None
