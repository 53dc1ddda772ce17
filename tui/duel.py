"""Two sides of a duel in words: their figures row by row, how far they agree, and a verdict that claims no more."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from engine.backends import BACKENDS
from engine.comparison import Spread, recipe_of
from engine.comparison import verdict as compare_accuracies
from engine.duel import OTHER_IMAGES, Agreement, Duel, Entry, Side
from engine.errors import DataError
from engine.overlay import SIGNIFICANT, Overlay, p_text
from engine.runs import STATUS_WORDS
from tui.family import Family
from tui.formats import count, duration, percent
from tui.snapshot import RunSnapshot

Row = tuple[str, str, str]
"""A label, and what stands beside it for the first side and the second."""
UNKNOWN = "–"
SEEDS_ENOUGH = 5
"""From so many on, a difference of two standard errors is one that chance makes in 5 % of cases."""
NEAR = 20
"""How many runs before and after one its other half is looked for among: the two are launched one after the other."""
VERDICT_NEEDS_MORE = "There is no verdict before both sides have finished."


def duel_of(family: Family) -> Duel | None:
    """Return the duel of the pair on display, each with the other seeds of its backend; None where there is no pair."""
    pair = tuple(family.pair.values())
    if len(pair) != 2:
        return None
    return duel_between(*pair, family.members)


def has_rival(chosen: RunSnapshot, runs: Sequence[RunSnapshot]) -> bool:
    """Say whether one of `runs`, the store's in their order, is a pair with `chosen`: all that is needed for a duel."""
    from engine.families import family_of, partner_of

    place = next((number for number, one in enumerate(runs) if one.run.id == chosen.run.id), 0)
    near = {one.run.id: one.config for one in runs[max(0, place - NEAR) : place + NEAR + 1] if one.config}
    family = {run_id: near[run_id] for run_id in family_of(chosen.run.id, near) if run_id in near}
    return partner_of(chosen.run.id, family) is not None


def duel_between(first: RunSnapshot, second: RunSnapshot, kin: Sequence[RunSnapshot]) -> Duel | None:
    """Return the duel of two runs, each with those of `kin` that repeat it over other seeds.

    None where settings are damaged. Two runs that repeat one another compete by themselves.
    """
    if first.config is None or second.config is None:
        return None
    recipe, other_recipe = recipe_of(first.config), recipe_of(second.config)
    if recipe == other_recipe:
        kin = ()
    repeats = [(recipe_of(one.config), one) for one in kin if one.config]
    has_both_backends = first.config.backend != second.config.backend
    names = [_name(one, has_both_backends) for one in (first, second)]
    return Duel(
        _side(names[0], first, [one for its_recipe, one in repeats if its_recipe == recipe]),
        _side(names[1], second, [one for its_recipe, one in repeats if its_recipe == other_recipe]),
    )


def _name(snapshot: RunSnapshot, has_both_backends: bool) -> str:
    assert snapshot.config
    return BACKENDS[snapshot.config.backend].label if has_both_backends else snapshot.label


def _side(name: str, lead: RunSnapshot, repeats: Sequence[RunSnapshot]) -> Side:
    own = _entry(lead)
    entries = [own, *(_entry(one) for one in repeats if one.run.id != lead.run.id)]
    return Side(name, own, tuple(sorted(entries, key=lambda entry: entry.config.seed)))


def _entry(snapshot: RunSnapshot) -> Entry:
    assert snapshot.config
    epochs = snapshot.progress.epochs
    mistakes = dict(snapshot.mistakes).get(epochs[-1].epoch) if epochs else None
    return Entry(snapshot.run.id, snapshot.config, snapshot.status, snapshot.progress, mistakes)


def agreed_epochs(first: RunSnapshot, second: RunSnapshot) -> tuple[int, int] | None:
    """Return after which epochs the answers of two runs compare: the last ones, or of unfinished runs the last common.

    None where there are no such predictions yet.
    """
    one, other = (dict(snapshot.mistakes) for snapshot in (first, second))
    if one and other and {first.status, second.status} == {"completed"}:
        return max(one), max(other)
    common = one.keys() & other.keys()
    return (max(common), max(common)) if common else None


def find_agreement(first: RunSnapshot, second: RunSnapshot, epochs: tuple[int, int]) -> Agreement:
    """Read how two runs answered after `epochs`; for background threads only.

    Raises EngineError where that cannot be told: they were tested on different images, or their predictions are gone.
    """
    from engine.answers import load_answers
    from tui.datasets import dataset_of

    fingerprints = [at.dataset.fingerprint for one in (first, second) if (at := one.progress.started)]
    if len(set(fingerprints)) > 1:
        raise DataError("Other images", "The two were tested on different images.", "Train both on the same dataset.")
    dataset = dataset_of(first.config, first.progress.started)
    answers = [load_answers(one.run, epoch, dataset) for one, epoch in zip((first, second), epochs, strict=True)]
    return Agreement.of(Overlay(*answers), epochs)


# Row by row


def rows(duel: Duel) -> list[Row]:
    """Return what each side is, and its figures; of several seeds their mean and standard deviation."""
    facts = [
        ("status", *map(_status, duel.sides)),
        ("version", *map(_version, duel.sides)),
    ]
    if max(len(side.entries) for side in duel.sides) > 1:
        facts.append(("seeds done", *(f"{len(side.completed)} of {len(side.entries)}" for side in duel.sides)))
    figures = [(label, *(_figure(side, key, write) for side in duel.sides)) for key, (label, write) in WRITTEN.items()]
    return [*facts, *figures]  # type: ignore[list-item]  # mypy does not count what a star unpacks


def _figure(side: Side, key: str, write: Callable[[Spread], str]) -> str:
    spread = side.spread(key)
    return write(spread) if spread else UNKNOWN


def _version(side: Side) -> str:
    started = side.lead.progress.started
    return f"{started.framework_version} on {started.device}" if started else UNKNOWN


def _status(side: Side) -> str:
    """`completed`, `stopped · 2/3 epochs`, `epoch 2/3 · 45 %`."""
    lead = side.lead
    progress, epochs = lead.progress, lead.config.epochs
    if lead.status in ("waiting", "completed"):
        return lead.status
    done = len(progress.epochs)
    step = progress.last_step
    if step is None or lead.status not in ("running", "paused") or step.epoch <= done:
        return f"{lead.status} · {count(done)}/{count(epochs)} epochs"
    paused = "paused · " if lead.status == "paused" else ""
    return f"{paused}epoch {count(step.epoch)}/{count(epochs)} · {percent(step.step / max(step.steps, 1), 0)}"


def _percent(spread: Spread) -> str:
    if len(spread.values) == 1:
        return percent(spread.mean)
    return f"{100 * spread.mean:.2f} ± {100 * spread.deviation:.2f} %"


def _loss(spread: Spread) -> str:
    return f"{spread.mean:.4f}" + (f" ± {spread.deviation:.4f}" if len(spread.values) > 1 else "")


def _count(spread: Spread) -> str:
    return count(spread.mean) + (f" ± {count(spread.deviation)}" if len(spread.values) > 1 else "")


def _duration(spread: Spread) -> str:
    return duration(spread.mean) + (f" ± {spread.deviation:.1f} s" if len(spread.values) > 1 else "")


def _megabytes(spread: Spread) -> str:
    return f"{spread.mean / 1e6:,.0f}" + (f" ± {spread.deviation / 1e6:,.0f}" if len(spread.values) > 1 else "") + " MB"


WRITTEN: dict[str, tuple[str, Callable[[Spread], str]]] = {
    "test_accuracy": ("test accuracy", _percent),
    "best_test_accuracy": ("best epoch", _percent),
    "test_loss": ("test loss", _loss),
    "mistakes": ("mistakes", _count),
    "seconds": ("training time", _duration),
    "images_per_second": ("images/s", _count),
    "peak_memory_bytes": ("peak memory", _megabytes),
}
"""How each figure of engine.duel.FIGURES is called and written."""


def agreement_rows(duel: Duel, agreement: Agreement) -> list[Row]:
    """Return how many images the two answered in which way, and their share."""
    found = {
        "both answer alike": agreement.alike,
        "both right": agreement.both_right,
        "both wrong": agreement.both_wrong,
        f"only {duel.first.name} wrong": agreement.only_first_wrong,
        f"only {duel.second.name} wrong": agreement.only_second_wrong,
    }
    table = [(label, count(number), percent(number / max(agreement.tested, 1))) for label, number in found.items()]
    return [*table, ("McNemar's p", p_text(agreement.p_value).removeprefix("= "), "")]


# The verdict


def verdict(duel: Duel, agreement: Agreement | None) -> list[str]:
    """Say in sentences what came of it, the most important first; a difference within chance is called one."""
    if any(map(_is_pending, duel.sides)):
        stages = "; ".join(f"{side.name} {_stage(side)}" for side in duel.sides)
        return [*_caution(duel), f"{stages}. {VERDICT_NEEDS_MORE}"]
    return [*_caution(duel), *_on_accuracy(duel, agreement), *_on_time(duel), *_on_missing(duel)]


def _is_pending(side: Side) -> bool:
    return not side.completed or any(entry.status in ("waiting", "running", "paused") for entry in side.entries)


def _stage(side: Side) -> str:
    """Say where a side is: `is in epoch 2 of 3`."""
    lead, done = side.lead, len(side.lead.progress.epochs)
    if len(side.entries) > 1:
        return f"has finished {len(side.completed)} of {len(side.entries)} seeds"
    after = f"after {count(done)} of {count(lead.config.epochs)} epochs"
    match lead.status:
        case "completed":
            return "has finished"
        case "waiting":
            return "has not started yet"
        case "running":
            return f"is in epoch {count(min(done + 1, lead.config.epochs))} of {count(lead.config.epochs)}"
        case "paused" | "stopped" as status:
            return f"{STATUS_WORDS[status]} {after}"
        case _:
            return f"{lead.status} {after}"


def _caution(duel: Duel) -> list[str]:
    """Say what else than the framework may make the difference."""
    if not duel.differences:
        return []
    found = ", ".join(duel.differences)
    if duel.has_both_backends:
        return [f"Not matched: besides the framework, this differs, too: {found}."]
    return [f"They differ in this: {found}."]


def is_final(duel: Duel, agreement: Agreement) -> bool:
    """Say whether the answers are those that the two runs ended with."""
    leads = [side.lead for side in duel.sides]
    last = tuple(lead.progress.epochs[-1].epoch for lead in leads if lead.progress.epochs)
    return agreement.epochs == last and all(lead.status == "completed" for lead in leads)


def _both(duel: Duel, figure: str) -> tuple[Spread, Spread] | None:
    one, other = (side.spread(figure) for side in duel.sides)
    return (one, other) if one and other else None


def _on_accuracy(duel: Duel, agreement: Agreement | None) -> list[str]:
    accuracies = _both(duel, "test_accuracy")
    if accuracies is None:
        return []
    seeds = min(len(spread.values) for spread in accuracies)
    if seeds > 1:
        told = f"Test accuracy, {duel.second.name} against {duel.first.name}: {compare_accuracies(*accuracies)}."
        is_hint = seeds < SEEDS_ENOUGH and not _within_chance(*accuracies)
        return [told, f"With fewer than {SEEDS_ENOUGH} seeds that is a hint, no proof."] if is_hint else [told]
    figures = " and ".join(map(_percent, accuracies))
    if agreement is None or not is_final(duel, agreement):
        why = "different test images" if OTHER_IMAGES in duel.differences else "not both networks' answers at hand"
        return [f"Test accuracy {figures}: with {why}, nobody can tell whether that is chance."]
    p_value = f"McNemar's p {p_text(agreement.p_value)}"
    if agreement.alike == agreement.tested:
        return [
            f"No difference: both answer all {count(agreement.tested)} test images alike ({_percent(accuracies[0])})."
        ]
    if agreement.p_value > SIGNIFICANT:
        return [f"The same accuracy within chance: {figures} ({p_value})."]
    name, figures = duel.first.name, " against ".join(map(_percent, accuracies))
    if agreement.only_first_wrong > agreement.only_second_wrong:
        name, figures = duel.second.name, " against ".join(map(_percent, reversed(accuracies)))
    return [
        f"{name}'s network is better on these images, {figures}, and that is hardly chance ({p_value}).",
        f"Whether {name} always is, only more seeds can tell.",
    ]


def _within_chance(one: Spread, other: Spread) -> bool:
    """Say whether two means differ by two standard errors of their difference, or less."""
    return abs(one.mean - other.mean) <= 2 * math.hypot(one.standard_error, other.standard_error)


def _on_time(duel: Duel) -> list[str]:
    """Say which was faster, where the times differ by more than those of single runs, or epochs, do."""
    seconds, times = _both(duel, "seconds"), duel.times
    if seconds is None or times is None:
        return []
    if not duel.shares_device:
        return ["They trained on different devices, so that their times do not compare."]
    names = [side.name for side in duel.sides]
    told = " and ".join(duration(spread.mean) for spread in seconds)
    if min(len(time.values) for time in times) < 2:
        return [f"Of one epoch each, the times of {told} say little."]
    if _within_chance(*times):
        which = _samples(duel)
        return [f"Which is faster is open: {told} of training, but {which} of one framework differ as much."]
    slower, faster = sorted(zip(seconds, names, strict=True), key=lambda one: -one[0].mean)
    ratio = faster[0].mean / slower[0].mean if slower[0].mean else 1.0
    return [
        f"{faster[1]} took {ratio:.2g} of the time: {duration(faster[0].mean)} of training "
        f"against {duration(slower[0].mean)}."
    ]


def _samples(duel: Duel) -> str:
    return "runs" if min(len(side.completed) for side in duel.sides) > 1 else "epochs"


def _on_missing(duel: Duel) -> list[str]:
    """Say of how many seeds there is no result."""
    missing = {side.name: len(side.entries) - len(side.completed) for side in duel.sides}
    told = [f"{number} of {name}'s seeds did not finish" for name, number in missing.items() if number]
    return [f"{' and '.join(told)}: the others are what counts here."] if told else []
