"""What the Mistakes screen shows, worked out on background threads: functions that return a message with findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from engine.answers import Answers, check_dataset, load_answers, no_predictions
from engine.errors import EngineError
from engine.overlay import Overlay
from engine.scores import ClassScores, class_scores
from engine.suspects import Inquest, find_suspects
from tui.datasets import dataset_of
from tui.formats import count
from tui.snapshot import RunSnapshot

if TYPE_CHECKING:
    import numpy as np

    from engine.data import Dataset
    from engine.neighbours import NearestDigits
    from engine.runs import Run


@dataclass
class AnswersFound(Message):
    """What a run answered after `epoch`, for the test images of `dataset`."""

    run_id: str
    epoch: int
    answers: Answers
    dataset: Dataset


@dataclass
class AnswersMissing(Message):
    """Why the answers of a run after `epoch` cannot be shown."""

    run_id: str
    epoch: int
    error: EngineError


@dataclass
class OtherEpochsFound(Message):
    """What a run answered after its other epochs, and after which of these that cannot be read."""

    run_id: str
    answers: dict[int, Answers]
    unreadable: frozenset[int]


@dataclass
class ScoresFound(Message):
    """The scores of every class after `epoch`."""

    run_id: str
    epoch: int
    scores: ClassScores


@dataclass
class OverlayFound(Message):
    """What the run `other_id`, laid over `run_id`, answered after its last epoch."""

    run_id: str
    other_id: str
    answers: Answers


@dataclass
class VerdictFound(Message):
    """Which of the two runs in `overlay` is better, in words."""

    overlay: Overlay
    verdict: str


@dataclass
class SuspectsFound(Message):
    """The labels that all runs doubt."""

    run_id: str
    inquest: Inquest


@dataclass
class NeighboursFound(Message):
    """Of the first `trained_on` training images those nearest to the test image `index`, the nearest first."""

    dataset: Dataset
    trained_on: int
    index: int
    neighbours: tuple[int, ...]


@dataclass
class WorkRefused(Message):
    """Something that was asked for cannot be done, with the reason."""

    error: EngineError


@dataclass
class Exported(Message):
    """A file was written; `text` says what is in it."""

    text: str


def find_answers(snapshot: RunSnapshot, epoch: int) -> Message:
    """Read what the run answered after `epoch`: AnswersFound, or AnswersMissing with the reason."""
    try:
        dataset = dataset_of(snapshot.config, snapshot.progress.started)
        return AnswersFound(snapshot.run.id, epoch, load_answers(snapshot.run, epoch, dataset), dataset)
    except EngineError as error:
        return AnswersMissing(snapshot.run.id, epoch, error)


def find_other_epochs(run: Run, epochs: Iterable[int], dataset: Dataset) -> Message:
    """Read what `run` answered after `epochs`, as far as that can be read."""
    answers, unreadable = {}, set()
    for epoch in epochs:
        try:
            answers[epoch] = load_answers(run, epoch, dataset)
        except EngineError:
            unreadable.add(epoch)
    return OtherEpochsFound(run.id, answers, frozenset(unreadable))


def find_scores(run_id: str, epoch: int, answers: Answers) -> Message:
    """Work out the scores of every class."""
    return ScoresFound(run_id, epoch, class_scores(answers))


def find_overlay(run_id: str, other: RunSnapshot, dataset: Dataset) -> Message:
    """Read what `other` answered after its last epoch: OverlayFound, or WorkRefused with the reason."""
    try:
        check_dataset(other.progress.started, dataset)
        epochs = other.run.predicted_epochs(other.progress)
        if not epochs:
            raise no_predictions(other.run, epochs)
        return OverlayFound(run_id, other.run.id, load_answers(other.run, epochs[-1], dataset))
    except EngineError as error:
        return WorkRefused(error)


def find_verdict(overlay: Overlay) -> Message:
    """Test whether the two runs differ."""
    return VerdictFound(overlay, overlay.verdict("this run", "the other run"))


def find_doubtful_labels(run_id: str, runs: Iterable[Run], dataset: Dataset) -> Message:
    """Ask all `runs` which labels they doubt."""
    return SuspectsFound(run_id, find_suspects(runs, dataset))


class NeighbourSearch:
    """Finds nearest training digits; for one thread. What a run has trained on is taken in once."""

    def __init__(self) -> None:
        self._seen: tuple[Dataset, int] | None = None
        self._nearest: NearestDigits | None = None

    def find(self, dataset: Dataset, trained_on: int, index: int, number: int) -> Message:
        """Return NeighboursFound with the `number` of the first `trained_on` training images nearest to a test image.

        `index` is that image's.
        """
        if self._nearest is None or self._seen is None or self._seen[0] is not dataset or self._seen[1] != trained_on:
            from engine.neighbours import NearestDigits

            self._seen, self._nearest = (dataset, trained_on), NearestDigits(dataset.train_images[:trained_on])
        neighbours = self._nearest.find(dataset.test_images[index], number)
        return NeighboursFound(dataset, trained_on, index, neighbours)


def exporting(
    path: Path, dataset: Dataset, answers: Answers, indices: np.ndarray, second: Answers | None
) -> Callable[[], Message]:
    """Return the work that writes `path`: a contact sheet where it ends in .png, else CSV."""

    def export() -> Message:
        from engine.export import save_contact_sheet, save_csv

        try:
            if path.suffix.lower() == ".png":
                drawn = save_contact_sheet(path, dataset.test_images, answers, indices)
                return Exported(f"{count(drawn)} digits drawn in {path}")
            save_csv(path, answers, indices, second)
            return Exported(f"{count(len(indices))} rows in {path}")
        except EngineError as error:
            return WorkRefused(error)

    return export
