"""The runs as the list shows them: its columns, and which runs in which order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.backends import BACKENDS
from tui.cells import fitted
from tui.formats import clock, count, percent
from tui.snapshot import RunSnapshot
from tui.sparkline import sparkline
from tui.status import GLYPHS
from tui.terminal import clean

GAP = 1
"""Cells between two columns."""
CREATED = "created"


@dataclass(frozen=True)
class Column:
    """A column: its heading, its width in cells, and what it says of a run, in ASCII where that is wanted.

    `order` is what the list is sorted by, None for a run that has no such figure; a column without it cannot be sorted
    by. `high_first` says which way round at first. The column of width 0 takes what the others leave.
    """

    name: str
    width: int
    text: Callable[[RunSnapshot, bool], str]
    order: Callable[[RunSnapshot], Any] | None = None
    is_figure: bool = False
    high_first: bool = False


@dataclass(frozen=True)
class View:
    """Which runs are listed, and in which order: those that `words` are all found in, sorted by a column."""

    words: str = ""
    column: str = CREATED
    is_falling: bool = True

    def arrange(self, runs: Iterable[RunSnapshot]) -> tuple[RunSnapshot, ...]:
        """Return of `runs`, which come the newest first, those that are listed, in order; the unknown come last."""
        wanted = self.words.casefold().split()
        found = [run for run in runs if not wanted or _matches(run, wanted)]
        order = COLUMNS[self.column].order
        if self.column == CREATED:
            return tuple(found if self.is_falling else reversed(found))
        if order is None:
            return tuple(found)
        known = [(value, run) for run in found if (value := order(run)) is not None]
        known.sort(key=lambda item: item[0], reverse=self.is_falling)
        unknown = [run for run in found if order(run) is None]
        return (*(run for _, run in known), *unknown)

    @property
    def order(self) -> str:
        """How the runs are sorted, in words."""
        if self.column == CREATED:
            return "newest first" if self.is_falling else "oldest first"
        if self.column == "status":
            return "ended first" if self.is_falling else "live first"
        if COLUMNS[self.column].is_figure:
            return f"{self.column}, {'highest' if self.is_falling else 'lowest'} first"
        return f"{self.column}, {'Z to A' if self.is_falling else 'A to Z'}"

    def sorted_by(self, column: str) -> View:
        """Return the same runs sorted by another column; by the same one, the other way round."""
        if column == self.column:
            return View(self.words, column, not self.is_falling)
        return View(self.words, column, COLUMNS[column].high_first)

    def after(self, steps: int, columns: Sequence[str]) -> View:
        """Return the same runs sorted by the column that is so many `steps` to the right among `columns`."""
        names = [name for name in columns if COLUMNS[name].order]
        names = names if CREATED in names else [*names, CREATED]
        position = names.index(self.column) + steps if self.column in names else 0
        return self.sorted_by(names[position % len(names)])


def columns_in(width: int, longest: int) -> list[tuple[Column, int]]:
    """Return the columns that `width` cells have room for, and their widths; `longest` is that of the runs' names.

    Without a column for it, the framework stands behind a run's name; an id has it already.
    """
    left = width - sum(COLUMNS[name].width + GAP for name in ALWAYS) + GAP - min(max(longest, LEAST), ENOUGH)
    chosen = set(ALWAYS)
    for name, room in SPARE.items():
        if width >= room and COLUMNS[name].width + GAP <= left:
            left -= COLUMNS[name].width + GAP
            chosen.add(name)
    columns = [column for name, column in COLUMNS.items() if name in chosen]
    names = max(LEAST, min(longest, MOST)) if "note" in chosen else 0
    rest = width - sum((column.width or names) + GAP for column in columns) + GAP
    widths = {"note": COLUMNS["note"].width + rest, "run": names} if names else {"run": max(1, rest)}
    if "backend" not in chosen:
        columns = [replace(column, text=_label_and_backend) if column.name == "run" else column for column in columns]
    return [(column, widths.get(column.name, column.width)) for column in columns]


def _matches(snapshot: RunSnapshot, words: Iterable[str]) -> bool:
    text = "\n".join(
        (
            snapshot.label,
            snapshot.run.id,
            snapshot.backend,
            _backend(snapshot),
            snapshot.model,
            snapshot.status,
            snapshot.labels.note,
        )
    ).casefold()
    return all(word in text for word in words)


def _as_people_count(text: str) -> list[tuple[int, str]]:
    """Return what texts with numbers in them sort by: `seed 9` comes before `seed 10`."""
    parts = re.split(r"(\d{1,300})", text.casefold())
    return [(int(part) if number % 2 else 0, part) for number, part in enumerate(parts)]


def _status_text(snapshot: RunSnapshot, ascii: bool) -> str:
    """Return the glyph and the word of a run's status, and its place where it stands in line."""
    glyph, ascii_glyph, _ = GLYPHS[snapshot.status]
    place = f" #{snapshot.place.number}" if snapshot.place else ""
    return f"{ascii_glyph if ascii else glyph} {snapshot.status}{place}"


def _label_and_backend(snapshot: RunSnapshot, ascii: bool) -> str:
    return f"{snapshot.name}, {_backend(snapshot)}" if snapshot.name else snapshot.label


def _backend(snapshot: RunSnapshot) -> str:
    return BACKENDS[snapshot.backend].label if snapshot.backend in BACKENDS else snapshot.backend


def _created(snapshot: RunSnapshot, ascii: bool) -> str:
    return f"{snapshot.run.created:%m-%d %H:%M}" if snapshot.run.created else "–"


def _epochs(snapshot: RunSnapshot, ascii: bool) -> str:
    return f"{count(len(snapshot.progress.epochs))}/{count(snapshot.epochs)}"


def _best(snapshot: RunSnapshot, ascii: bool) -> str:
    return percent(snapshot.progress.best.test_accuracy) if snapshot.progress.best else "–"


def _curve(snapshot: RunSnapshot, ascii: bool) -> str:
    return sparkline([epoch.test_accuracy for epoch in snapshot.progress.epochs], CURVE_WIDTH, ascii)


def _time(snapshot: RunSnapshot, ascii: bool) -> str:
    return clock(snapshot.progress.seconds) if snapshot.progress.epochs else "–"


def _accuracy(snapshot: RunSnapshot) -> float | None:
    return snapshot.progress.best.test_accuracy if snapshot.progress.best else None


def _seconds(snapshot: RunSnapshot) -> float | None:
    return snapshot.progress.seconds if snapshot.progress.epochs else None


CURVE_WIDTH = 10
LEAST, ENOUGH, MOST = 20, 32, 60
"""The least and the most cells that the names of the runs are to have before other columns come, an id having 32; and
the most beside a note, which then takes what is left."""
ALWAYS = ("status", "run", "epochs", "best acc", "time")
SPARE = {"accuracy": 90, "backend": 0, "model": 0, CREATED: 0, "note": 130}
"""The other columns, the most wanted first, and from how many cells on each is worth its room."""
_STATUSES = ("running", "paused", "waiting", "completed", "stopped", "failed", "crashed")
COLUMNS = {
    column.name: column
    for column in (
        Column("status", 12, _status_text, lambda s: _STATUSES.index(s.status)),
        Column("run", 0, lambda s, ascii: s.label, lambda s: _as_people_count(s.label)),
        Column(CREATED, 11, _created, lambda s: s.run.created, high_first=True),
        Column("backend", 10, lambda s, ascii: _backend(s), lambda s: _backend(s) or None),
        Column("model", 11, lambda s, ascii: s.model, lambda s: s.model or None),
        Column("epochs", 7, _epochs, lambda s: len(s.progress.epochs), is_figure=True, high_first=True),
        Column("accuracy", CURVE_WIDTH, _curve),
        Column("best acc", 9, _best, _accuracy, is_figure=True, high_first=True),
        Column("time", 7, _time, _seconds, is_figure=True, high_first=True),
        Column("note", 34, lambda s, ascii: s.labels.note, lambda s: s.labels.note.casefold() or None),
    )
}


def cell(column: Column, snapshot: RunSnapshot, width: int, ascii: bool) -> str:
    """Return what `column` says of a run, exactly `width` cells wide."""
    text = clean(column.text(snapshot, ascii))
    return fitted(text, width, column.is_figure, ascii)
