"""The blocks of engine.pooling in PyTorch, and the training step of a network made of them, written out by hand.

On tensors this small, most of the time of a step goes into what surrounds the arithmetic: recording it for autograd,
allocating results, making views. So gradients are computed here by formula, into tensors that are made once. Of several
operations that compute the same, the quickest was measured and taken: one that makes a mask of booleans, or reads a
transposed matrix, takes two to ten times as long.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from engine.models import CLASSES
from engine.pooling import PLACES, POOL, PooledBlock, frames, rows_of_pixels, window_rows


class PooledStep:
    """Computes the gradients of `network` for so many `images`: `blocks`, then one dense layer, then cross entropy.

    The images' pixels are put into `batch`, [n, h · w]. Gradients go to the parameters' `grad`. Running variances are
    the biased ones with `biased_variance`.

    Inside, values are rows [channels · height · width + 1, n]: a row a pixel, a column an image; the last row, zeros,
    is the padding.
    """

    def __init__(
        self, network: nn.Sequential, blocks: Sequence[PooledBlock], images: int, biased_variance: bool
    ) -> None:
        for parameter in network.parameters():
            parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        layers, rows = list(network), _rows(blocks[0].input_shape, images)
        self.batch = torch.empty(images, len(rows) - 1)
        self._columns, self._pixels = self.batch.t(), rows[:-1]
        self._blocks: list[_Block] = []
        for block in blocks:
            kind = _NormBlock if block.norm else _Block
            self._blocks.append(kind(block, layers[: block.layers], rows, biased_variance))
            layers, rows = layers[block.layers :], self._blocks[-1].output
        _, dense = layers
        self._weight, self._bias = dense.weight.detach(), dense.bias.detach()[:, None]
        self._of_weight, self._of_bias = dense.weight.grad, dense.bias.grad
        self._features, self._images_of_features = rows[:-1], rows[:-1].t()
        self._of_logits = torch.empty(CLASSES, images)
        self._of_features = torch.empty_like(self._features)

    def __call__(self, targets: torch.Tensor, log_probabilities: torch.Tensor) -> None:
        """Compute the gradients for the images in `batch`: `targets` and `log_probabilities`, to be filled, [10, n]."""
        self._pixels.copy_(self._columns)
        for block in self._blocks:
            block.forward()
        of_logits = torch.addmm(self._bias, self._weight, self._features, out=self._of_logits)
        torch.log_softmax(of_logits, 0, out=log_probabilities)
        torch.exp(log_probabilities, out=of_logits).sub_(targets).mul_(1 / len(self.batch))
        torch.mm(of_logits, self._images_of_features, out=self._of_weight)
        torch.sum(of_logits, 1, out=self._of_bias)
        of_output = torch.mm(self._weight.t(), of_logits, out=self._of_features)
        for block in reversed(self._blocks):
            block.backward(of_output)
            if block is not self._blocks[0]:
                of_output = block.of_input()


class _Block:
    """Convolution with bias, 2×2 max-pool, ReLU: `rows` is its input, `output` its output, in rows as well."""

    def __init__(self, block: PooledBlock, layers: Sequence[nn.Module], rows: torch.Tensor, biased: bool) -> None:
        images, filters, windows = rows.shape[1], block.conv.filters, window_rows(block)
        self._rows = rows
        self._frames = torch.from_numpy(frames(block))
        self._taps = self._frames.t()
        self._window_rows = torch.from_numpy(windows.flatten())
        places = rows_of_pixels(block)
        self._places = torch.from_numpy(places.flatten())
        self._first_places = torch.arange(0, places.size, places.shape[1], dtype=self._places.dtype)

        weight, of_weight = layers[0].weight.detach(), layers[0].weight.grad
        self._weight, self._of_weight = weight.view(filters, -1), of_weight.view(filters, -1)
        self._bias, self._of_bias = layers[0].bias.detach()[:, None], layers[0].bias.grad
        self._kernels, self._of_kernels = torch.empty(2, PLACES * filters, len(windows))
        self._framed, self._of_framed = self._kernels.view(filters, -1), self._of_kernels.view(filters, -1)

        self._patches = torch.empty(self._window_rows.numel(), images)
        self._patch_columns = self._patches.view(len(windows), -1)
        self._of_patches = torch.zeros(len(self._patches) + 1, images)  # the last row stands for no place
        self._of_patch_columns = self._of_patches[:-1].view(len(windows), -1)

        columns = windows.shape[1] * images
        self._candidates, self._of_candidates = torch.empty(2, filters * PLACES, columns)
        self._channels, self._of_channels = self._candidates.view(filters, -1), self._of_candidates.view(filters, -1)
        self._firsts, self._seconds = self._candidates.view(filters, POOL, POOL, columns).unbind(2)
        self._of_firsts, self._of_seconds = self._of_candidates.view(filters, POOL, POOL, columns).unbind(2)
        self._larger, self._of_larger, self._of_first = torch.empty(3, filters, POOL, columns)
        self._upper, self._lower = self._larger.unbind(1)
        self._of_upper, self._of_lower = self._of_larger.unbind(1)
        self._largest, self._of_pooled, self._product = torch.empty(3, filters, columns)
        self.output = _rows((filters, *block.output_size), images)
        self._pooled = self.output[:-1].view(filters, -1)

    def forward(self) -> None:
        """Compute the output."""
        self._convolve(self._weight)
        self._pool()
        torch.add(self._largest, self._bias, out=self._pooled).relu_()

    def backward(self, of_output: torch.Tensor) -> None:
        """Compute the parameters' gradients, given that of the output."""
        of_pooled = self._through_relu(of_output)
        torch.sum(of_pooled, 1, out=self._of_bias)
        self._share_out(of_pooled)
        self._of_firsts.copy_(self._of_first)
        torch.sub(self._of_larger, self._of_first, out=self._of_seconds)
        self._through_convolution()

    def of_input(self) -> torch.Tensor:
        """Return the gradient of the input, after `backward`: the sum over all patches that a pixel is in."""
        torch.mm(self._kernels.t(), self._of_candidates, out=self._of_patch_columns)
        return torch.embedding_bag(self._of_patches, self._places, self._first_places)[0]  # sums

    def _convolve(self, weight: torch.Tensor) -> None:
        """Compute what the pool chooses from, [4 out, windows · n]."""
        torch.mm(weight, self._frames, out=self._framed)
        torch.index_select(self._rows, 0, self._window_rows, out=self._patches)
        torch.mm(self._kernels, self._patch_columns, out=self._candidates)

    def _pool(self) -> None:
        """Compute the larger of each row of the windows, and the largest of each window."""
        torch.maximum(self._firsts, self._seconds, out=self._larger)
        torch.maximum(self._upper, self._lower, out=self._largest)

    def _through_relu(self, of_output: torch.Tensor) -> torch.Tensor:
        return torch.ops.aten.threshold_backward(
            of_output.view(self._pooled.shape), self._pooled, 0, grad_input=self._of_pooled
        )

    def _share_out(self, of_largest: torch.Tensor) -> None:
        """Compute the gradient of the larger of each row of the windows, and of the first in each row.

        Of equals, the first of a window gets it, row by row, as in PyTorch's max-pool.
        """
        torch.ge(self._upper, self._lower, out=self._of_upper).mul_(of_largest)
        torch.sub(of_largest, self._of_upper, out=self._of_lower)
        torch.ge(self._firsts, self._seconds, out=self._of_first).mul_(self._of_larger)

    def _through_convolution(self) -> None:
        """Compute the weight's gradient."""
        torch.mm(self._of_candidates, self._patch_columns.t(), out=self._of_kernels)
        torch.mm(self._of_framed, self._taps, out=self._of_weight)


class _NormBlock(_Block):
    """Convolution, batch norm, 2×2 max-pool, ReLU.

    The convolution's bias is left out, for batch norm would take it off again: its gradient is zero.
    """

    def __init__(self, block: PooledBlock, layers: Sequence[nn.Module], rows: torch.Tensor, biased: bool) -> None:
        super().__init__(block, layers, rows, biased)
        self._norm = norm = layers[1]
        self._scale, self._offset = (tensor.detach()[:, None] for tensor in (norm.weight, norm.bias))
        self._of_scale, self._of_offset = (tensor.grad[:, None] for tensor in (norm.weight, norm.bias))
        self._running_mean, self._running_variance = (
            tensor[:, None] for tensor in (norm.running_mean, norm.running_var)
        )
        self._count = self._channels.shape[1]
        self._unbiased = 1.0 if biased else self._count / (self._count - 1)
        self._ones = torch.ones_like(self._scale)

    def forward(self) -> None:
        """Compute the output, and let the running statistics follow."""
        self._sign = torch.copysign(self._ones, self._scale)
        self._convolve(self._weight * self._sign)
        channels = self._channels
        mean = channels.mean(1, keepdim=True)
        channels -= mean
        variance = torch.square(channels, out=self._of_channels).mean(1, keepdim=True)
        self._pool()
        self._deviation = (variance + self._norm.eps).rsqrt_()
        self._factor = self._scale.abs().mul_(self._deviation)
        torch.mul(self._largest, self._factor, out=self._pooled).add_(self._offset).relu_()
        momentum = self._norm.momentum
        self._running_mean.lerp_(torch.addcmul(self._bias, mean, self._sign), momentum)
        self._running_variance.lerp_(variance.mul_(self._unbiased), momentum)

    def backward(self, of_output: torch.Tensor) -> None:
        """Compute the parameters' gradients, given that of the output.

        Batch norm's gradient is g·s − s·mean(g) − s·x̂·mean(g·x̂) (Ioffe and Szegedy, 2015), s = scale/deviation.
        Only the largest of each window has a g other than zero, so the means are sums over those.
        """
        of_pooled = self._through_relu(of_output)
        of_offset = torch.sum(of_pooled, 1, keepdim=True, out=self._of_offset)
        of_scale = torch.mul(of_pooled, self._largest, out=self._product).sum(1, keepdim=True).mul_(self._deviation)
        torch.mul(of_scale, self._sign, out=self._of_scale)
        share = self._factor / -self._count
        slope, constant = of_scale.mul_(self._deviation).mul_(share), share.mul_(of_offset)
        torch.mul(self._channels, slope, out=self._of_channels).add_(constant)
        self._share_out(of_pooled.mul_(self._factor))
        self._of_firsts.add_(self._of_first)
        self._of_seconds.add_(self._of_larger.sub_(self._of_first))
        self._through_convolution()
        self._of_weight.mul_(self._sign)


def _rows(shape: tuple[int, int, int], images: int) -> torch.Tensor:
    channels, height, width = shape
    return torch.zeros(channels * height * width + 1, images)
