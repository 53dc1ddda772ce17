"""Which runs are listed, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tui.run_columns import COLUMNS, CREATED, Wanted, backend_label
from tui.snapshot import RunSnapshot


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
        column = COLUMNS[self.column]
        if column.is_figure:
            return f"{column.title}, {'highest' if self.is_falling else 'lowest'} first"
        return f"{column.title}, {'Z to A' if self.is_falling else 'A to Z'}"

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


@dataclass(frozen=True)
class Listing:
    """The runs that are listed, in the order of `view`, out of `total`; `wanted` is what they have to show."""

    runs: tuple[RunSnapshot, ...] = ()
    view: View = View()
    total: int = 0
    wanted: Wanted = field(default_factory=Wanted)

    @classmethod
    def of(cls, runs: Sequence[RunSnapshot], view: View) -> Listing:
        """List those of `runs`, the newest first, that `view` wants to see."""
        listed = view.arrange(runs)
        return cls(listed, view, len(runs), Wanted.by(listed))


def _matches(snapshot: RunSnapshot, words: Iterable[str]) -> bool:
    started = snapshot.progress.started
    text = "\n".join(
        (
            snapshot.label,
            snapshot.run.id,
            snapshot.short_name,
            snapshot.backend,
            backend_label(snapshot),
            snapshot.model,
            snapshot.status,
            snapshot.labels.note,
            started.dataset.name if started else "",
        )
    ).casefold()
    return all(word in text for word in words)
