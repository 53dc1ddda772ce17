"""Where PyTorch and Keras differ silently, written down: initial weights, Adam's ε and batch norm's constants.

Sources: torch.nn.Linear and Conv2d (kaiming_uniform, a = √5), torch.optim.Adam, torch.nn.BatchNorm2d;
keras.initializers.GlorotUniform, keras.optimizers.Adam, keras.layers.BatchNormalization.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


def conventions_in_use(config: TrainConfig) -> dict[str, Any]:
    """Return the conventions by name, None for those a run with `config` has no use for, such as Adam's ε with SGD."""
    from engine.models import ARCHITECTURES, BatchNorm

    values = conventions_of(config)
    has_adam = config.optimizer in ("adam", "adamw")
    has_batch_norm = any(isinstance(layer, BatchNorm) for layer in ARCHITECTURES[config.model].layers)
    return {
        "initialisation": values.initialisation,
        "adam_epsilon": values.adam_epsilon if has_adam else None,
        "adam_epsilon_corrected": values.adam_epsilon_corrected if has_adam else None,
        "batch_norm_momentum": values.batch_norm_momentum if has_batch_norm else None,
        "batch_norm_epsilon": values.batch_norm_epsilon if has_batch_norm else None,
        "batch_norm_unbiased": values.batch_norm_unbiased if has_batch_norm else None,
    }
