"""What the terminal shows after one has left runs running: the commands that attach to them again."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from engine.runs import Run, Store
from tui.terminal import clean


def farewell(runs: Sequence[Run], store: Store) -> Text | None:
    """Return the commands that attach to `runs` of `store`; None when there are none."""
    if not runs:
        return None
    heading = "The run goes on. Follow it again with:" if len(runs) == 1 else "The runs go on. Follow them again with:"
    return Text("\n".join([heading, *(f"  {_attach_command(run, store)}" for run in runs)]))


def _attach_command(run: Run, store: Store) -> str:
    if Store.locate().path == store.path:
        return f"mnist-tui attach {run.id}"
    return f"mnist-tui attach {run.id} --store {clean(str(store.path))}"
