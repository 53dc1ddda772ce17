"""The columns of the list of runs: what each says of a run, and which of them fit into a width."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rich.cells import cell_len

from engine.backends import BACKENDS
from tui.activity import status_word
from tui.cells import fitted
from tui.change_words import learning_rate_text
from tui.formats import LONGEST, clock, count, percent, text_of
from tui.snapshot import RunSnapshot
from tui.sparkline import sparkline
from tui.status import GLYPHS
from tui.terminal import clean

GAP = 1
"""Cells between two columns."""
CREATED = "created"
CURVE = "accuracy"
CURVE_WIDTH = 10
SHORTEST_NAME, LONGEST_NAME, LONGEST_SETTING = 12, 40, 18
SETTINGS_FIRST = 4
"""So many settings come before the epochs, the time and the curve, the others after them."""
LEAST_ERROR = 1e-3
"""The least that a curve makes a difference of, about that of the best networks on MNIST."""
Scale = tuple[float, float]
"""The accuracies of the lowest bar and of the highest."""


@dataclass(frozen=True)
class Column:
    """A column: its name, its width in cells, and what it says of a run, in ASCII where that is wanted.

    `order` is what the list is sorted by, None for a run that has no such figure; a column without it cannot be sorted
    by. `high_first` says which way round at first. `heading` stands above it, where that is not its name.
    """

    name: str
    width: int
    text: Callable[[RunSnapshot, bool], str]
    order: Callable[[RunSnapshot], Any] | None = None
    is_figure: bool = False
    high_first: bool = False
    heading: str = ""

    @property
    def title(self) -> str:
        """What stands above it, and what it is called where the order is told."""
        return self.heading or self.name


@dataclass(frozen=True)
class Wanted:
    """What the listed runs have to show: the settings that differ, whether any has a name or a note, and the scale."""

    settings: tuple[Column, ...] = ()
    cells: Mapping[str, int] = field(default_factory=dict)
    """The cells that the widest text of a column takes, for those whose texts may outgrow their usual width."""
    name_cells: int = 0
    has_notes: bool = False
    scale: Scale | None = None

    @classmethod
    def by(cls, runs: Sequence[RunSnapshot]) -> Wanted:
        """Return what `runs` have to show."""
        return cls(
            settings=differing(runs),
            cells={
                "status": _widest(_status_text(run, False) for run in runs),
                "run": _widest(run.short_name for run in runs),
                "epochs": _widest([_epochs_text(_most(runs, _epochs_done), _most(runs, lambda run: run.epochs))])
                + _widest(run.extended_mark for run in runs),
                "time": _widest([clock(_most(runs, lambda run: min(run.progress.seconds, LONGEST - 1)))]),
            },
            name_cells=_widest(clean(run.name) for run in runs),
            has_notes=any(run.labels.note for run in runs),
            scale=common_scale(runs),
        )

    def fitting(self, width: int) -> list[Column]:
        """Return the columns that `width` cells have room for, in their order from left to right."""
        status, accuracy, run = self._column("status"), COLUMNS["test acc"], self._column("run")
        left = width - status.width - accuracy.width - 2 * GAP
        run = replace(run, width=max(1, min(run.width, left)))
        chosen = {column.name: column for column in (status, run, accuracy)}
        left -= run.width
        for column in self._by_importance():
            if column.width + GAP <= left:
                chosen[column.name] = column
                left -= column.width + GAP
        for name, most in (("name", min(self.name_cells, LONGEST_NAME)), ("note", width)):
            if name in chosen:
                more = max(0, min(left, most - chosen[name].width))
                chosen[name] = replace(chosen[name], width=chosen[name].width + more)
                left -= more
        return [chosen[name] for name in COLUMNS if name in chosen]

    def _column(self, name: str) -> Column:
        """Return a column as wide as its widest text."""
        return replace(COLUMNS[name], width=max(COLUMNS[name].width, self.cells.get(name, 0)))

    def _by_importance(self) -> list[Column]:
        """Return the columns that a narrow list does without, the most wanted first."""
        cells = max(len("name ▼"), min(self.name_cells, SHORTEST_NAME))
        name = [replace(COLUMNS["name"], width=cells)] if self.name_cells else []
        curve = [_curve_column(self.scale)] if self.scale else []
        return [
            *name, *self.settings[:SETTINGS_FIRST], self._column("epochs"), self._column("time"), *curve,
            *self.settings[SETTINGS_FIRST:], COLUMNS[CREATED],
            *([COLUMNS["note"]] if self.has_notes else []), COLUMNS["id"],
        ]  # fmt: skip


def cell(column: Column, snapshot: RunSnapshot, ascii: bool) -> str:
    """Return what `column` says of a run, exactly as wide as the column is."""
    return fitted(clean(column.text(snapshot, ascii)), column.width, column.is_figure, ascii)


# The settings that differ


@dataclass(frozen=True)
class Setting:
    """A setting as a column: what stands above it, its value in a run, and the value as people read it."""

    heading: str
    value: Callable[[RunSnapshot], Any]
    text: Callable[[RunSnapshot], str]
    order: Callable[[RunSnapshot], Any] | None = None
    """What runs are sorted by, where that is not the value."""


def differing(runs: Sequence[RunSnapshot]) -> tuple[Column, ...]:
    """Return a column for each setting that is not the same in all `runs`, the most telling first.

    Runs of which a setting is not known do not count.
    """
    known = [run for run in runs if run.config]
    found = []
    for name, setting in SETTINGS.items():
        values = {setting.value(run) for run in known} - {None}
        if len(values) > 1:
            texts = {setting.text(run) for run in known}
            width = max(len(setting.heading) + len(" ▼"), _widest(clean(text) for text in texts))
            found.append(replace(COLUMNS[name], width=min(LONGEST_SETTING, width)))
    return tuple(found)


def _of_config(name: str, heading: str = "") -> Setting:
    def value(snapshot: RunSnapshot) -> Any:
        return getattr(snapshot.config, name, None)

    return Setting(heading or name.replace("_", " "), value, lambda snapshot: text_of(value(snapshot)))


def _count_of(name: str, heading: str, zero: str = "0") -> Setting:
    setting = _of_config(name, heading)

    def text(snapshot: RunSnapshot) -> str:
        number = setting.value(snapshot)
        return text_of(None) if number is None else count(number) if number else zero

    return replace(setting, text=text)


def _dataset(snapshot: RunSnapshot) -> str | None:
    return snapshot.progress.started.dataset.name if snapshot.progress.started else None


def _device(snapshot: RunSnapshot) -> str | None:
    return snapshot.progress.started.device if snapshot.progress.started else None


def _rate(snapshot: RunSnapshot) -> str | None:
    """Return the learning rate and those that it was changed to: `0.01 → 0.003`."""
    if snapshot.config is None:
        return None
    return re.sub(r" in epoch [\d,]+", "", learning_rate_text(snapshot.config, snapshot.progress))


SETTINGS = {
    "model": _of_config("model"),
    "learning_rate": Setting("rate", _rate, lambda s: text_of(_rate(s)), lambda s: s.config and s.config.learning_rate),
    "batch_size": _count_of("batch_size", "batch"),
    "optimizer": _of_config("optimizer"),
    "dataset": Setting("dataset", _dataset, lambda snapshot: text_of(_dataset(snapshot))),
    "schedule": _of_config("schedule"),
    "augmentation": _of_config("augmentation", "augment"),
    "seed": _of_config("seed"),
    "normalisation": _of_config("normalisation", "pixels"),
    "limit": _count_of("limit", "images", zero="all"),
    "weight_decay": _of_config("weight_decay", "decay"),
    "label_smoothing": _of_config("label_smoothing", "smoothing"),
    "momentum": _of_config("momentum"),
    "validation": _count_of("validation", "held out"),
    "backend": Setting("backend", lambda s: s.backend or None, lambda s: backend_label(s)),
    "device": Setting("device", _device, lambda snapshot: text_of(_device(snapshot))),
    "conventions": _of_config("conventions"),
    "shuffle": _of_config("shuffle"),
    "threads": _of_config("threads"),
    "deterministic": _of_config("deterministic", "repeatable"),
}
"""The settings by name, those first whose differences tell the most. Epochs have a column of their own."""


def _setting_column(name: str, setting: Setting) -> Column:
    def order(snapshot: RunSnapshot) -> Any:
        value = (setting.order or setting.value)(snapshot)
        return as_people_count(text_of(value)) if isinstance(value, str) else value

    return Column(name, 0, lambda s, ascii: setting.text(s), order, name in FIGURES, heading=setting.heading)


# The curves


def common_scale(runs: Iterable[RunSnapshot]) -> Scale | None:
    """Return the lowest and the highest test accuracy of all epochs of `runs`; None where there is none."""
    reached = [epoch.test_accuracy for run in runs for epoch in run.progress.epochs]
    finite = [accuracy for accuracy in reached if math.isfinite(accuracy)]
    return (min(finite), max(finite)) if finite else None


def _curve_column(scale: Scale) -> Column:
    """Return the column of the curves, with the scale that they share above it.

    Equal steps of the bars are equal ratios of the error: 90, 99 and 99.9 % are equally far apart. On a plain scale a
    run that failed would make all others look the same.
    """
    ends = tuple(map(_bar_height, scale))

    def curve(snapshot: RunSnapshot, ascii: bool) -> str:
        heights = [_bar_height(epoch.test_accuracy) for epoch in snapshot.progress.epochs]
        return sparkline(heights, CURVE_WIDTH, ascii, (ends[0], ends[1]))

    low, high = (100 * accuracy for accuracy in scale)
    return Column(CURVE, CURVE_WIDTH, curve, heading=f"{low:.0f}-{high:.1f} %")


def _bar_height(accuracy: float) -> float:
    return -math.log(max(1 - accuracy, LEAST_ERROR)) if math.isfinite(accuracy) else math.nan


# The other columns


def as_people_count(text: str) -> list[tuple[int, str]]:
    """Return what texts with numbers in them sort by: `seed 9` comes before `seed 10`."""
    parts = re.split(r"(\d{1,300})", text.casefold())
    return [(int(part) if number % 2 else 0, part) for number, part in enumerate(parts)]


def backend_label(snapshot: RunSnapshot) -> str:
    """Return what the run's framework is called."""
    return BACKENDS[snapshot.backend].label if snapshot.backend in BACKENDS else snapshot.backend


def _status_text(snapshot: RunSnapshot, ascii: bool) -> str:
    """Return the glyph and the word of a run's status, and its place where it stands in line."""
    glyph, ascii_glyph, _ = GLYPHS[snapshot.status]
    place = f" #{snapshot.place.number}" if snapshot.place else ""
    return f"{ascii_glyph if ascii else glyph} {status_word(snapshot)}{place}"


def _created(snapshot: RunSnapshot, ascii: bool) -> str:
    return f"{snapshot.run.created:%m-%d %H:%M}" if snapshot.run.created else "–"


def _epochs(snapshot: RunSnapshot, ascii: bool) -> str:
    return _epochs_text(_epochs_done(snapshot), snapshot.epochs) + snapshot.extended_mark


def _epochs_text(done: float, planned: float) -> str:
    return f"{count(done)}/{count(planned)}"


def _epochs_done(snapshot: RunSnapshot) -> int:
    return len(snapshot.progress.epochs)


def _most(runs: Iterable[RunSnapshot], figure: Callable[[RunSnapshot], float]) -> float:
    return max((figure(run) for run in runs), default=0)


def _test_accuracy(snapshot: RunSnapshot, ascii: bool) -> str:
    accuracy = snapshot.progress.test_accuracy
    return "–" if accuracy is None else percent(accuracy)


def _time(snapshot: RunSnapshot, ascii: bool) -> str:
    return clock(snapshot.progress.seconds) if snapshot.progress.epochs else "–"


def _accuracy(snapshot: RunSnapshot) -> float | None:
    return snapshot.progress.test_accuracy


def _seconds(snapshot: RunSnapshot) -> float | None:
    return snapshot.progress.seconds if snapshot.progress.epochs else None


def _widest(texts: Iterable[str]) -> int:
    return max((cell_len(text) for text in texts), default=0)


FIGURES = {
    "learning_rate", "batch_size", "seed", "limit", "weight_decay", "label_smoothing", "momentum", "validation",
    "threads",
}  # fmt: skip
_STATUSES = ("running", "paused", "waiting", "completed", "stopped", "failed", "crashed")
COLUMNS = {
    column.name: column
    for column in (
        Column("status", 12, _status_text, lambda s: _STATUSES.index(s.status)),
        Column("run", len("run ▼"), lambda s, ascii: s.short_name, lambda s: as_people_count(s.short_name)),
        Column("name", 0, lambda s, ascii: s.name, lambda s: as_people_count(s.name) if s.name else None),
        *(_setting_column(name, setting) for name, setting in SETTINGS.items()),
        Column("epochs", 7, _epochs, _epochs_done, is_figure=True, high_first=True),
        _curve_column((0, 1)),
        Column("test acc", 9, _test_accuracy, _accuracy, is_figure=True, high_first=True),
        Column("time", 7, _time, _seconds, is_figure=True, high_first=True),
        Column(CREATED, 11, _created, lambda s: s.run.created, high_first=True),
        Column("note", 16, lambda s, ascii: s.labels.note, lambda s: s.labels.note.casefold() or None),
        Column("id", 32, lambda s, ascii: s.run.id, lambda s: s.run.id),
    )
}
"""All columns, from left to right."""
