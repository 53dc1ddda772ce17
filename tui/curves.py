"""The curves of a run: training and test figures over the epochs, and within the first epoch over its steps."""

from __future__ import annotations

from engine.events import Step
from tui.snapshot import RunSnapshot
from tui.widgets.chart import LineStyle, Series

TRAIN = LineStyle(color=0)
TEST = LineStyle(color=1, dotted=True)


def loss_curves(snapshot: RunSnapshot) -> tuple[Series, ...]:
    """Return the training and test loss."""
    return _curves(snapshot, "loss")


def accuracy_curves(snapshot: RunSnapshot) -> tuple[Series, ...]:
    """Return the training and test accuracy."""
    return _curves(snapshot, "accuracy")


def _curves(snapshot: RunSnapshot, figure: str) -> tuple[Series, ...]:
    """Return the curves of `figure`.

    Until there are two epochs to connect, the training curve is the running mean over the steps of the first.
    """
    epochs = snapshot.progress.epochs
    if len(epochs) < 2 and snapshot.first_epoch:
        train = [(_position(step), getattr(step, figure)) for step in snapshot.first_epoch]
        train += [(float(epoch.epoch), getattr(epoch, f"train_{figure}")) for epoch in epochs]
    else:
        train = [(float(epoch.epoch), getattr(epoch, f"train_{figure}")) for epoch in epochs]
    if epochs and (step := snapshot.epoch_step):
        train.append((_position(step), getattr(step, figure)))
    test = [(float(epoch.epoch), getattr(epoch, f"test_{figure}")) for epoch in epochs]
    return tuple(
        Series(name, [x for x, _ in points], [y for _, y in points], style)
        for name, points, style in (("train", sorted(train), TRAIN), ("test", test, TEST))
        if points
    )


def _position(step: Step) -> float:
    """Return where a step lies on the epochs' axis: the end of epoch 1 is 1."""
    return step.epoch - 1 + step.step / max(step.steps, 1)
