"""What the terminal shows after one has left runs running: the commands that attach to them again."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from engine.runs import Run
from tui.run_commands import command_for


def farewell(runs: Sequence[Run]) -> Text | None:
    """Return the commands that attach to `runs`; None when there are none."""
    if not runs:
        return None
    heading = "The run goes on. Follow it again with:" if len(runs) == 1 else "The runs go on. Follow them again with:"
    return Text("\n".join([heading, *(f"  {command_for('attach', run)}" for run in runs)]))
