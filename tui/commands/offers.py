"""What the shell is offered where a word is not complete yet: runs, presets, models, devices, files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

from engine.errors import EngineError
from tui.terminal import clean

DEVICES = ("auto", "cpu", "cuda", "mps")
"""What a device may be called without asking a framework, which would take seconds."""
PLAIN_WORD = re.compile(r"\w[\w@%+./-]*")
"""A word that each of the shells takes as it is: without blanks, quotes, or what bash and click's scripts split at."""

Items = list[CompletionItem[str]]
Offer = Callable[[click.Context, click.Parameter, str], Items]


def offer_runs(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Return `last`, then the names, short names and ids of the store's runs that the word begins, newest first.

    A name that several runs share means none of them. Where there is no reading the store, nothing is offered: the
    command itself says what is wrong.
    """
    from tui.settings import locate_store

    store_path = ctx.params.get("store_path") or ctx.find_root().params.get("store_path")
    try:
        runs = locate_store(store_path).runs()[::-1]
    except (EngineError, OSError):
        return []
    names = {run.id: clean(label) for run in runs if (label := run.label) != run.id}
    uses = Counter(names.values())
    items = [CompletionItem("last", help="the newest run")] if runs else []
    items += [CompletionItem(name, help=run_id) for run_id, name in names.items() if uses[name] == 1]
    items += [CompletionItem(run.short_name, help=names.get(run.id, run.id)) for run in runs]
    items += [CompletionItem(run.id, help=names.get(run.id)) for run in runs]
    return [item for item in items if item.value.startswith(incomplete) and PLAIN_WORD.fullmatch(item.value)]


def offer_classes(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Return the names of the classes of the run that the words so far name; none where there is no telling."""
    from engine.classes import class_names_of
    from tui.settings import locate_store

    store_path = ctx.params.get("store_path") or ctx.find_root().params.get("store_path")
    try:
        started = locate_store(store_path).find(ctx.params.get("reference") or "last").progress().started
    except (EngineError, OSError):
        return []
    names = [clean(name) for name in class_names_of(started.dataset if started else None)]
    found = (name for name in names if name.casefold().startswith(incomplete.casefold()))
    return [CompletionItem(name) for name in found if PLAIN_WORD.fullmatch(name)]


def offer_themes(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Return the names of the themes."""
    from tui.theme import theme_names

    return [CompletionItem(name) for name in theme_names() if name.startswith(incomplete)]


def offer_presets(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Return the names of the presets, with what each teaches."""
    from engine.presets import PRESETS

    items = (CompletionItem(preset.name, help=preset.teaches) for preset in PRESETS.values())
    return [item for item in items if item.value.startswith(incomplete)]


def offer_setting(name: str) -> Offer:
    """Return what offers the values of the setting called `name`, where these can be listed."""

    def offer(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
        if name == "data":
            return offer_files(ctx, parameter, incomplete)
        return [CompletionItem(value) for value in _values_of(name) if value.startswith(incomplete)]

    return offer


def offer_files(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Have the shell itself offer files."""
    return [CompletionItem(incomplete, type="file")]


def offer_folders(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Have the shell itself offer folders."""
    return [CompletionItem(incomplete, type="dir")]


def _values_of(name: str) -> Iterable[str]:
    from engine.config import FIELDS
    from engine.models import ARCHITECTURES

    listed = {"model": ARCHITECTURES, "device": DEVICES}
    return listed.get(name, FIELDS[name].choices)
