"""PyTorch: builds the networks of engine.models from torch.nn and trains them eagerly on tensors in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property, partial, update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from engine import models
from engine.augmentation import whole_pixel_shifts
from engine.backends.base import Device, Kernels, StepResults, cpu_name, pick_device
from engine.backends.torch_augmentation import shift, warp
from engine.backends.torch_cuda import CapturedStep, Step, current
from engine.backends.torch_optimizers import TORCH_SLOTS, BareStep, optimizer_of
from engine.backends.torch_pooled import PooledStep
from engine.config import TrainConfig
from engine.conventions import Conventions, conventions_of
from engine.models import ARCHITECTURES, CLASSES
from engine.optimization import BETAS, SLOTS
from engine.pixels import normalise
from engine.pooling import default_threads, is_blocks_and_dense, pooled_blocks

if TYPE_CHECKING:
    from engine.models import State

PREDICT_BATCH = 1000

Augment = Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor]
"""What changes images as one tensor says, a step's part of it, and what shows where there was nothing."""
ONE_BY_ONE = (
    "PyTorch starts each kernel of a step by itself instead of replaying all from a CUDA graph, which is slower: "
)

Given = ParamSpec("Given")
Returned = TypeVar("Returned")


def _on_its_device(
    method: Callable[Concatenate[TorchLearner, Given], Returned],
) -> Callable[Concatenate[TorchLearner, Given], Returned]:
    """Have `method` work with the learner's device as the current one, which otherwise is the first GPU."""

    def guarded(self: TorchLearner, /, *args: Given.args, **kwargs: Given.kwargs) -> Returned:
        with current(self.torch_device):
            return method(self, *args, **kwargs)

    update_wrapper(guarded, method)
    return guarded


class TorchBackend:
    """See engine.backends.base.Backend."""

    name = "torch"
    version = torch.__version__.split("+")[0]

    def devices(self) -> list[Device]:
        """Return the CPU, then each CUDA device, then Apple's GPU."""
        found = [Device("cpu", cpu_name())]
        for number in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(number)
            found.append(Device(f"cuda:{number}", properties.name, properties.total_memory))
        if torch.backends.mps.is_available():
            found.append(Device("mps", "Apple GPU"))
        return found

    def learner(self, config: TrainConfig, images: np.ndarray, labels: np.ndarray) -> TorchLearner:
        """Build the network with its initial weights and put the training set on the device."""
        device = pick_device(config.device, self.devices(), "PyTorch")
        torch.set_num_threads(config.threads or default_threads(ARCHITECTURES[config.model]))
        torch.use_deterministic_algorithms(config.deterministic)
        return TorchLearner(config, device, images, labels)


class TorchLearner:
    """See engine.backends.base.Learner."""

    def __init__(self, config: TrainConfig, device: Device, images: np.ndarray, labels: np.ndarray) -> None:
        self.device = device
        self._config = config
        self._conventions = conventions_of(config)
        self.torch_device = torch.device(device.id)
        self._network = _build(config, self._conventions).to(self.torch_device)
        by_hand = device.id == "cpu" and is_blocks_and_dense(ARCHITECTURES[config.model])
        self._blocks = pooled_blocks(ARCHITECTURES[config.model]) if by_hand else ()
        self._parameters = dict(self._network.named_parameters())
        self._optimizer = optimizer_of(config, list(self._parameters.values()), self.torch_device)
        self._captured: dict[tuple[int, Augment | None], CapturedStep] = {}  # by the number of images, too
        self._pooled: dict[int, PooledStep] = {}  # by the number of images
        self._is_warned = False
        self._images = self._resident(images)
        self._labels = torch.from_numpy(labels).to(self.torch_device)
        self._step = 0
        architecture = ARCHITECTURES[config.model]
        self.load_state(models.initial_state(architecture, config.seed, self._conventions.initialisation))

    @property
    def kernels(self) -> Kernels:
        """Whose code computes the training steps."""
        return "fused" if self._blocks else "framework"

    @_on_its_device
    def train_steps(
        self, batches: np.ndarray, learning_rates: np.ndarray, transforms: np.ndarray | None = None
    ) -> StepResults:
        """Take one optimizer step per row of `batches`; nothing is read from the device before the last one."""
        indices = torch.from_numpy(batches).to(self.torch_device)
        augment, maps = self._augmentation(transforms)
        if self._blocks:
            return self._train_pooled(indices, learning_rates, augment, maps)
        losses = torch.empty(len(batches), device=self.torch_device)
        correct = torch.empty(len(batches), dtype=torch.int64, device=self.torch_device)
        self._network.train()
        step = self._step_for(batches.shape[1], augment)
        for number in range(len(batches)):
            self._prepare_step(float(learning_rates[number]))
            inputs = (indices[number],) if maps is None else (indices[number], maps[number])
            losses[number], correct[number] = step(*inputs)
        return StepResults(losses.cpu().numpy(), correct.cpu().numpy(), self._warning())

    @torch.no_grad()
    def _train_pooled(
        self,
        indices: torch.Tensor,
        learning_rates: np.ndarray,
        augment: Augment | None,
        maps: torch.Tensor | None,
    ) -> StepResults:
        """Take the steps of a network of pooled blocks, and find losses and right answers for all of them at once."""
        step, pixels = self._pooled_step(indices.shape[1]), self._images.view(len(self._images), -1)
        labels = self._labels[indices]
        targets = self._targets[labels].transpose(1, 2).contiguous()
        log_probabilities = torch.empty_like(targets)
        for number, learning_rate in enumerate(learning_rates.tolist()):
            self._prepare_step(learning_rate)
            torch.index_select(pixels, 0, indices[number], out=step.batch)
            if augment and maps is not None:
                images = step.batch.view(-1, *models.IMAGE_SHAPE)
                images.copy_(augment(images, maps[number], self._background))
            step(targets[number], log_probabilities[number])
            self._update()
        losses = (targets * log_probabilities).sum(1).mean(1).neg()
        correct = (log_probabilities.argmax(1) == labels).sum(1)
        return StepResults(losses.numpy(), correct.numpy())

    def _pooled_step(self, images: int) -> PooledStep:
        if images not in self._pooled:
            biased = not self._conventions.batch_norm_unbiased
            self._pooled[images] = PooledStep(self._network, self._blocks, images, biased)
        return self._pooled[images]

    @cached_property
    def _targets(self) -> torch.Tensor:
        """The probabilities to learn for each class, [10, 10]: with label smoothing, a little of every other."""
        smoothing = self._config.label_smoothing
        return torch.eye(CLASSES) * (1 - smoothing) + smoothing / CLASSES

    def _take_step(
        self, augment: Augment | None, indices: torch.Tensor, maps: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Take one step on the images with these numbers, and return their loss and how many were answered right."""
        images, labels = self._batch(indices), self._labels.index_select(0, indices)
        if augment and maps is not None:
            images = augment(images, maps, self._background)
        logits = self._network(images)
        loss = functional.cross_entropy(logits, labels, label_smoothing=self._config.label_smoothing)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._update()
        return loss.detach(), (logits.detach().argmax(1) == labels).sum()

    def _step_for(self, images: int, augment: Augment | None) -> Step:
        """Return what takes a step on that many images: on an NVIDIA GPU from a CUDA graph, where that is possible."""
        step = partial(self._take_step, augment)
        if self.torch_device.type != "cuda" or self._reason_not_to_capture:
            return step
        return self._captured.setdefault((images, augment), CapturedStep(step, self._trained))

    @property
    def _reason_not_to_capture(self) -> str:
        """Why no graph can hold a step; empty if one can.

        In a graph a step's constants are those of the step that was captured. The learning rate lies in a tensor; ε
        of Adam does not.
        """
        has_epsilon = "betas" in self._optimizer.param_groups[0]
        if has_epsilon and not self._conventions.adam_epsilon_corrected:
            return "the ε of Keras' Adam changes from step to step"
        return ""

    def _trained(self) -> list[torch.Tensor]:
        """Return the weights and what the optimizer remembers of them."""
        remembered = [
            tensor for slots in self._optimizer.state.values() for tensor in slots.values() if torch.is_tensor(tensor)
        ]
        return [*(parameter.detach() for parameter in self._parameters.values()), *remembered]

    def _warning(self) -> str:
        """Return once, where steps are not replayed from a graph on a GPU that could, why not."""
        problems = [step.problem for step in self._captured.values() if step.problem]
        reason = self._reason_not_to_capture or (problems[0] if problems else "")
        if not reason or self._is_warned or self.torch_device.type != "cuda":
            return ""
        self._is_warned = True
        return f"{ONE_BY_ONE}{reason}."

    @_on_its_device
    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return the logits, float32 [n, 10], of uint8 images [n, 28, 28] in evaluation mode."""
        self._network.eval()
        with torch.inference_mode():
            batches = [self._network(self._prepare(batch)) for batch in _chunks(images, PREDICT_BATCH)]
            logits: np.ndarray = torch.cat(batches).cpu().numpy()
        return logits

    @_on_its_device
    def state(self) -> State:
        """Return copies of the weights, batch norm statistics and optimizer state in the canonical layout."""
        tensors = {
            name: tensor
            for name, tensor in self._network.state_dict().items()
            if not name.endswith("num_batches_tracked")
        }
        for name, parameter in self._parameters.items():
            for slot in SLOTS[self._config.optimizer]:
                tensors[f"optimizer.{slot}.{name}"] = self._optimizer.state[parameter][TORCH_SLOTS[slot]]
        state = {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}
        return state | {"optimizer.step": np.array(self._step, np.int64)}

    @_on_its_device
    def load_state(self, state: State) -> None:
        """Take over `state`; an optimizer state that is not in it starts from zero."""
        tensors = {name: torch.from_numpy(np.array(values)) for name, values in state.items()}
        weights = {name: tensor for name, tensor in tensors.items() if not name.startswith("optimizer.")}
        self._network.load_state_dict(weights, strict=False)
        self._step = int(state.get("optimizer.step", 0))
        self._captured.clear()  # they write to the optimizer state that is replaced now
        for name, parameter in self._parameters.items():
            slots = {
                TORCH_SLOTS[slot]: tensors.get(f"optimizer.{slot}.{name}", torch.zeros(parameter.shape)).to(
                    self.torch_device
                )
                for slot in SLOTS[self._config.optimizer]
            }
            if "exp_avg" in slots:
                slots["step"] = torch.tensor(float(self._step), device=self.torch_device)
            self._optimizer.state[parameter] = slots
        is_bare = self.torch_device.type == "cpu"
        self._update: Callable[[], Any] = BareStep(self._optimizer) if is_bare else self._optimizer.step

    def _augmentation(self, transforms: np.ndarray | None) -> tuple[Augment | None, torch.Tensor | None]:
        """Return what changes images as `transforms` say, and what to tell it, step by step; None for no change."""
        if transforms is None:
            return None, None
        shifts = whole_pixel_shifts(transforms)
        maps = torch.from_numpy(transforms if shifts is None else shifts).to(self.torch_device)
        return (warp if shifts is None else shift), maps

    def _prepare_step(self, learning_rate: float) -> None:
        self._step += 1
        (group,) = self._optimizer.param_groups
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(learning_rate)
        else:
            group["lr"] = learning_rate
        if "betas" in group:
            epsilon = self._conventions.adam_epsilon
            if not self._conventions.adam_epsilon_corrected:
                epsilon /= (1 - BETAS[1] ** self._step) ** 0.5
            group["eps"] = epsilon

    def _resident(self, images: np.ndarray) -> torch.Tensor:
        """Return `images` as they lie on the device: on a GPU as bytes, a quarter of what it reads."""
        if self.torch_device.type == "cpu":
            return self._prepare(images)
        return torch.from_numpy(images).unsqueeze(1).to(self.torch_device)

    def _batch(self, indices: torch.Tensor) -> torch.Tensor:
        images = self._images.index_select(0, indices)
        return images if images.dtype is torch.float32 else self._pixel_values[images.int()]

    @cached_property
    def _pixel_values(self) -> torch.Tensor:
        every_pixel = np.arange(256, dtype=np.uint8)
        return torch.from_numpy(normalise(every_pixel, self._config.normalisation)).to(self.torch_device)

    def _prepare(self, images: np.ndarray) -> torch.Tensor:
        pixels = normalise(images, self._config.normalisation)
        return torch.from_numpy(pixels).unsqueeze(1).to(self.torch_device)

    @cached_property
    def _background(self) -> float:
        return float(normalise(np.zeros(1, np.uint8), self._config.normalisation)[0])


class _BatchNorm(nn.BatchNorm2d):
    """Batch norm of images [n, c, h, w] or of units [n, c]: PyTorch's two differ in nothing but what they refuse."""

    def _check_input_dim(self, values: torch.Tensor) -> None:
        pass


class _BiasedBatchNorm(_BatchNorm):
    """Batch norm whose running variance is the biased one, as Keras keeps it."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return super().forward(values)
        # Zeros: with momentum 1 the old value still counts nought times, and nought times NaN is NaN.
        mean, variance = torch.zeros_like(self.running_mean), torch.zeros_like(self.running_var)
        output = functional.batch_norm(
            values, mean, variance, self.weight, self.bias, training=True, momentum=1.0, eps=self.eps
        )
        count = values.numel() // values.shape[1]
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * ((count - 1) / count), self.momentum)
        return output


def _build(config: TrainConfig, conventions: Conventions) -> nn.Sequential:
    rows = ARCHITECTURES[config.model].table()
    return nn.Sequential(OrderedDict((row.layer.name, _layer(row, conventions)) for row in rows))


def _layer(row: models.LayerRow, conventions: Conventions) -> nn.Module:
    match row.layer:
        case models.Conv(filters=filters, kernel=kernel, stride=stride, padding=padding, bias=bias):
            return nn.Conv2d(row.input_shape[0], filters, kernel, stride, padding, bias=bias)
        case models.BatchNorm():
            kind = _BatchNorm if conventions.batch_norm_unbiased else _BiasedBatchNorm
            return kind(
                row.input_shape[0], eps=conventions.batch_norm_epsilon, momentum=conventions.batch_norm_momentum
            )
        case models.ReLU():
            return nn.ReLU()
        case models.MaxPool(size=size):
            return nn.MaxPool2d(size)
        case models.Flatten():
            return nn.Flatten()
        case models.Dense(units=units, bias=bias):
            return nn.Linear(row.input_shape[0], units, bias=bias)


def _chunks(images: np.ndarray, size: int) -> list[np.ndarray]:
    return [images[start : start + size] for start in range(0, len(images), size)]


BACKEND = TorchBackend()
