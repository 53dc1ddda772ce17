"""The curves of a run: training and test figures over the epochs, and within the first epoch over its steps."""

from __future__ import annotations

from collections.abc import Sequence

from engine.events import Step
from tui.family import SHORT_NAMES, Family
from tui.snapshot import RunSnapshot
from tui.widgets.chart import COLORS, LineStyle, Series

TRAIN = LineStyle(color=0)
TEST = LineStyle(color=1, dotted=True)
VALID = LineStyle(color=2, dotted=True)


def loss_curves(family: Family) -> tuple[Series, ...]:
    """Return the training and test loss, and where there is one the validation loss; of both backends in a pair."""
    return _family_curves(family, "loss")


def accuracy_curves(family: Family) -> tuple[Series, ...]:
    """Return the same curves of the accuracy."""
    return _family_curves(family, "accuracy")


def compared_curves(snapshots: Sequence[RunSnapshot], names: Sequence[str], figure: str) -> tuple[Series, ...]:
    """Return the test figures of several runs, each under its name, in a colour and with a mark of its own."""
    series = []
    for number, (snapshot, name) in enumerate(zip(snapshots, names, strict=True)):
        points = [(float(epoch.epoch), getattr(epoch, f"test_{figure}")) for epoch in snapshot.progress.epochs]
        if points:
            series.append(Series(name, [x for x, _ in points], [y for _, y in points], compared_style(number)))
    return tuple(series)


def compared_style(number: int) -> LineStyle:
    """Return how the curve of the run at that place looks; those after the sixth are dotted."""
    return LineStyle(number % COLORS, dotted=number >= COLORS)


def _family_curves(family: Family, figure: str) -> tuple[Series, ...]:
    """Return the curves of the run on display.

    In a pair, one colour is one backend, validation is left out, and the run on display lies above the other.
    """
    if not family.pair:
        return _curves(family.display, figure, {"train": TRAIN, "valid": VALID, "test": TEST})
    curves: tuple[Series, ...] = ()
    colored = sorted(enumerate(family.pair.items()), key=lambda item: item[1][1] is family.display)
    for color, (backend, one) in colored:
        styles = {"train": LineStyle(color), "test": LineStyle(color, dotted=True)}
        curves += _curves(one, figure, styles, f"{SHORT_NAMES[backend]} ")
    return curves


def _curves(snapshot: RunSnapshot, figure: str, styles: dict[str, LineStyle], prefix: str = "") -> tuple[Series, ...]:
    points = {
        "train": _training_points(snapshot, figure),
        "valid": _validation_points(snapshot, figure),
        "test": [(float(epoch.epoch), getattr(epoch, f"test_{figure}")) for epoch in snapshot.progress.epochs],
    }
    return tuple(
        Series(prefix + name, [x for x, _ in points[name]], [y for _, y in points[name]], style)
        for name, style in styles.items()
        if points[name]
    )


def _training_points(snapshot: RunSnapshot, figure: str) -> list[tuple[float, float]]:
    """Return the training figures; until there are two epochs to connect, the running mean over the first's steps."""
    epochs = snapshot.progress.epochs
    points = [(float(epoch.epoch), getattr(epoch, f"train_{figure}")) for epoch in epochs]
    if len(epochs) < 2:
        points += [(_position(step), getattr(step, figure)) for step in snapshot.first_epoch]
    if epochs and (step := snapshot.epoch_step):
        points.append((_position(step), getattr(step, figure)))
    return sorted(points)


def _validation_points(snapshot: RunSnapshot, figure: str) -> list[tuple[float, float]]:
    figures = ((float(epoch.epoch), getattr(epoch, f"validation_{figure}")) for epoch in snapshot.progress.epochs)
    return [(x, y) for x, y in figures if y is not None]


def _position(step: Step) -> float:
    """Return where a step lies on the epochs' axis: the end of epoch 1 is 1."""
    return step.epoch - 1 + step.step / max(step.steps, 1)
