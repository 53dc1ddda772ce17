"""The optimizers in PyTorch: torch.optim's fused ones, and their step without what surrounds it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from engine.config import TrainConfig
from engine.optimization import BETAS

# Our names for what an optimizer remembers of a weight, and torch.optim's.
TORCH_SLOTS = {"velocity": "momentum_buffer", "first_moment": "exp_avg", "second_moment": "exp_avg_sq"}


def optimizer_of(config: TrainConfig, parameters: list[nn.Parameter], device: torch.device) -> torch.optim.Optimizer:
    """Return the optimizer that `config` asks for; on a CUDA device it can be captured in a graph.

    There the learning rate lies in a tensor, so that a graph reads it anew at every step.
    """
    decay = config.weight_decay
    rate: dict[str, Any] = {}
    in_graphs: dict[str, Any] = {}
    if device.type == "cuda":
        rate = {"lr": torch.tensor(0.0, device=device)}
        in_graphs = {**rate, "capturable": True}
    match config.optimizer:
        case "adam":
            return torch.optim.Adam(parameters, betas=BETAS, weight_decay=decay, fused=True, **in_graphs)
        case "adamw":
            return torch.optim.AdamW(parameters, betas=BETAS, weight_decay=decay, fused=True, **in_graphs)
        case "sgd":
            return torch.optim.SGD(parameters, weight_decay=decay, fused=True, **rate)
        case "momentum" | "nesterov" as kind:
            return torch.optim.SGD(
                parameters,
                momentum=config.momentum,
                nesterov=kind == "nesterov",
                weight_decay=decay,
                fused=True,
                **rate,
            )


class BareStep:
    """The step of a fused `optimizer` with a plain learning rate, and nothing but: a tenth of its time on the CPU.

    torch.optim sorts parameters by device and looks for hooks and graphs at every step, 0.1 ms for a small network.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        (self._group,) = optimizer.param_groups
        self._parameters = self._group["params"]
        states = [optimizer.state[parameter] for parameter in self._parameters]
        self._slots = {name: [state[name] for state in states] for name in states[0] if name != "step"}
        self._step = states[0].get("step")  # one for all of them
        self._is_decoupled = isinstance(optimizer, torch.optim.AdamW)

    def __call__(self) -> None:
        """Change the parameters by their gradients."""
        gradients = [parameter.grad for parameter in self._parameters]
        if self._step is None:
            self._sgd(gradients)
        else:
            self._adam(gradients, self._step)

    def _adam(self, gradients: list[torch.Tensor], step: torch.Tensor) -> None:
        group, slots, (beta1, beta2) = self._group, self._slots, self._group["betas"]
        step += 1
        update = torch._fused_adamw_ if self._is_decoupled else torch._fused_adam_
        update(
            self._parameters, gradients, slots["exp_avg"], slots["exp_avg_sq"], [], [step] * len(gradients),
            lr=group["lr"], beta1=beta1, beta2=beta2, weight_decay=group["weight_decay"], eps=group["eps"],
            amsgrad=False, maximize=False,
        )  # fmt: skip

    def _sgd(self, gradients: list[torch.Tensor]) -> None:
        group = self._group
        torch._fused_sgd_(
            self._parameters, gradients, self._slots.get("momentum_buffer", []), weight_decay=group["weight_decay"],
            momentum=group["momentum"], lr=group["lr"], dampening=0.0, nesterov=group["nesterov"], maximize=False,
            is_first_step=False,
        )  # fmt: skip
