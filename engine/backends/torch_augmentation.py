"""The transforms of engine.augmentation in PyTorch."""

from __future__ import annotations

import torch
from torch.nn import functional

from engine.augmentation import MAX_SHIFT


def warp(images: torch.Tensor, transforms: torch.Tensor, fill: float) -> torch.Tensor:
    """Resample `images` [n, 1, h, w] bilinearly through `transforms` [n, 2, 3]; outside them is `fill`."""
    height, width = images.shape[2:]
    rows, columns = torch.meshgrid(
        torch.arange(height, dtype=images.dtype, device=images.device),
        torch.arange(width, dtype=images.dtype, device=images.device),
        indexing="ij",
    )
    pixels = torch.stack([columns, rows, torch.ones_like(rows)], dim=-1).reshape(-1, 3)
    sources = (pixels @ transforms.transpose(1, 2)).reshape(-1, height, width, 2)
    # From pixels to grid_sample's −1…1, where ±1 are the image's outer edges.
    # The sizes are filled in on the device: a copy from the host could not be captured in a CUDA graph.
    sizes = torch.cat([torch.full((1,), size, dtype=images.dtype, device=images.device) for size in (width, height)])
    grid = (2 * sources + 1) / sizes - 1
    return functional.grid_sample(images - fill, grid, align_corners=False) + fill


def shift(images: torch.Tensor, shifts: torch.Tensor, fill: float) -> torch.Tensor:
    """Let each pixel of `images` [n, 1, h, w] show the one `shifts` [n, 2] (x, y) away; outside them is `fill`."""
    height, width = images.shape[2:]
    padded = functional.pad(images[:, 0], [MAX_SHIFT] * 4, value=fill)
    windows = padded.unfold(1, height, 1).unfold(2, width, 1)
    columns, rows = (shifts + MAX_SHIFT).unbind(1)
    return windows[torch.arange(len(images), device=images.device), rows, columns].unsqueeze(1)
