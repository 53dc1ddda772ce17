"""Changes on the way: what was no longer as the run began, once part of it was trained."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from engine import events
from engine.events import AnyEvent, ExtensionSchedule


class RateChange(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="learning_rate"):
    """The user set another base learning rate, from `step` (from 1) of `epoch` on.

    `before` is None in logs of earlier versions, where it is the setting's value.
    """

    epoch: int
    step: int
    before: float | None
    after: float


class BackendChange(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="backend"):
    """Another framework trained from `step` (from 1) of `epoch` on."""

    epoch: int
    step: int
    before: str
    after: str


class Extension(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="epochs"):
    """After `epoch` complete epochs, the run was given `after` epochs in all instead of `before`.

    `schedule` says what the learning rate does beyond the epochs that were planned before; None in logs of earlier
    versions, which spread the schedule over all epochs anew.
    """

    epoch: int
    before: int
    after: int
    schedule: ExtensionSchedule | None


Change = RateChange | BackendChange | Extension


def rate_change(applied: events.CommandApplied) -> RateChange:
    """Return the change that a worker tells of when it has set another learning rate."""
    return RateChange(
        epoch=applied.epoch or 1,
        step=applied.step or 1,
        before=applied.learning_rate_before,
        after=applied.learning_rate or 0.0,
    )


class ChangeLog:
    """Collects the changes while a run's events are replayed.

    A resume from an older checkpoint undoes the changes that came after it: `RunStarted` says from where it goes on.
    An extension stays: the run still trains that far.
    """

    def __init__(self) -> None:
        self.planned_epochs: int | None = None
        self._begun_with: str | None = None
        self._changes: list[Change] = []

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes that still count, in the order in which they were made."""
        return tuple(self._changes)

    def note(self, event: AnyEvent, epochs_done: int) -> None:
        """Take notice of one event; `epochs_done` epochs are complete by then."""
        match event:
            case events.RunStarted():
                self._start(event)
            case events.CommandApplied(command="set_learning_rate"):
                change = rate_change(event)
                self._set_rate(change if change.before is not None else replace(change, before=self._rate))
            case events.RunExtended():
                self._extend(epochs_done, event.epochs_before, event.epochs, event.schedule)
            case _:
                pass

    @property
    def _rate(self) -> float | None:
        """The base learning rate that was set last; None before the first change."""
        return next((one.after for one in reversed(self._changes) if isinstance(one, RateChange)), None)

    @property
    def _backend(self) -> str | None:
        return next((one.after for one in reversed(self._changes) if isinstance(one, BackendChange)), self._begun_with)

    def _start(self, started: events.RunStarted) -> None:
        epoch, step = started.resumed_from or 0, started.resumed_step
        self._undo(epoch, step, started.learning_rate)
        if self._backend is None or (epoch, step or 0) == (0, 0):
            self._begun_with = started.backend
        elif started.backend != self._backend:
            self._changes.append(
                BackendChange(epoch=epoch + 1, step=(step or 0) + 1, before=self._backend, after=started.backend)
            )
        if self.planned_epochs not in (None, started.epochs):  # as earlier versions did it, without telling
            self._extend(epoch, self.planned_epochs or 0, started.epochs, None)
        self.planned_epochs = started.epochs

    def _undo(self, epoch: int, step: int | None, rate: float | None) -> None:
        """Drop what was changed after `step` steps of the epoch after `epoch`, where the run now goes on with `rate`.

        Earlier versions did not log the step: there a change in that epoch counts, since its checkpoint was written
        with it.
        """
        reached = (epoch, float("inf") if step is None else step)
        kept: list[Change] = []
        for change in self._changes:
            match change:
                case RateChange() if (change.epoch - 1, change.step - 1) == reached and rate is not None:
                    # Two checkpoints can be at the same step: one from before the change, one from after it.
                    kept += [replace(change, after=rate)] if rate != change.before else []
                case RateChange() if (change.epoch - 1, change.step - 1) <= reached:
                    kept.append(change)
                case BackendChange() if (change.epoch - 1, change.step - 1) < (epoch, step or 0):
                    kept.append(change)  # one at the same step has trained nothing yet
                case Extension():
                    kept.append(change)
                case _:
                    pass
        self._changes = kept

    def _set_rate(self, change: RateChange) -> None:
        """Add a change; two at the same step are one, and none where the rate is as it was."""
        last = self._changes[-1] if self._changes else None
        if isinstance(last, RateChange) and (last.epoch, last.step) == (change.epoch, change.step):
            self._changes.pop()
            change = replace(change, before=last.before)
        if change.before != change.after:
            self._changes.append(change)

    def _extend(self, epochs_done: int, before: int, after: int, schedule: ExtensionSchedule | None) -> None:
        self.planned_epochs = after
        self._changes.append(Extension(epoch=epochs_done, before=before, after=after, schedule=schedule))
