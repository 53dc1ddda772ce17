"""The curves of a run: test figures over the epochs, training figures and the learning rate over the steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.step_history import position, smoothed
from tui.family import SHORT_NAMES, Family
from tui.snapshot import RunSnapshot
from tui.widgets.chart import COLORS, LineStyle, Mark, Series

TRAIN = LineStyle(color=0)
TEST = LineStyle(color=1, dashed=True)
VALID = LineStyle(color=2, dashed=True)
RATE = LineStyle(color=2)
SHORTEST_SPAN = 0.08
"""Epochs that a training curve is averaged over at least."""


def loss_curves(family: Family) -> tuple[Series, ...]:
    """Return the training and test loss, and where there is one the validation loss; of both backends in a pair."""
    return _family_curves(family, "loss")


def accuracy_curves(family: Family) -> tuple[Series, ...]:
    """Return the same curves of the accuracy."""
    return _family_curves(family, "accuracy")


def loss_note(family: Family) -> str:
    """Say what makes a training loss higher than a test loss of the same network: `train: smoothed, augmented`."""
    config = family.display.config
    if config is None:
        return ""
    match config.label_smoothing > 0, config.augmentation != "none":
        case True, True:
            return "train: smoothed, augmented"
        case True, False:
            return "train: smoothed labels"
        case False, True:
            return "train: augmented"
    return ""


def compared_curves(snapshots: Sequence[RunSnapshot], names: Sequence[str], figure: str) -> tuple[Series, ...]:
    """Return the test figures of several runs, each under its name, in a colour and with a mark of its own."""
    series = []
    for number, (snapshot, name) in enumerate(zip(snapshots, names, strict=True)):
        points = [(float(epoch.epoch), getattr(epoch, f"test_{figure}")) for epoch in snapshot.progress.epochs]
        if points:
            series.append(_series(name, points, figure, compared_style(number)))
    return tuple(series)


def compared_style(number: int) -> LineStyle:
    """Return how the curve of the run at that place looks; those after the sixth are dashed."""
    return LineStyle(number % COLORS, dashed=number >= COLORS)


def _family_curves(family: Family, figure: str) -> tuple[Series, ...]:
    """Return the curves of the run on display.

    In a pair, one colour is one backend, validation is left out, and the run on display lies above the other.
    """
    if not family.pair:
        return _curves(family.display, figure, {"train": TRAIN, "valid": VALID, "test": TEST})
    curves: tuple[Series, ...] = ()
    colored = sorted(enumerate(family.pair.items()), key=lambda item: item[1][1] is family.display)
    for color, (backend, one) in colored:
        styles = {"train": LineStyle(color), "test": LineStyle(color, dashed=True)}
        curves += _curves(one, figure, styles, SHORT_NAMES[backend])
    return curves


def _curves(snapshot: RunSnapshot, figure: str, styles: dict[str, LineStyle], run: str = "") -> tuple[Series, ...]:
    epochs = snapshot.progress.epochs
    held_out = ((epoch.epoch, getattr(epoch, f"validation_{figure}")) for epoch in epochs)
    points = {
        "train": _training_points(snapshot, figure),
        "valid": [(float(epoch), value) for epoch, value in held_out if value is not None],
        "test": [(float(epoch.epoch), getattr(epoch, f"test_{figure}")) for epoch in epochs],
    }
    stated = {"train": _epoch_figure(snapshot, figure)}
    return tuple(
        _series(name, points[name], figure, style, run, stated.get(name))
        for name, style in styles.items()
        if points[name]
    )


def _epoch_figure(snapshot: RunSnapshot, figure: str) -> float | None:
    """Return the training figure of the newest epoch, as the table has it; None while the next one is on its way."""
    epochs = snapshot.progress.epochs
    if not epochs or (snapshot.live and snapshot.reached > epochs[-1].epoch):
        return None
    value: float = getattr(epochs[-1], f"train_{figure}")
    return value if math.isfinite(value) else None


def _series(
    name: str,
    points: Sequence[tuple[float, float]],
    figure: str,
    style: LineStyle,
    run: str = "",
    stated: float | None = None,
) -> Series:
    """Return a curve; accuracies are in per cent."""
    unit = 100 if figure == "accuracy" else 1
    told = None if stated is None else stated * unit
    return Series(name, [x for x, _ in points], [y * unit for _, y in points], style, run, stated=told)


def _training_points(snapshot: RunSnapshot, figure: str) -> list[tuple[float, float]]:
    """Return the moving average of a training figure, from step to step as far as they are known."""
    found = snapshot.intervals
    values = [getattr(interval, figure) for interval in found]
    averages = smoothed(values, [interval.end - interval.start for interval in found], smoothing_span(snapshot))
    return [(interval.end, average) for interval, average in zip(found, averages, strict=True)]


def marks_of(family: Family) -> tuple[Mark, ...]:
    """Return where the run on display, or its partner, was changed on the way."""
    shown = family.pair.values() or [family.display]
    return tuple({Mark(mark.x, mark.text): None for one in shown for mark in one.change_marks})


def rate_curves(family: Family) -> tuple[Series, ...]:
    """Return the learning rate of the run on display, and of its partner where it is another one."""
    curves: list[Series] = []
    for color, (backend, one) in enumerate(family.pair.items() or [("", family.display)]):
        points = [(position(step), step.learning_rate) for step in one.trained_steps]
        points += [(float(epoch.epoch), epoch.learning_rate) for epoch in one.progress.epochs if not one.steps]
        style = LineStyle(color, dashed=bool(curves)) if backend else RATE
        if points:
            xs, ys = [x for x, _ in points], [y for _, y in points]
            curves.append(Series("now", xs, ys, style, SHORT_NAMES.get(backend, ""), has_marks=False))
    return tuple(curves)


def smoothing_span(snapshot: RunSnapshot) -> float:
    """Return over how many epochs the training curves of a run are averaged: over 3 % of what the axis shows."""
    return max(SHORTEST_SPAN, _axis_end(snapshot.reached, snapshot.epochs) / 30)


def axis_end(family: Family) -> float:
    """Return how many epochs the x axis shows: 1, 2, 5, 10, 20, 50 … until all that are planned are in sight.

    A live curve so grows to the right in a picture that stands still, and is not squeezed into its left edge either.
    """
    shown = family.pair.values() or [family.display]
    return _axis_end(max(one.reached for one in shown), max(one.epochs for one in shown))


def _axis_end(reached: float, planned: int) -> float:
    ends = (digit * 10.0**decade for decade in range(7) for digit in (1, 2, 5))
    return min(next((end for end in ends if end >= reached), reached), max(planned, math.ceil(reached)))
