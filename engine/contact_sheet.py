"""`python -m engine.contact_sheet`: pictures and captions come in as npz, a sheet of them goes out as PNG.

A process of its own, because torchvision brings PyTorch with it.
"""

from __future__ import annotations

import io
import math
import sys
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torchvision.utils import make_grid

SCALE = 2
CAPTION_HEIGHT = 14
PADDING = 4


def sheet(images: np.ndarray, captions: list[str]) -> Image.Image:
    """Return `images`, uint8 [n, 28, 28], in about a square, each twice as large and with its caption below."""
    tiles = torch.stack([_tile(image, caption) for image, caption in zip(images, captions, strict=True)])
    columns = max(1, math.isqrt(len(tiles) - 1) + 1)
    grid: Any = make_grid(tiles[:, None], nrow=columns, padding=PADDING, pad_value=48)
    return Image.fromarray(grid[0].numpy())


def _tile(image: np.ndarray, caption: str) -> torch.Tensor:
    side = image.shape[0] * SCALE
    tile = Image.new("L", (side, side + CAPTION_HEIGHT))
    tile.paste(Image.fromarray(image).resize((side, side), Image.Resampling.NEAREST))
    ImageDraw.Draw(tile).text((side // 2, side + CAPTION_HEIGHT // 2), caption, fill=255, anchor="mm")
    return torch.from_numpy(np.array(tile))


def main() -> None:
    """Answer the one request on stdin."""
    with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as request:
        drawn = sheet(request["images"], request["captions"].tolist())
    drawn.save(sys.stdout.buffer, format="PNG")


if __name__ == "__main__":
    main()
