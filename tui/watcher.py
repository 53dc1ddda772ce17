"""One thread that follows the store and the runs on display, and posts what changed, at most five times a second."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message

from engine.causes import explain
from engine.errors import EngineError, StoreError
from engine.runs import OTHER_STORE, Run, Store
from tui.background import WorkFailed
from tui.family import Family, repeats_among
from tui.snapshot import RunReplay, RunSnapshot

RUN_SECONDS = 0.2
STORE_SECONDS = 1.0
RUNS_AT_FIRST = 50
FIRST_SECONDS = 0.3
"""The newest runs of a store are shown as soon as so many are read, or have taken so long; the others as they come."""
READING_SECONDS = 0.1
ENDED_PER_LOOK = 500
"""How many of the runs that have ended are looked at each time whether they go on: 5 ms."""
NEIGHBOURS = 200
"""How many runs before and after one may have been launched together with it."""
SURE_SECONDS = 2.0
"""When a folder has been left alone for so long, its time of change tells whether anything came or went."""
LOOKS_PER_SCAN = 10
"""A folder that seems unchanged is read all the same now and then."""


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
        self._ids: list[str] = []
        """The store's runs, the newest first."""
        self._unread: list[str] = []
        """Those of which nothing is known yet, the newest last."""
        self._ended_ids: list[str] = []
        """Those that have ended and are to be looked at in the next looks."""
        self._asked_for: deque[str] = deque()
        self._scanned: tuple[float, int] | None = None
        self._kin: tuple[str, ...] = ()
        self._kin_of: tuple[str, list[str]] = ("", [])
        self._announced: Family | None = None
        self._drawn: list[RunReplay] = []
        """The runs whose steps are kept."""
        self._repeats: tuple[RunSnapshot, ...] = ()
        self._listed_then: tuple[RunSnapshot, ...] | None = None
        """The store's runs, and below the ids of the family, when `_repeats` were looked for."""
        self._ids_then: set[str] = set()
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

    def look(self, run: Run | None = None) -> None:
        """Look at the store now rather than within a second, and at `run` even where it has ended."""
        if run:
            self._asked_for.append(run.id)
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
            try:
                if ticks % per_listing == 0:
                    self._list()
                self._look_at_watched()
                if self._unread:
                    self._read_more()
            except OSError as error:  # a file of one run that may not be read, or a disk that fails
                self._fail(StoreError("Store cannot be read", *explain(error, "read", self._store.path, OTHER_STORE)))
            if self._hurry.wait(RUN_SECONDS / 20 if self._unread else RUN_SECONDS):
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
        self._draw(display, replays)
        for replay in replays:
            if replay is display or replay.snapshot.status in (
                "running",
                "paused",
            ):  # the others are listed, that will do
                replay.update()
        members = tuple(replay.snapshot for replay in replays)
        repeats = self._find_repeats(members)
        known = self._announced
        if known is None or not _are_same((display.snapshot, *members, *repeats), known):
            self._announced = Family(display.snapshot, members, repeats)
            self._post(RunChanged(self._announced))

    def _draw(self, display: RunReplay, members: list[RunReplay]) -> None:
        """Have the steps kept of the runs whose curves are shown: the one on display and its partner."""
        partner = Family(display.snapshot, tuple(member.snapshot for member in members)).partner
        drawn = [one for one in members if one is display or (partner and one.run.id == partner.run.id)]
        for replay in self._drawn:
            replay.draw(replay in drawn)
        for replay in drawn:
            replay.draw(True)
        self._drawn = drawn

    def _find_repeats(self, members: tuple[RunSnapshot, ...]) -> tuple[RunSnapshot, ...]:
        """Return the completed runs that may count as further seeds; () while a member may still train."""
        if any(member.live for member in members):
            return ()
        listed, ids = self._listed or (), {member.run.id for member in members}
        if self._listed is not self._listed_then or ids != self._ids_then:
            self._listed_then, self._ids_then = self._listed, ids
            self._repeats = repeats_among(members, (one for one in listed if one.run.id not in ids))
        return self._repeats

    def _list(self) -> None:
        try:
            self._scan()
        except EngineError as error:
            self._fail(error)
            return
        if self._failed:
            self._failed, self._listed = "", None  # to be told again that it can be read
        end = time.monotonic() + FIRST_SECONDS
        while self._unread and len(self._replays) < RUNS_AT_FIRST and time.monotonic() < end:
            self._read_next()
        self._update()
        self._find_kin(self._watched.id if self._watched else "")
        self._announce()

    def _fail(self, error: EngineError) -> None:
        """Tell of an error once."""
        if str(error) != self._failed:
            self._failed = str(error)
            self._post(StoreFailed(error))

    def _scan(self) -> None:
        """Find out which runs there are, unless nothing can have changed."""
        try:
            changed = self._store.path.stat().st_mtime
        except OSError:
            changed = time.time()
        looks = self._scanned[1] + 1 if self._scanned else 0
        is_sure = time.time() - changed > SURE_SECONDS and looks % LOOKS_PER_SCAN
        if self._scanned and self._scanned[0] == changed and is_sure:
            self._scanned = (changed, looks)
            return
        self._ids = self._store.run_ids()[::-1]
        self._scanned = (changed, looks)
        watched = self._watched.id if self._watched else ""
        known = {*self._ids, watched}
        self._replays = {run_id: replay for run_id, replay in self._replays.items() if run_id in known}
        self._unread = [run_id for run_id in reversed(self._ids) if run_id not in self._replays]

    def _update(self) -> None:
        """Look at all runs that are live, and at some of those that have ended."""
        for replay in self._replays.values():
            if not replay.snapshot.progress.finished:
                replay.update()
        if not self._ended_ids:
            self._ended_ids = list(self._replays)
        for run_id in self._ended_ids[-ENDED_PER_LOOK:]:
            if run_id in self._replays:
                self._replays[run_id].update()
        del self._ended_ids[-ENDED_PER_LOOK:]
        while self._asked_for:
            if (run_id := self._asked_for.popleft()) in self._replays:
                self._replays[run_id].update()

    def _read_more(self) -> None:
        """Read runs for a moment, and show them."""
        end = time.monotonic() + READING_SECONDS
        while self._unread and time.monotonic() < end:
            self._read_next()
        self._announce()

    def _read_next(self) -> None:
        self._replay(Run(self._store.path / self._unread.pop())).update()

    def _announce(self) -> None:
        listed = tuple(self._replays[run_id].snapshot for run_id in self._ids if run_id in self._replays)
        if self._listed is None or [id(s) for s in listed] != [id(s) for s in self._listed]:
            self._listed = listed
            self._post(RunsChanged(listed))

    def _find_kin(self, watched: str) -> None:
        place = self._ids.index(watched) if watched in self._ids else len(self._ids)
        near = self._ids[max(0, place - NEIGHBOURS) : place + NEIGHBOURS]
        known = {run_id: self._replays[run_id].snapshot.config for run_id in near if run_id in self._replays}
        if (watched, list(known)) != self._kin_of:
            from engine.families import family_of

            self._kin_of = watched, list(known)
            self._kin = family_of(watched, {run_id: config for run_id, config in known.items() if config})

    def _replay(self, run: Run) -> RunReplay:
        if run.id not in self._replays:
            self._replays[run.id] = RunReplay(run)
        return self._replays[run.id]


def _are_same(snapshots: tuple[RunSnapshot, ...], family: Family) -> bool:
    """Say whether these are the snapshots that make up `family`: the one on display, members and repeats."""
    known = (family.display, *family.members, *family.repeats)
    return len(known) == len(snapshots) and all(one is other for one, other in zip(known, snapshots, strict=True))
