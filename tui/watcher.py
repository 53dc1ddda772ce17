"""One thread that follows the store and the runs on display, and posts what changed, at most ten times a second."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message

from engine.errors import EngineError
from engine.runs import Run, Store
from tui.background import WorkFailed
from tui.family import Family
from tui.snapshot import RunReplay, RunSnapshot

RUN_SECONDS = 0.1
STORE_SECONDS = 1.0


@dataclass
class RunChanged(Message):
    """The run on display, or one that was launched with it, has news."""

    family: Family


@dataclass
class RunsChanged(Message):
    """The store's runs, the newest first, have news."""

    snapshots: tuple[RunSnapshot, ...]


@dataclass
class StoreFailed(Message):
    """The store could not be read."""

    error: EngineError


class Watcher:
    """Follows `store`, and more closely the run given to `watch`. `post` must be safe to call from a thread."""

    def __init__(self, store: Store, post: Callable[[Message], object]) -> None:
        self._store = store
        self._post = post
        self._replays: dict[str, RunReplay] = {}
        self._watched: Run | None = None
        self._kin: tuple[str, ...] = ()
        self._announced: Family | None = None
        self._listed: tuple[RunSnapshot, ...] | None = None
        self._failed = ""
        self._hurry = threading.Event()
        self._ended = threading.Event()

    def start(self) -> None:
        """Start following. The thread is a daemon: it never holds up the end of the app."""
        threading.Thread(target=self._run, name="watcher", daemon=True).start()

    def stop(self) -> None:
        """Stop following."""
        self._ended.set()
        self._hurry.set()

    def watch(self, run: Run | None) -> None:
        """Make `run` the one on display; its snapshot follows at once."""
        self._watched = run
        self.look()

    def look(self) -> None:
        """Look at the store now rather than within a second."""
        self._hurry.set()

    def _run(self) -> None:
        try:
            self._follow()
        except Exception as error:
            self._post(WorkFailed(error))

    def _follow(self) -> None:
        ticks = 0
        per_listing = round(STORE_SECONDS / RUN_SECONDS)
        while not self._ended.is_set():
            if ticks % per_listing == 0:
                self._list()
            self._look_at_watched()
            if self._hurry.wait(RUN_SECONDS):
                self._hurry.clear()
                ticks = -1
            ticks += 1

    def _look_at_watched(self) -> None:
        run = self._watched
        if run is None:
            self._announced = None
            return
        display = self._replay(run)
        kin = [self._replays[member] for member in self._kin if member in self._replays]
        replays = kin if display in kin else [display]
        for replay in replays:
            if replay is display or replay.snapshot.status in (
                "running",
                "paused",
            ):  # the others are listed, that will do
                replay.update()
        members = tuple(replay.snapshot for replay in replays)
        if self._is_news(display.snapshot, members):
            self._announced = Family(display.snapshot, members)
            self._post(RunChanged(self._announced))

    def _is_news(self, display: RunSnapshot, members: tuple[RunSnapshot, ...]) -> bool:
        known = self._announced
        if known is None or known.display is not display or len(known.members) != len(members):
            return True
        return any(one is not other for one, other in zip(known.members, members, strict=True))

    def _list(self) -> None:
        try:
            runs = self._store.runs()
        except EngineError as error:
            if str(error) != self._failed:
                self._failed = str(error)
                self._post(StoreFailed(error))
            return
        ids = {run.id for run in runs}
        watched = self._watched.id if self._watched else ""
        self._replays = {i: replay for i, replay in self._replays.items() if i in ids or i == watched}
        for run in runs:
            self._replay(run).update()
        self._kin = self._find_kin(watched)
        listed = tuple(self._replays[run.id].snapshot for run in reversed(runs))
        if self._listed is None or [id(s) for s in listed] != [id(s) for s in self._listed]:
            self._listed = listed
            self._post(RunsChanged(listed))

    def _find_kin(self, watched: str) -> tuple[str, ...]:
        from engine.families import family_of

        snapshots = (replay.snapshot for replay in self._replays.values())
        return family_of(watched, {one.run.id: one.config for one in snapshots if one.config})

    def _replay(self, run: Run) -> RunReplay:
        if run.id not in self._replays:
            self._replays[run.id] = RunReplay(run)
        return self._replays[run.id]
