"""The transforms of engine.augmentation in TensorFlow."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from engine.augmentation import MAX_SHIFT


def warp(images: tf.Tensor, transforms: tf.Tensor, fill: float) -> tf.Tensor:
    """Resample `images` [n, h, w, 1] bilinearly through `transforms` [n, 2, 3]; outside them is `fill`."""
    affine = tf.pad(tf.reshape(transforms, [-1, 6]), [[0, 0], [0, 2]])
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images, transforms=affine, output_shape=images.shape[1:3], fill_value=fill,
        interpolation="BILINEAR", fill_mode="CONSTANT",
    )  # fmt: skip


def shift(images: tf.Tensor, shifts: tf.Tensor, fill: float) -> tf.Tensor:
    """Let each pixel of `images` [n, h, w, 1] show the one `shifts` [n, 2] (x, y) away; outside them is `fill`."""
    height, width = images.shape[1:3]
    sides = [MAX_SHIFT, MAX_SHIFT]
    padded = tf.pad(images, [[0, 0], sides, sides, [0, 0]], constant_values=fill)
    image, row = padded.shape[1] * padded.shape[2], padded.shape[2]
    columns, rows = tf.unstack(shifts + MAX_SHIFT, axis=1)
    corners = tf.range(shifts.shape[0], dtype=tf.int64) * image + rows * row + columns
    pixels = row * np.arange(height)[:, np.newaxis] + np.arange(width)
    return tf.gather(tf.reshape(padded, [-1, 1]), corners[:, tf.newaxis, tf.newaxis] + pixels)
