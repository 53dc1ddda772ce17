"""Two sides of a duel: which runs count on each, how far the two networks agree, and their figures row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.backends import BACKENDS
from engine.comparison import Spread
from engine.duel import Duel, Entry, Side
from engine.errors import DataError
from engine.overlay import Agreement, Overlay
from engine.repeats import recipe_of
from engine.significance import p_text
from tui.family import Family
from tui.formats import count, duration, percent
from tui.snapshot import RunSnapshot

Row = tuple[str, str, str]
"""A label, and what stands beside it for the first side and the second."""
UNKNOWN = "–"
NEAR = 20
"""How many runs before and after one its other half is looked for among: the two are launched one after the other."""


def duel_of(family: Family) -> Duel | None:
    """Return the duel of the pair on display, each with its other seeds; None where there is no pair."""
    pair = tuple(family.pair.values())
    return duel_between(*pair, [*family.members, *family.repeats]) if len(pair) == 2 else None


def has_rival(chosen: RunSnapshot, runs: Sequence[RunSnapshot]) -> bool:
    """Say whether one of `runs`, the store's in their order, is a pair with `chosen`: all that is needed for a duel."""
    from engine.families import family_of, partner_of

    place = next((number for number, one in enumerate(runs) if one.run.id == chosen.run.id), 0)
    near = {one.run.id: one.config for one in runs[max(0, place - NEAR) : place + NEAR + 1] if one.config}
    family = {run_id: near[run_id] for run_id in family_of(chosen.run.id, near) if run_id in near}
    return partner_of(chosen.run.id, family) is not None


def duel_between(
    first: RunSnapshot, second: RunSnapshot, store: Sequence[RunSnapshot], names: tuple[str, str] | None = None
) -> Duel | None:
    """Return the duel of two runs, each with those of `store` that repeat it; None where settings are damaged.

    Every place that compares two runs takes the same ones into account: the completed repeats of each, whenever they
    were trained, and the seeds that were launched together with it and have not completed.
    """
    if first.config is None or second.config is None:
        return None
    has_both_backends = first.config.backend != second.config.backend
    one, other = names or tuple(_name(snapshot, has_both_backends) for snapshot in (first, second))
    return Duel(_side(one, first, store), _side(other, second, store))


def _name(snapshot: RunSnapshot, has_both_backends: bool) -> str:
    assert snapshot.config
    return BACKENDS[snapshot.config.backend].label if has_both_backends else snapshot.label


def _side(name: str, lead: RunSnapshot, store: Sequence[RunSnapshot]) -> Side:
    from engine.families import family_of

    own = _entry(lead)
    recipe = recipe_of(own.config)
    alike = {one.run.id: one for one in store if one.config and recipe_of(one.config) == recipe} | {lead.run.id: lead}
    together = family_of(lead.run.id, {run_id: one.config for run_id, one in alike.items() if one.config})
    others = [_entry(one) for run_id, one in alike.items() if run_id != lead.run.id]
    entries = [own, *(one for one in others if one.run_id in together or one.repeats(own))]
    return Side(name, own, tuple(sorted(entries, key=lambda entry: entry.config.seed)))


def _entry(snapshot: RunSnapshot) -> Entry:
    assert snapshot.config
    return Entry(snapshot.run.id, snapshot.config, snapshot.status, snapshot.progress)


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
    """Return what each side is, and its figures; of several seeds their mean and standard deviation.

    Until both leads are completed, the figures are theirs after the last epoch that both have finished.
    """
    said = {"status": _status, "version, kernels": _version}
    facts = [(label, *map(say, duel.sides)) for label, say in said.items()]
    if max(len(side.seeds) for side in duel.sides) > 1:
        facts.append(("seeds that count", *(f"{len(side.counted)} of {len(side.seeds)}" for side in duel.sides)))
    if duel.epoch:
        facts.append(("after epoch", count(duel.epoch), count(duel.epoch)))
    figures = [
        (label, *(_figure(side.spread(key, duel.epoch), write) for side in duel.sides))
        for key, (label, write) in WRITTEN.items()
    ]
    return [*facts, *figures]  # type: ignore[list-item]  # mypy does not count what a star unpacks


def _figure(spread: Spread | None, write: Callable[[Spread], str]) -> str:
    return write(spread) if spread else UNKNOWN


def _version(side: Side) -> str:
    """`2.14.1 on cpu, fused`: the framework's version, where it trained, and whose kernels took the times below."""
    started = side.lead.progress.started
    if started is None:
        return UNKNOWN
    return f"{started.framework_version} on {started.device}, {started.kernels or 'unknown'}"


def _status(side: Side) -> str:
    """`completed`, `stopped · 2/3 epochs`, `epoch 2/3 · 45 %`."""
    lead = side.lead
    progress, epochs = lead.progress, lead.progress.planned_epochs or lead.config.epochs
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
    "images_per_second": ("images/s, median", _count),
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
