"""Where PyTorch and Keras differ silently, written down: initial weights, Adam's ε and batch norm's constants.

Sources: torch.nn.Linear and Conv2d (kaiming_uniform, a = √5), torch.optim.Adam, torch.nn.BatchNorm2d;
keras.initializers.GlorotUniform, keras.optimizers.Adam, keras.layers.BatchNormalization.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.config import TrainConfig


@dataclass(frozen=True)
class Conventions:
    """One framework's defaults, as both backends can apply them.

    `adam_epsilon_corrected`: ε is added to the bias-corrected √v̂ (PyTorch), else to the plain √v (Keras, the
    "ε hat" of the Adam paper's section 2). `batch_norm_momentum` is the weight of the newest batch in the
    running statistics. `batch_norm_unbiased`: the running variance divides by n − 1.
    """

    initialisation: str
    adam_epsilon: float
    adam_epsilon_corrected: bool
    batch_norm_momentum: float
    batch_norm_epsilon: float
    batch_norm_unbiased: bool


CONVENTIONS: dict[str, Conventions] = {
    "torch": Conventions("torch", 1e-8, True, 0.1, 1e-5, True),
    "keras": Conventions("keras", 1e-7, False, 0.01, 1e-3, False),
}

NATIVE = {"torch": "torch", "tensorflow": "keras"}


def conventions_of(config: TrainConfig) -> Conventions:
    """Return the conventions that a run with `config` uses: those pinned, else its backend's own."""
    name = NATIVE[config.backend] if config.conventions == "auto" else config.conventions
    return CONVENTIONS[name]
