"""The blocks of engine.pooling in PyTorch: convolution, batch norm, max-pool and ReLU as one operation.

A step of the PyTorch tutorial's network with 64 images takes 0.55 of the time that the plain layers take (one
thread).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from engine.pooling import PLACES, POOL, PooledBlock, frames


class PooledNetwork(nn.Module):
    """`network` for training, its first layers done by the operations of `blocks`, which stand for them.

    The parameters are the ones of `network`, and so are the running statistics, whose variance is the biased one with
    `biased_variance`.
    """

    def __init__(self, network: nn.Sequential, blocks: Sequence[PooledBlock], biased_variance: bool) -> None:
        super().__init__()
        layers = list(network)
        self._blocks = []
        for block in blocks:
            self._blocks.append(_Block(block, layers[: block.layers], biased_variance))
            layers = layers[block.layers :]
        self._rest = nn.Sequential(*layers)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits [n, 10] of `images` [n, 1, h, w]."""
        count, _, height, width = images.shape
        values = images.reshape(count, -1).t().contiguous().view(1, height, width, count)
        for block in self._blocks:
            values = block(values)
        logits: torch.Tensor = self._rest(values.permute(3, 0, 1, 2))
        return logits


class _Block:
    """One block, with the layers of the network that hold its parameters."""

    def __init__(self, block: PooledBlock, layers: Sequence[nn.Module], biased_variance: bool) -> None:
        self._convolution = layers[0]
        self._norm = layers[1] if block.norm else None
        self._padding, self._biased = block.conv.padding, biased_variance
        self._frames = torch.from_numpy(frames(block.conv.kernel))

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """Return [out, h/2, w/2, n] of `values` [in, h, w, n]."""
        weight, bias, norm = self._convolution.weight, self._convolution.bias, self._norm
        if norm is None:
            return _PooledConvolution.apply(values, weight, bias, self._frames, self._padding)
        output, mean, variance = _PooledNorm.apply(
            values, weight, bias, norm.weight, norm.bias, self._frames, self._padding, norm.eps
        )
        count = PLACES * output[0].numel()
        with torch.no_grad():
            norm.running_mean.lerp_(mean + bias, norm.momentum)
            norm.running_var.lerp_(variance if self._biased else variance * (count / (count - 1)), norm.momentum)
        return output


class _PooledConvolution(torch.autograd.Function):
    """Convolution with bias, 2×2 max-pool, ReLU."""

    @staticmethod
    def forward(
        ctx: Any, values: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, frames: torch.Tensor, padding: int
    ) -> torch.Tensor:
        patches, size = _patches(values, weight.shape[-1], padding)
        kernels = _framed(weight, frames)
        candidates = torch.mm(kernels, patches).view(len(weight), POOL, POOL, -1)
        rows, largest = _largest(candidates)
        output = (largest + bias[:, None]).relu_()
        ctx.save_for_backward(patches, kernels, candidates, rows, output, frames)
        ctx.shapes = values.shape, weight.shape, size, padding
        return output.view(len(weight), *size, -1)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        patches, kernels, candidates, rows, output, frames = ctx.saved_tensors
        values_shape, weight_shape, size, padding = ctx.shapes
        pooled = gradient.reshape(output.shape) * (output > 0)
        of_candidates = torch.empty_like(candidates)
        first, second = _shared_out(pooled, candidates, rows)
        of_candidates[:, :, 0], of_candidates[:, :, 1] = first, second
        of_candidates = of_candidates.view(len(kernels), -1)
        of_values = None
        if ctx.needs_input_grad[0]:
            of_values = _gathered(torch.mm(kernels.t(), of_candidates), values_shape, size, padding)
        of_weight = _unframed(torch.mm(of_candidates, patches.t()), frames, weight_shape)
        return of_values, of_weight, pooled.sum(1), None, None


class _PooledNorm(torch.autograd.Function):
    """Convolution, batch norm, 2×2 max-pool, ReLU; and the batch's mean and biased variance, [out].

    The bias is left out, for batch norm would take it off again: its gradient is zero, and the mean is without it.
    """

    @staticmethod
    def forward(
        ctx: Any, values: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, scale: torch.Tensor,
        offset: torch.Tensor, frames: torch.Tensor, padding: int, epsilon: float,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
        patches, size = _patches(values, weight.shape[-1], padding)
        sign = torch.where(scale < 0, -1.0, 1.0)
        kernels = _framed(weight * sign[:, None, None, None], frames)
        centred = torch.mm(kernels, patches).view(len(weight), -1)
        mean = centred.mean(1, keepdim=True)
        centred -= mean
        variance = centred.square().mean(1)
        deviation = (variance + epsilon).rsqrt()
        centred = centred.view(len(weight), POOL, POOL, -1)
        rows, largest = _largest(centred)
        factor = (scale * sign * deviation)[:, None]
        output = (largest * factor).add_(offset[:, None]).relu_()
        ctx.save_for_backward(patches, kernels, centred, rows, largest, output, deviation, factor, sign, frames)
        ctx.shapes = values.shape, weight.shape, size, padding
        ctx.mark_non_differentiable(mean := mean[:, 0] * sign, variance)
        return output.view(len(weight), *size, -1), mean, variance

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor, *_: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Batch norm's gradient is g·s − s·mean(g) − s·x̂·mean(g·x̂) (Ioffe and Szegedy, 2015), s = scale/deviation.

        Only the largest of each window has a g other than zero, so the means are sums over those.
        """
        patches, kernels, centred, rows, largest, output, deviation, factor, sign, frames = ctx.saved_tensors
        values_shape, weight_shape, size, padding = ctx.shapes
        pooled = gradient.reshape(output.shape) * (output > 0)
        of_offset = pooled.sum(1)
        of_scale = (pooled * largest).sum(1) * deviation
        count = PLACES * largest.shape[1]
        slope = factor[:, 0] * of_scale * deviation / -count
        constant = factor[:, 0] * of_offset / -count
        of_candidates = (centred * slope[:, None, None, None]).add_(constant[:, None, None, None])
        first, second = _shared_out(pooled * factor, centred, rows)
        of_candidates[:, :, 0] += first
        of_candidates[:, :, 1] += second
        of_candidates = of_candidates.view(len(kernels), -1)
        of_values = None
        if ctx.needs_input_grad[0]:
            of_values = _gathered(torch.mm(kernels.t(), of_candidates), values_shape, size, padding)
        of_weight = _unframed(torch.mm(of_candidates, patches.t()), frames, weight_shape) * sign[:, None, None, None]
        return of_values, of_weight, torch.zeros_like(of_offset), of_scale * sign, of_offset, None, None, None


def _framed(weight: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    """Return the kernels of `weight` [out, in, k, k] in their frames, [4 out, in (k+1)²]."""
    filters, channels, kernel, _ = weight.shape
    framed = torch.mm(weight.reshape(filters * channels, -1), frames)
    side = kernel + 1
    return framed.view(filters, channels, PLACES, side * side).transpose(1, 2).reshape(filters * PLACES, -1)


def _unframed(of_kernels: torch.Tensor, frames: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Return the gradient of a weight of `shape`, given that of the kernels in their frames."""
    filters, channels = shape[:2]
    by_channel = of_kernels.view(filters, PLACES, channels, -1).transpose(1, 2)
    return torch.mm(by_channel.reshape(filters * channels, -1), frames.t()).view(shape)


def _patches(values: torch.Tensor, kernel: int, padding: int) -> tuple[torch.Tensor, tuple[int, int]]:
    """Return what each pool's window is computed from, [in (k+1)², h/2 · w/2 · n], and the pooled height and width."""
    channels, height, width, count = values.shape
    size = (height + 2 * padding - kernel + 1) // POOL, (width + 2 * padding - kernel + 1) // POOL
    if padding:
        inner = slice(padding, -padding)
        padded = values.new_zeros(channels, height + 2 * padding, width + 2 * padding, count)
        padded[:, inner, inner] = values
        values = padded
    plane, row, column, image = values.stride()
    side = kernel + 1
    windows = values.as_strided(
        (channels, side, side, *size, count), (plane, row, column, POOL * row, POOL * column, image)
    )
    return windows.reshape(channels * side * side, -1), size


def _gathered(of_patches: torch.Tensor, shape: torch.Size, size: tuple[int, int], padding: int) -> torch.Tensor:
    """Return the gradient of values of `shape`, the sum over all patches that they are in."""
    channels, height, width, count = shape
    half = int((of_patches.shape[0] // channels) ** 0.5) // POOL
    parts = of_patches.view(channels, half, POOL, half, POOL, *size, count)
    rows, columns = size[0] + half - 1, size[1] + half - 1
    sums = of_patches.new_zeros(channels, rows, POOL, columns, POOL, count)
    for i in range(half):
        for j in range(half):
            sums[:, i : i + size[0], :, j : j + size[1]] += parts[:, i, :, j].permute(0, 3, 1, 4, 2, 5)
    seen = sums.view(channels, rows * POOL, columns * POOL, count)
    seen = seen[:, padding : padding + height, padding : padding + width]
    return functional.pad(seen, (0, 0, 0, width - seen.shape[2], 0, height - seen.shape[1]))


def _largest(candidates: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the larger of each row of the windows [out, 2, 2, …], and the largest of each window."""
    rows = torch.maximum(candidates[:, :, 0], candidates[:, :, 1])
    return rows, torch.maximum(rows[:, 0], rows[:, 1])


def _shared_out(
    gradient: torch.Tensor, candidates: torch.Tensor, rows: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the gradient of the first and of the second of each row of the windows.

    Of equals, the first of a window gets it, row by row, as in PyTorch's max-pool.
    """
    of_rows = torch.empty_like(rows)
    torch.mul(gradient, rows[:, 0] >= rows[:, 1], out=of_rows[:, 0])
    torch.sub(gradient, of_rows[:, 0], out=of_rows[:, 1])
    first = of_rows * (candidates[:, :, 0] >= candidates[:, :, 1])
    return first, of_rows.sub_(first)
