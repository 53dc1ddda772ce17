"""Waiting for something that another process does: the only place of the tests where time passes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from engine.events import AnyEvent
from engine.runs import Run

T = TypeVar("T")
E = TypeVar("E", bound=AnyEvent)

PATIENCE = 240.0
"""Seconds for what takes some: workers, which stand behind everything else, may have to wait for a busy machine."""


def wait_until(condition: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    """Return the first true answer of `condition`; fail, naming `what` was waited for, after `patience` seconds."""
    deadline, pauses = time.monotonic() + patience, lengthening_pauses()
    while not (answer := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"Within {patience:.0f} seconds this did not come true: {what}")
        time.sleep(next(pauses))
    return answer


def lengthening_pauses() -> Iterator[float]:
    """Yield seconds to wait between two looks, from 0.01 to 0.1.

    What comes at once is seen at once; looking often at what takes longer would keep the processor from it.
    """
    pause = 0.01
    while True:
        yield pause
        pause = min(0.1, pause * 1.2)


def wait_for_event(run: Run, kind: type[E], **fields: object) -> E:
    """Return the run's first event of `kind` with these fields, once it is there."""

    def find() -> E | None:
        return next((event for event in run.events() if isinstance(event, kind) and _has(event, fields)), None)

    def describe() -> str:
        return ", ".join(f"{name}={value!r}" for name, value in fields.items())

    return wait_until(find, f"{run.id} tells {kind.__name__}({describe()})")  # type: ignore[return-value]


def _has(event: AnyEvent, fields: dict[str, object]) -> bool:
    return all(getattr(event, name) == value for name, value in fields.items())
