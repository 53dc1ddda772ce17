"""The blocks of engine.pooling in TensorFlow: convolution, batch norm, max-pool and ReLU as one operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from engine.pooling import PLACES, POOL, PooledBlock, frames, rows_of_pixels, window_rows


class PooledConvolution:
    """One block. Values are [channels · height · width, n]: a row a pixel, a column an image."""

    def __init__(self, block: PooledBlock, epsilon: float) -> None:
        self._block, self._epsilon = block, epsilon
        self._frames = tf.constant(frames(block))
        self._windows = tf.constant(window_rows(block))
        self._occurrences = tf.constant(rows_of_pixels(block).T)

    def __call__(self, values: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
        """Return the pool's output for a convolution with `weight` [k, k, in, out] and `bias`, without batch norm."""

        @tf.custom_gradient
        def block(values: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor) -> tuple[tf.Tensor, Callable[..., Any]]:
            patches, kernels = self._patches(values), self._framed(weight)
            candidates = self._candidates(kernels, patches)
            rows, largest = _largest(candidates)
            output = tf.nn.relu(largest + bias[:, None, None])

            def gradient(of_output: tf.Tensor) -> tuple[tf.Tensor, ...]:
                pooled = tf.where(output > 0, tf.reshape(of_output, tf.shape(output)), 0.0)
                of_candidates = _shared_out(pooled, candidates, rows)
                of_values, of_weight = self._backward(of_candidates, kernels, patches)
                return of_values, of_weight, _sums(pooled)

            return self._as_rows(output), gradient

        return block(values, weight, bias)

    def normalised(
        self, values: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Return the pool's output with batch norm, and the batch's mean and biased variance, [out].

        Batch norm takes the convolution's bias off again, so it is in the mean alone and its gradient is zero.
        """

        @tf.custom_gradient
        def block(
            values: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor
        ) -> tuple[tuple[tf.Tensor, tf.Tensor, tf.Tensor], Callable[..., Any]]:
            sign = tf.where(scale < 0, -1.0, 1.0)
            patches, kernels = self._patches(values), self._framed(weight * sign)
            candidates = self._candidates(kernels, patches)
            count = tf.cast(tf.size(candidates) // scale.shape[0], tf.float32)
            mean = _sums(candidates) / count
            centred = candidates - mean[:, None, None, None, None]
            variance = _sums(tf.square(centred)) / count
            deviation = tf.math.rsqrt(variance + self._epsilon)
            rows, largest = _largest(centred)
            factor = scale * sign * deviation
            output = tf.nn.relu(largest * factor[:, None, None] + offset[:, None, None])

            def gradient(of_output: tf.Tensor, *_: tf.Tensor) -> tuple[tf.Tensor, ...]:
                """g·s − s·mean(g) − s·x̂·mean(g·x̂) (Ioffe and Szegedy, 2015), s = scale/deviation.

                Only the largest of each window has a g other than zero, so the means are sums over those.
                """
                pooled = tf.where(output > 0, tf.reshape(of_output, tf.shape(output)), 0.0)
                of_offset, of_scale = _sums(pooled), _sums(pooled * largest) * deviation
                slope, constant = factor * of_scale * deviation / -count, factor * of_offset / -count
                of_candidates = _shared_out(pooled * factor[:, None, None], centred, rows)
                of_candidates += centred * slope[:, None, None, None, None] + constant[:, None, None, None, None]
                of_values, of_weight = self._backward(of_candidates, kernels, patches)
                return of_values, of_weight * sign, tf.zeros_like(bias), of_scale * sign, of_offset

            return (self._as_rows(output), mean * sign + bias, variance), gradient

        return block(values, weight, bias, scale, offset)

    def _patches(self, values: tf.Tensor) -> tf.Tensor:
        """Return what each window is computed from, [in (k+1)², windows · n]."""
        if self._block.conv.padding:
            values = tf.concat([values, tf.zeros([1, tf.shape(values)[1]])], 0)
        return tf.reshape(tf.gather(values, self._windows), [self._windows.shape[0], -1])

    def _candidates(self, kernels: tf.Tensor, patches: tf.Tensor) -> tf.Tensor:
        """Return what the pool chooses from, [out, 2, 2, windows, n]."""
        return tf.reshape(kernels @ patches, [self._block.conv.filters, POOL, POOL, self._windows.shape[1], -1])

    def _backward(self, of_candidates: tf.Tensor, kernels: tf.Tensor, patches: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Return the gradients of the values and of the weight."""
        flat = tf.reshape(of_candidates, [kernels.shape[0], -1])
        of_patches = tf.matmul(kernels, flat, transpose_a=True)
        images = tf.shape(of_candidates)[-1]
        of_patches = tf.concat([tf.reshape(of_patches, [-1, images]), tf.zeros([1, images])], 0)
        of_values = tf.add_n([tf.gather(of_patches, places) for places in tf.unstack(self._occurrences)])
        return of_values, self._unframed(tf.matmul(flat, patches, transpose_b=True))

    def _framed(self, weight: tf.Tensor) -> tf.Tensor:
        """Return the kernels of `weight` [k, k, in, out] in their frames, [4 out, in (k+1)²]."""
        filters = weight.shape[-1]
        taps = tf.reshape(tf.transpose(weight, [3, 2, 0, 1]), [filters, -1])
        return tf.reshape(taps @ self._frames, [filters * PLACES, -1])

    def _unframed(self, of_kernels: tf.Tensor) -> tf.Tensor:
        """Return the gradient of the weight, given that of the kernels in their frames."""
        conv, channels = self._block.conv, self._block.input_shape[0]
        taps = tf.matmul(tf.reshape(of_kernels, [conv.filters, -1]), self._frames, transpose_b=True)
        return tf.transpose(tf.reshape(taps, [conv.filters, channels, conv.kernel, conv.kernel]), [2, 3, 1, 0])

    def _as_rows(self, output: tf.Tensor) -> tf.Tensor:
        return tf.reshape(output, [self._block.conv.filters * self._windows.shape[1], -1])


def _sums(values: tf.Tensor) -> tf.Tensor:
    """Return the sums, [out], over all axes but the first: one axis after the other, which keeps the digits."""
    while len(values.shape) > 1:
        values = tf.reduce_sum(values, -1)
    return values


def _largest(candidates: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the larger of each row of the windows [out, 2, 2, …], and the largest of each window."""
    rows = tf.maximum(candidates[:, :, 0], candidates[:, :, 1])
    return rows, tf.maximum(rows[:, 0], rows[:, 1])


def _shared_out(gradient: tf.Tensor, candidates: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Return the gradient of the candidates: of equals, the first of a window has it, row by row."""
    upper = tf.where(rows[:, 0] >= rows[:, 1], gradient, 0.0)
    of_rows = tf.stack([upper, gradient - upper], 1)
    first = tf.where(candidates[:, :, 0] >= candidates[:, :, 1], of_rows, 0.0)
    return tf.stack([first, of_rows - first], 2)
