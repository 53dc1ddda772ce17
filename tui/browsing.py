"""What of a run's answers is looked at: after which epoch, which of them, in which order; and how that reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from engine.answers import Answers
from engine.classes import DIGITS, class_names_of
from engine.history import History
from engine.overlay import Overlay
from engine.scores import ClassScores
from engine.selection import EVERYTHING, ORDERS, Cell, Order, in_order, select
from tui.cells import beside
from tui.terminal import clean
from tui.widgets.digit_detail import Portrait
from tui.widgets.gallery import CAPTION_CELLS, Tile

if TYPE_CHECKING:
    import numpy as np

    from engine.data import Dataset
    from engine.suspects import Inquest

ORDER_WORDS: dict[Order, str] = {
    "loss": "highest loss first",
    "confidence": "most sure first",
    "index": "by image",
    "spread": "one of each pair in turns",
}


@dataclass(frozen=True)
class Group:
    """A kind of images: its name, also for narrow screens, what it means, and which they are (None: not known yet)."""

    name: str
    short: str
    meaning: str
    indices: np.ndarray | None


SHORT_NAME = 4
"""Cells of class names of which two and a percentage fit below a small picture."""
Name = TypeVar("Name", bound=str)
WRONG = "wrong"
DOUBTED = "doubtful labels"


@dataclass
class Browsing:
    """One run being looked at. `answers`: by epoch, as far as they are read; `epoch` is one of them."""

    run_id: str
    dataset: Dataset
    epoch: int
    answers: dict[int, Answers] = field(default_factory=dict)
    unreadable: frozenset[int] = frozenset()
    history: History | None = None
    scores: dict[int, ClassScores] = field(default_factory=dict)
    group: str = WRONG
    cell: Cell = EVERYTHING
    order: Order = ORDERS[0]
    overlay: Overlay | None = None
    inquest: Inquest | None = None

    @property
    def now(self) -> Answers:
        """The answers after the epoch that is looked at."""
        return self.answers[self.epoch]

    def take(self, answers: dict[int, Answers]) -> None:
        """Add the answers after some epochs."""
        self.answers = dict(sorted((self.answers | answers).items()))
        self.history = None

    def go_to(self, epoch: int) -> None:
        """Look at another epoch, whose answers are known."""
        self.epoch = epoch
        if self.overlay:
            self.overlay = Overlay(self.now, self.overlay.second)

    def missing(self, epochs: Sequence[int]) -> list[int]:
        """Return those of `epochs` whose answers are still to be read."""
        return [epoch for epoch in epochs if epoch not in self.answers and epoch not in self.unreadable]

    def keep(self, epochs: Sequence[int]) -> None:
        """Forget all but `epochs`, and the one on display: a resumed run does its last epochs again."""
        kept = {*epochs, self.epoch}
        self.answers = {epoch: answers for epoch, answers in self.answers.items() if epoch in kept}
        self.scores = {epoch: scores for epoch, scores in self.scores.items() if epoch in kept}
        self.history = None

    def complete(self, epochs: Sequence[int]) -> None:
        """Look back over `epochs`, once all that can be read of them is."""
        if self.history is None and not self.missing(epochs):
            self.history = History({epoch: self.answers[epoch] for epoch in epochs if epoch in self.answers})

    # What to look at

    @property
    def groups(self) -> list[Group]:
        """The kinds of images that there are to look at: of this run, then of two runs laid over each other."""
        groups = [Group(WRONG, WRONG, "every test image that is wrong after this epoch", self.now.mistakes)]
        if (history := self.history) and self.epoch in history.answers:
            learnt, forgotten = history.newly_right(self.epoch), history.newly_wrong(self.epoch)
            groups += [
                Group("just learnt", "learnt", "wrong after the epoch before, right after this one", learnt),
                Group("just forgotten", "forgot", "right after the epoch before, wrong after this one", forgotten),
                Group("never right", "never", "wrong after every epoch: the hardest images", history.always_wrong),
                Group(
                    DOUBTED,
                    "labels?",
                    "all runs are 90 % sure of another class: maybe an error in the label",
                    self._doubted,
                ),
            ]
        return groups

    @property
    def overlay_groups(self) -> list[Group]:
        """Where two runs laid over each other are wrong."""
        if not (overlay := self.overlay):
            return []
        return [
            Group("wrong in both", "both", "wrong in both runs", overlay.both_wrong),
            Group("only here", "only here", "wrong here, right in the other run", overlay.only_first_wrong),
            Group("only there", "only there", "right here, wrong in the other run", overlay.only_second_wrong),
        ]

    @property
    def chosen_group(self) -> Group:
        """The kind that is looked at."""
        groups = [*self.groups, *self.overlay_groups]
        return next((group for group in groups if group.name == self.group), groups[0])

    @property
    def _doubted(self) -> np.ndarray | None:
        import numpy as np

        if self.inquest is None:
            return None
        return np.array([suspect.index for suspect in self.inquest.suspects], np.int64)

    def indices(self) -> np.ndarray:
        """Return the images to look at, in their order: int64."""
        import numpy as np

        group = self.chosen_group
        if group.name == WRONG:
            return in_order(self.now, select(self.now, self.cell), self.order)
        among = np.array([], np.int64) if group.indices is None else group.indices
        return in_order(self.now, select(self.now, self.cell, among), self.order)

    # How it reads

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes' names, in the order of their labels, as they can be shown."""
        return tuple(clean(name) for name in class_names_of(self.dataset.info))

    @property
    def chosen_part(self) -> str:
        """The part of the matrix that is chosen, in words; nothing for all of it."""
        return cell_words(self.cell, self.class_names)

    def title(self) -> str:
        """Say what is looked at: `wrong · 4 taken for 9 · highest loss first`."""
        name = "right" if self.chosen_group.name == WRONG and self.cell.holds_right_answers else self.chosen_group.name
        return " · ".join(part for part in (name, self.chosen_part, ORDER_WORDS[self.order]) if part)

    def emptiness(self) -> str:
        """Say why there is nothing to look at."""
        group = self.chosen_group
        if group.indices is None:
            return "Asking all runs …"
        if self.cell != EVERYTHING:
            return f"None of these: {self.chosen_part}. Esc shows all."
        if group.name == WRONG:
            return "Not a single mistake on the test set."
        return "No label is doubted by every run." if group.name == DOUBTED else f"No image is {group.name}."

    def tile_maker(self, ascii: bool) -> Callable[[int], Tile]:
        """Return what makes an image's tile: `true→predicted confidence`, and the other run's answer below."""
        now, images, names = self.now, self.dataset.test_images, self.class_names
        arrow = ">" if ascii else "→"
        second = self.overlay.second if self.overlay else None

        def tile(index: int) -> Tile:
            label, answer = names[now.labels[index]], f"{arrow}{names[now.predicted[index]]}"
            captions = [label, answer] if self.has_long_names else [label + answer]
            captions[-1] = beside(captions[-1], _sure(now, index), CAPTION_CELLS, ascii)
            if second:
                said = f"{'' if self.has_long_names else ' '}{arrow}{names[second.predicted[index]]}"
                captions.append(beside(said, _sure(second, index), CAPTION_CELLS, ascii))
            return Tile(images[index], tuple(captions), right=not now.wrong[index])

        return tile

    @property
    def has_long_names(self) -> bool:
        """Whether a label and an answer need a line each below a small picture."""
        return max(map(len, self.class_names)) > SHORT_NAME

    @property
    def caption_lines(self) -> int:
        """How many lines there are below a picture."""
        return 1 + self.has_long_names + bool(self.overlay)

    def training_tile_maker(self, ascii: bool) -> Callable[[int], Tile]:
        """Return what makes a training image's tile: its label and its index."""
        dataset, names = self.dataset, self.class_names

        def tile(index: int) -> Tile:
            caption = beside(names[dataset.train_labels[index]], f"· {index:,}", CAPTION_CELLS, ascii)
            return Tile(dataset.train_images[index], (caption,))

        return tile

    def portrait(self, index: int) -> Portrait:
        """Return what is known of the test image `index`."""
        now, second = self.now, self.overlay.second if self.overlay else None
        return Portrait(
            index=index,
            image=self.dataset.test_images[index],
            label=int(now.labels[index]),
            probabilities=tuple(float(probability) for probability in now.probabilities[index]),
            loss=float(now.loss[index]),
            epoch=self.epoch,
            moments=self.history.of_image(index) if self.history else (),
            second=(int(second.predicted[index]), float(second.confidence[index])) if second else None,
        )


def cell_words(cell: Cell, class_names: Sequence[str]) -> str:
    """Say which part of the matrix is chosen; nothing for all of it."""
    if cell.diagonal:
        return "the diagonal"
    true = "" if cell.true is None else class_names[cell.true]
    predicted = "" if cell.predicted is None else class_names[cell.predicted]
    if true and predicted:
        return f"{true}, which is right" if cell.true == cell.predicted else f"{true} taken for {predicted}"
    kind = "digit" if tuple(class_names) == DIGITS else "true"
    return f"{kind} {true}" if true else f"taken for {predicted}" if predicted else ""


def next_of(names: Sequence[Name], name: Name, step: int) -> Name:
    """Return the name that is `step` further on, around the end; the first where `name` is none of them."""
    return names[(names.index(name) + step) % len(names)] if name in names else names[0]


def diagonal_of(cell: Cell) -> Cell:
    """Return the diagonal, or everything where the diagonal is chosen already."""
    return EVERYTHING if cell.diagonal else replace(EVERYTHING, diagonal=True)


def _sure(answers: Answers, index: int) -> str:
    return f"{100 * answers.confidence[index]:.0f}%"
