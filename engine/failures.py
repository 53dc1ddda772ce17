"""How a run that cannot go on says so: what happened, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import events
from engine.causes import explain
from engine.errors import EngineError, StoreError, TrainingError

if TYPE_CHECKING:
    from engine.runs import Run

SMALLER_STEPS = "Use a smaller learning rate, or the adam optimizer."


def diverged(loss: float, where: str, optimizer: str) -> TrainingError:
    """Return the error for a `loss` that is out of bounds or no number; `where` it was so, with a preposition.

    `optimizer` is the run's: Adam and AdamW bear learning rates that plain gradients do not.
    """
    exploded = f"The loss has exploded to {loss:.3g}, as good as not finite, {where}."
    message = exploded if loss < float("inf") else f"The loss is not finite {where}."
    hint = "Use a smaller learning rate." if optimizer.startswith("adam") else SMALLER_STEPS
    return TrainingError("Training diverged", message, hint)


def storage_error(error: OSError, run: Run | None) -> StoreError:
    """Return the error for files of `run` that could not be written."""
    message, advice = explain(error, "written", run.path if run else "")
    return StoreError("Run not saved", message, f"{advice} Then resume the run.".strip())


def failed(epochs: int, error: EngineError) -> events.RunFinished:
    """Return the end of a run that `error` ended after so many finished epochs."""
    described = events.ErrorInfo(title=error.title, message=error.message, hint=error.hint)
    return events.RunFinished(outcome="failed", epochs=epochs, error=described)
