"""The index of a run store: each run's short name, such as `torch-3`, and when it was created.

It is a file in the store, one JSON object a line, in the order of creation. Lines are only ever added, so a short name
never passes on to another run, even after its own is deleted. Runs without a line, as from an older version or copied
from another store, are numbered after the others in the order of their creation; the next launch or deletion adds
their lines. Looking at a store never writes to it.
"""

from __future__ import annotations

import fcntl
import functools
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, get_args

import msgspec
from msgspec import Meta

from engine import events
from engine.config import BackendName
from engine.regular_files import open_regular, open_to_read, read_regular

INDEX_FILE = ".runs.jsonl"
UNKNOWN = "unknown"
"""Begins the short name of a run whose backend cannot be told."""
SHORT_NAME = rf"^({'|'.join((*get_args(BackendName), UNKNOWN))})-[1-9][0-9]{{0,8}}\Z"
SECONDS_OF_PATIENCE = 2.0
"""How long to wait for another process that adds a run: one that is suspended meanwhile must not hold up the rest."""

_MOST_BYTES = 64 * 1024 * 1024
MOST_CONFIG_BYTES = 1024 * 1024
_MOST_LINE_BYTES = 64 * 1024
_ID = re.compile(r"(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)(Z?)(?:-([a-z]+))?")
_FRACTION = re.compile(r"-([0-9a-f]{4})\Z")
_ZONE_SECONDS = 15 * 60
"""Time zones differ from UTC by multiples of this."""
_ZONES = range(-14 * 3600, 12 * 3600 + 1)
"""What to add to a local time to get UTC, in seconds."""
_LATE_SECONDS = 60
"""A log may seem to begin so long before its run was created: clocks of two machines differ."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run's line: `moment` is when it was created, in Unix seconds.

    `found`: the run was there before its line, so that the place of the line says nothing about when it was created.
    """

    run: str
    name: Annotated[str, Meta(pattern=SHORT_NAME)]
    moment: float
    found: bool = False


class RunIndex:
    """The entries of a store, in the order of their lines; of two for one run or one name, the first counts."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries: dict[str, Entry] = {}
        self.runs: dict[str, str] = {}
        """The run of each short name."""
        self._order: dict[str, tuple[float, int]] = {}
        self._highest: dict[str, int] = {}
        self._latest = float("-inf")
        for entry in entries:
            self._add(entry)

    def _add(self, entry: Entry) -> None:
        if entry.run in self.entries or entry.name in self.runs:
            return
        self.entries[entry.run] = entry
        self.runs[entry.name] = entry.run
        backend, _, number = entry.name.rpartition("-")
        self._highest[backend] = max(int(number), self._highest.get(backend, 0))
        moment = entry.moment
        if not entry.found:
            # A clock that was set back: what was created later still comes later.
            moment = self._latest = max(self._latest, moment)
        self._order[entry.run] = moment, len(self._order)

    def sorted(self, run_ids: Iterable[str]) -> list[str]:
        """Return `run_ids`, all of which have an entry, the oldest first."""
        return sorted(run_ids, key=self._order.__getitem__)

    def missing(self, run_ids: Iterable[str]) -> list[str]:
        """Return those of `run_ids` that have no entry."""
        return [run_id for run_id in run_ids if run_id not in self.entries]

    def with_found(self, store: Path, run_ids: Sequence[str]) -> RunIndex:
        """Return the same index with entries for `run_ids`, runs of `store` that have none yet."""
        moments = sorted((moment_of(store / run_id), run_id) for run_id in run_ids)
        extended = RunIndex(self.entries.values())
        for moment, run_id in moments:
            extended._add(Entry(run_id, extended.next_name(_backend_of(store / run_id)), moment, found=True))
        return extended

    def next_name(self, backend: str) -> str:
        """Return the short name of the next run of `backend`."""
        return f"{backend}-{self._highest.get(backend, 0) + 1}"


_EMPTY = RunIndex(())


class IndexWriter:
    """Adds lines to the index of `store` while its file is locked; without a file it adds none."""

    def __init__(self, store: Path, descriptor: int | None) -> None:
        self._store = store
        self._descriptor = descriptor

    def add_found(self, run_ids: Iterable[str]) -> None:
        """Add the runs that have no line yet."""
        known = _read(self._store)
        if missing := known.missing(run_ids):
            extended = known.with_found(self._store, missing)
            self._write([entry for run_id, entry in extended.entries.items() if run_id not in known.entries])

    def add_created(self, run_id: str, backend: str) -> None:
        """Add a run that was just created."""
        name = _read(self._store).next_name(backend)
        self._write([Entry(run_id, name, moment_of(self._store / run_id))])

    def _write(self, entries: Iterable[Entry]) -> None:
        if self._descriptor is None:
            return
        lines = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
        with suppress(OSError):
            size = os.fstat(self._descriptor).st_size
            if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
                lines = b"\n" + lines  # the line before was torn by a full disk or a kill
            os.write(self._descriptor, lines)


@contextmanager
def index_writer(store: Path) -> Iterator[IndexWriter]:
    """Lock the index of `store` for the time of the context.

    Where that does not work, as on a full disk, the runs in it are numbered like those from an older version.
    """
    descriptor = None
    try:
        with suppress(OSError):
            descriptor = open_regular(store / INDEX_FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND)
            _lock(descriptor)
        yield IndexWriter(store, descriptor)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def run_ids_in(store: Path) -> list[str]:
    """Return the ids of the runs in `store`, in no order. Raises OSError."""
    return [entry.name for entry in os.scandir(store) if _is_run(entry)]


def index_of(store: Path, run_ids: Iterable[str]) -> RunIndex:
    """Return the index of `store` with an entry for each of `run_ids`, which are its runs."""
    index = _read(store)
    missing = index.missing(run_ids)
    return _with_found(store, index, tuple(missing)) if missing else index


def entry_of(run: Path) -> Entry | None:
    """Return the entry of the run in the folder `run`; None where there is no such run."""
    index = _read(run.parent)
    if run.name in index.entries:
        return index.entries[run.name]
    try:
        changed = run.parent.stat().st_mtime_ns
        known = _scanned(run.parent, index, changed).entries
        return known.get(run.name) or index_of(run.parent, run_ids_in(run.parent)).entries.get(run.name)
    except OSError:
        return None


def id_of(moment: float, backend: str) -> str:
    """Return `<date>-<time>Z-<backend>-<fraction of the second, in 1/65536>`, in UTC, for a run created at `moment`."""
    whole = int(moment // 1)
    return f"{datetime.fromtimestamp(whole, UTC):%Y%m%d-%H%M%S}Z-{backend}-{int((moment - whole) * 65536):04x}"


def moment_in(run_id: str) -> float | None:
    """Return when a run was created as its id says, in Unix seconds; None for an id of another form.

    Ids without a Z are from older versions and tell local time: of the machine that this process runs on, as far as
    can be known from the id alone.
    """
    found = _parsed(run_id)
    if found is None:
        return None
    seconds, is_utc, _ = found
    if is_utc:
        return seconds
    local = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    with suppress(OverflowError, OSError, ValueError):
        return local.timestamp()
    return seconds


def moment_of(run: Path) -> float:
    """Return when the run in the folder `run` was created, in Unix seconds; 0 where nothing tells.

    An older id tells a local time, but not in which time zone. That is the one in which the run was created just before
    its first event, or else before its settings were written. Where neither fits, it is this machine's.
    """
    found = _parsed(run.name)
    if found and found[1]:
        return found[0]
    written = None
    with suppress(OSError):
        written = os.lstat(run / "config.json").st_mtime
    if found is None:
        return _first_event_time(run / "events.jsonl") or written or 0.0
    here = moment_in(run.name) or 0.0
    if written is not None and _just_before(written, found[0]) == here:
        return here  # as almost always; to read the first event would take ten times as long
    for witness in (_first_event_time(run / "events.jsonl"), written):
        if witness is not None and (moment := _just_before(witness, found[0])):
            return moment
    return here


def _just_before(witness: float, local: float) -> float | None:
    """Return `local`, a local time as if it were UTC, in the time zone in which it is just before `witness`."""
    offset = int((witness + _LATE_SECONDS - local) // _ZONE_SECONDS) * _ZONE_SECONDS
    return local + offset if offset in _ZONES else None


def _is_run(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or not entry.is_dir(follow_symlinks=False):
        return False
    return os.access(f"{entry.path}/config.json", os.F_OK)  # a Path would take three times as long


def _parsed(run_id: str) -> tuple[float, bool, str] | None:
    """Return the moment in an id as if it were UTC, whether it is, and the backend."""
    found = _ID.match(run_id)
    if found is None:
        return None
    *date, mark, backend = found.groups()
    try:
        seconds = datetime(*map(int, date), tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]  # six numbers
    except ValueError:
        return None
    fraction = _FRACTION.search(run_id)
    return seconds + (int(fraction[1], 16) / 65536 if fraction else 0.0), bool(mark), backend or ""


def _backend_of(run: Path) -> str:
    found = _parsed(run.name)
    backend = found[2] if found else ""
    if backend not in get_args(BackendName):
        with suppress(OSError, ValueError, AttributeError, RecursionError):
            backend = json.loads(read_regular(run / "config.json", MOST_CONFIG_BYTES)).get("backend", "")
    return backend if backend in get_args(BackendName) else UNKNOWN


def _first_event_time(log: Path) -> float | None:
    with suppress(OSError), open_to_read(log) as file:
        event = events.decode(file.readline(_MOST_LINE_BYTES))
        return event.time if event else None
    return None


def _read(store: Path) -> RunIndex:
    """Return the index of `store` as it is in its file; an empty one where there is none that can be read."""
    path = store / INDEX_FILE
    try:
        found = os.lstat(path)
    except OSError:
        return _EMPTY
    return _read_once(path, (found.st_ino, found.st_size, found.st_mtime_ns))


@functools.lru_cache(maxsize=4)
def _read_once(path: Path, stamp: tuple[int, ...]) -> RunIndex:
    try:
        lines = read_regular(path, _MOST_BYTES).splitlines()
    except OSError:
        return _EMPTY
    return RunIndex(entry for entry in map(_decoded, lines) if entry)


@functools.lru_cache(maxsize=4)
def _scanned(store: Path, index: RunIndex, changed: int) -> RunIndex:
    return index_of(store, run_ids_in(store))


@functools.lru_cache(maxsize=4)
def _with_found(store: Path, index: RunIndex, run_ids: tuple[str, ...]) -> RunIndex:
    return index.with_found(store, run_ids)


_decoder = msgspec.json.Decoder(Entry)


def _decoded(line: bytes) -> Entry | None:
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _lock(descriptor: int) -> None:
    """Lock the index; after SECONDS_OF_PATIENCE, or on a file system without locks, go on without."""
    deadline = time.monotonic() + SECONDS_OF_PATIENCE
    while time.monotonic() < deadline:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.005)
        else:
            return
