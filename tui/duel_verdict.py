"""The verdict on two sides in sentences, the same wherever two runs are compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from engine.duel import Duel, Side
from engine.overlay import Agreement
from engine.pace import Pace, pace_of
from engine.runs import STATUS_WORDS
from engine.verdict import Contestant, Verdict, judge
from tui.formats import count, duration, percent
from tui.kernels import kernels_phrase

VERDICT_NEEDS_MORE = "There is no verdict before both sides have finished."
OTHER_IMAGES = "They were tested on different images, so their accuracies do not compare."


@dataclass(frozen=True)
class Conclusion:
    """What came of a duel: `caution` says what else differs, `on_accuracy` and `on_time` what can be said of these.

    `verdict` is the one on accuracies, None where there is none.
    """

    caution: tuple[str, ...] = ()
    on_accuracy: tuple[str, ...] = ()
    on_time: tuple[str, ...] = ()
    verdict: Verdict | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it, the most important first."""
        return (*self.caution, *self.on_accuracy, *self.on_time)


def conclude(duel: Duel, agreement: Agreement | None, problem: str = "") -> Conclusion:
    """Say what came of a duel; a difference within chance is called one.

    `agreement` is how far the leads' answers agree, as far as that is known; `problem` says why it is not. Once both
    sides are decided this is slow at first, for it imports SciPy: call it from a background thread.
    """
    if not duel.is_decided:
        return Conclusion(_caution(duel), _so_far(duel))
    verdict, on_accuracy = _on_accuracy(duel, agreement, problem)
    return Conclusion(_caution(duel), (*on_accuracy, *_on_left_out(duel)), _on_time(duel), verdict)


def is_final(duel: Duel, agreement: Agreement) -> bool:
    """Say whether the answers are those that the two runs ended with."""
    last = tuple(lead.progress.epochs[-1].epoch for lead in duel.leads if lead.progress.epochs)
    return agreement.epochs == last and all(lead.status == "completed" for lead in duel.leads)


def _caution(duel: Duel) -> tuple[str, ...]:
    """Say what else than the framework may make the difference."""
    if not duel.differences:
        return ()
    found = ", ".join(duel.differences)
    if duel.has_both_backends:
        return (f"Not matched: besides the framework, this differs, too: {found}.",)
    return (f"They differ in this: {found}.",)


# Before the end


def _so_far(duel: Duel) -> tuple[str, ...]:
    stages = "; ".join(f"{side.name} {_stage(side)}" for side in duel.sides)
    told = f"{stages}. {VERDICT_NEEDS_MORE}"
    accuracies = [side.spread("test_accuracy", duel.epoch) for side in duel.sides] if duel.epoch else []
    if not all(accuracies) or not accuracies:
        return (told,)
    figures = " and ".join(percent(spread.mean) for spread in accuracies if spread)
    return told, f"After epoch {count(duel.epoch or 0)} of both, test accuracy is {figures}."


def _stage(side: Side) -> str:
    """Say where a side is: `is in epoch 2 of 3`."""
    lead, done = side.lead, len(side.lead.progress.epochs)
    planned = lead.progress.planned_epochs or lead.config.epochs
    if len(side.seeds) > 1:
        return f"has finished {len(side.counted)} of {len(side.seeds)} seeds"
    after = f"after {count(done)} of {count(planned)} epochs"
    match lead.status:
        case "completed" | "waiting" as status:
            return STATUS_WORDS[status]
        case "running":
            return f"is in epoch {count(min(done + 1, planned))} of {count(planned)}"
        case status:
            return f"{STATUS_WORDS[status]} {after}"


# At the end


def _on_accuracy(duel: Duel, agreement: Agreement | None, problem: str) -> tuple[Verdict | None, tuple[str, ...]]:
    if not duel.shares_images:
        return None, (OTHER_IMAGES,)
    final = agreement if agreement and is_final(duel, agreement) else None
    why = problem.rstrip(". ") or "the answers of both at their end are not at hand"
    sides = [_contestant(side) for side in duel.sides]
    if None in sides:
        return None, ()
    first, second = (side for side in sides if side)
    found = judge(first, second, final, why[:1].lower() + why[1:], duel.same_recipe)
    return found, found.sentences


def _contestant(side: Side) -> Contestant | None:
    accuracies = side.by_seed("test_accuracy")
    if not accuracies:
        return None
    accuracy = side.example.accuracy
    return None if accuracy is None else Contestant(side.name, accuracy, accuracies, side.alone)


def _on_left_out(duel: Duel) -> tuple[str, ...]:
    """Say which seeds do not count, and why."""
    told = []
    for side in duel.sides:
        for reason, number in Counter(side.left_out.values()).items():
            seeds = "1 seed" if number == 1 else f"{number} seeds"
            told.append(f"{seeds} of {side.name} left out: {reason}.")
    return tuple(told)


def _on_time(duel: Duel) -> tuple[str, ...]:
    """Say which side was faster, by whose kernels, where the times differ by more than those of runs or epochs do."""
    if not duel.shares_device:
        return ("They trained on different devices, so their times do not compare.",)
    pace = pace_of(duel)
    if pace is None:
        return ()
    times = [_time(seconds) for seconds in pace.seconds]
    unit = {"run": "of training", "epoch": "an epoch", "image": "an image"}[pace.unit]
    basis = _basis(pace)
    if not pace.is_difference:
        told = f"Which is faster is open: {' and '.join(times)} {unit} may be chance ({basis})."
    else:
        faster = 0 if pace.seconds[0] < pace.seconds[1] else 1
        took = f"{duel.sides[faster].name} took {pace.ratio:.2g} of the time"
        told = f"{took}: {times[faster]} {unit} against {times[1 - faster]} ({basis})."
    return (told, *_on_lengths(duel, pace), *_on_kernels(duel))


def _basis(pace: Pace) -> str:
    """`3 runs each`, `10 and 2 epochs of one run each`."""
    one, other = pace.sizes
    what = pace.samples if max(pace.sizes) > 1 else pace.samples.removesuffix("s")
    numbers = f"{one} {what} each" if one == other else f"{one} and {other} {what}"
    return numbers if pace.samples == "runs" else f"{numbers}, of one run each"


def _time(seconds: float) -> str:
    """`8.7 s`; an image's time in microseconds: `48 µs`."""
    return f"{1e6 * seconds:.3g} µs" if seconds < 0.01 else duration(seconds)


def _on_lengths(duel: Duel, pace: Pace) -> tuple[str, ...]:
    """Say why whole runs are not compared, where they are not."""
    if pace.unit == "run":
        return ()
    if pace.unit == "epoch":
        epochs = " and ".join(count(len(side.example.progress.epochs)) for side in duel.sides)
        return (f"They trained {epochs} epochs, so the time of an epoch is compared.",)
    starts = [side.example.progress.started for side in duel.sides]
    images = " and ".join(count(at.dataset.train_examples) for at in starts if at)
    return (f"They trained on {images} images, so the time of an image is compared.",)


def _on_kernels(duel: Duel) -> tuple[str, ...]:
    """Say whose kernels took these times: only the frameworks' own layers say something about the frameworks."""
    starts = [lead.progress.started for lead in duel.leads]
    kernels = [at.kernels if at else None for at in starts]
    if None in kernels:
        return ("Whose kernels took these times is not recorded: they say nothing about the frameworks.",)
    first, second = (kernels_phrase(at.kernels, at.backend) for at in starts if at)
    if kernels == ["fused", "fused"]:
        return ("Both trained with mnist-tui's fused kernels: this compares those, not the frameworks.",)
    if not duel.has_both_backends and first == second:
        return (f"Both trained {first}.",)
    told = f"{duel.first.name} trained {first}, {duel.second.name} {second}"
    return (f"{told}." if kernels[0] == kernels[1] else f"{told}: this does not compare the frameworks.",)
