"""The optimizer arithmetic that both backends share: Adam's constants and the learning rate's schedules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from engine.conventions import Conventions

# Adam's decay rates of the moments, the same default in both frameworks (Kingma and Ba, 2015).
BETAS = (0.9, 0.999)

# What each optimizer remembers of every weight, beside the number of steps.
SLOTS: dict[str, tuple[str, ...]] = {
    "sgd": (),
    "momentum": ("velocity",),
    "nesterov": ("velocity",),
    "adam": ("first_moment", "second_moment"),
    "adamw": ("first_moment", "second_moment"),
}

# One cycle (Smith and Topin, 2018), with the proportions of torch.optim.lr_scheduler.OneCycleLR.
WARM_UP_SHARE, START_DIVISOR, FINAL_DIVISOR = 0.3, 25.0, 1e4


def learning_rates(schedule: str, peak: float, first_step: int, count: int, total_steps: int) -> np.ndarray:
    """Return the learning rates, float64 [count], of the steps from `first_step` (from 0) of `total_steps`.

    `schedule`: "constant"; "cosine", from `peak` down to 0; or "onecycle", up to `peak` over the first 30 % of
    the run and down to almost 0 over the rest, both along a cosine.
    """
    import numpy as np

    steps = np.arange(first_step, first_step + count, dtype=np.float64)
    if schedule == "constant":
        return np.full(count, peak)
    if schedule == "cosine":
        return 0.5 * peak * (1 + np.cos(math.pi * steps / total_steps))
    start, final = peak / START_DIVISOR, peak / START_DIVISOR / FINAL_DIVISOR
    turn = WARM_UP_SHARE * total_steps - 1
    rising = _cosine_between(start, peak, steps / turn) if turn > 0 else np.full(count, peak)
    falling = _cosine_between(peak, final, (steps - turn) / max(total_steps - 1 - turn, 1))
    return np.where(steps <= turn, rising, falling)


def adam_step_sizes(
    learning_rates: np.ndarray, first_step: int, conventions: Conventions
) -> tuple[np.ndarray, np.ndarray]:
    """Fold Adam's bias correction into a step size and an ε for each step, both float32 [steps].

    The update is then `size · m / (√v + ε)` with the plain moments m and v, kept by arithmetic in float32: there
    1 − β₂ is 0.00100005, so the correction is that of the β which float32 holds. Steps count from 1. In float64 until
    the end: 1 − β₂ᵗ loses four digits in float32 at the first steps.
    """
    import numpy as np

    steps = np.arange(first_step, first_step + len(learning_rates), dtype=np.float64)
    beta1, beta2 = (float(np.float32(beta)) for beta in BETAS)
    first_correction, second_correction = 1 - beta1**steps, np.sqrt(1 - beta2**steps)
    sizes = learning_rates * second_correction / first_correction
    epsilons = np.full(len(steps), conventions.adam_epsilon)
    if conventions.adam_epsilon_corrected:
        epsilons *= second_correction
    return sizes.astype(np.float32), epsilons.astype(np.float32)


def _cosine_between(begin: float, end: float, share: np.ndarray) -> np.ndarray:
    import numpy as np

    return end + (begin - end) / 2 * (1 + np.cos(math.pi * share))
