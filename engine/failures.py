"""How a run that cannot go on says so: what happened, and what to do."""

from __future__ import annotations

import errno

from engine import events
from engine.errors import EngineError, StoreError, TrainingError

SMALLER_STEPS = "Use a smaller learning rate, or the adam optimizer."


def diverged(loss: float, where: str, optimizer: str) -> TrainingError:
    """Return the error for a `loss` that is out of bounds or no number; `where` it was so, with a preposition.

    `optimizer` is the run's: Adam and AdamW bear learning rates that plain gradients do not.
    """
    exploded = f"The loss has exploded to {loss:.3g}, as good as not finite, {where}."
    message = exploded if loss < float("inf") else f"The loss is not finite {where}."
    hint = "Use a smaller learning rate." if optimizer.startswith("adam") else SMALLER_STEPS
    return TrainingError("Training diverged", message, hint)


def storage_error(error: OSError) -> StoreError:
    """Return the error for files of a run that could not be written."""
    causes = {
        errno.ENOSPC: "The disk is full.",
        errno.EDQUOT: "The disk quota is used up.",
        errno.EROFS: "The disk is read-only.",
        errno.EFBIG: "A file grew over the size limit of this process.",
    }
    cause = causes.get(error.errno or 0, str(error))
    where = f" ({error.filename})" if error.filename else ""
    return StoreError("Run not saved", f"{cause}{where}", "Make room or choose another --store, then resume the run.")


def failed(epochs: int, error: EngineError) -> events.RunFinished:
    """Return the end of a run that `error` ended after so many finished epochs."""
    described = events.ErrorInfo(title=error.title, message=error.message, hint=error.hint)
    return events.RunFinished(outcome="failed", epochs=epochs, error=described)
