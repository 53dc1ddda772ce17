"""Garbage is collected while nobody presses keys, also what became garbage after it had been taken to stay."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from engine.runs import Store
from tests.tui.app_harness import opened, until
from tui import garbage


class Knot:
    """Refers to itself, so that only a collection ends it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Leave Python's collector as it was."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def old_garbage(younger: int) -> tuple[weakref.ref[Knot], list[list[int]]]:
    """Return garbage that Python has collected the younger objects around so many times, and some that stay."""
    knot = Knot()
    objects: list[list[int]] = []
    while gc.get_count()[2] <= younger:
        objects.append([])
    return weakref.ref(knot), objects


async def test_garbage_is_collected_in_a_pause(store: Store) -> None:
    async with opened(store) as (app, _):
        app.collect_in_pauses()
        gone, kept = old_garbage(garbage.DUE)
        await until(lambda: gone() is None, "the garbage is collected")
        assert kept


async def test_modules_that_were_imported_are_not_looked_through(store: Store) -> None:
    async with opened(store) as (app, _):
        app.collect_in_pauses()
        gone, kept = old_garbage(garbage.MODULES)
        await until(lambda: gc.get_count()[2] <= garbage.DUE, "they are taken to stay")
        assert kept
        assert gone() is not None
        app.collect_all()
        assert gone() is None


async def test_what_became_garbage_later_is_collected_with_all_the_rest(store: Store) -> None:
    async with opened(store) as (app, _):
        knot: Knot | None = Knot()
        app.collect_in_pauses()
        gone = weakref.ref(knot)
        knot = None
        gc.collect()
        assert gone() is not None
        app.collect_all()
        assert gone() is None
