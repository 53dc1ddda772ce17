"""How a small convolution and the 2×2 max-pool after it become one matrix product, framework-neutral.

The frameworks' own kernels share the work out by channels, and four of them leave most of a processor idle. Both
backends therefore train such blocks on the CPU with the batch as the innermost axis, so that whatever the window,
memory is read in runs of one float an image. A convolution that a pool follows is computed as four, one for each
place in the pool's window: k×k kernels, put in frames of (k+1)×(k+1), make all four one product, and the maximum
chooses among whole planes. Batch norm and ReLU never change which value is the largest (where batch norm's scale is
negative, the kernel is negated first), so they come after the pool, on a quarter of the values. Weights, gradients
and statistics are those of the plain layers but for rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.cores import usable_cores
from engine.models import Architecture, BatchNorm, Conv, Dense, Flatten, LayerRow, MaxPool, ReLU

if TYPE_CHECKING:
    import numpy as np

POOL = 2
PLACES = POOL * POOL
MOST_CHANNELS = 8
"""With more, the frameworks' own kernels are as quick."""


@dataclass(frozen=True)
class PooledBlock:
    """A convolution, the batch norm that may follow it, ReLU and a 2×2 max-pool; `input_shape` is [in, h, w]."""

    conv: Conv
    norm: BatchNorm | None
    input_shape: tuple[int, int, int]

    @property
    def layers(self) -> int:
        """How many layers of the network it stands for."""
        return 3 if self.norm is None else 4

    @property
    def side(self) -> int:
        """The side of the frame: what one window of the pool is computed from."""
        return self.conv.kernel + 1

    @property
    def output_size(self) -> tuple[int, int]:
        """Height and width after the pool; what is left over at the right and bottom is dropped."""
        _, height, width = self.input_shape
        taken = 2 * self.conv.padding - self.conv.kernel + 1
        return (height + taken) // POOL, (width + taken) // POOL


def pooled_blocks(architecture: Architecture) -> tuple[PooledBlock, ...]:
    """Return the blocks that `architecture` begins with and that are small enough to be worth it."""
    blocks: list[PooledBlock] = []
    rows = architecture.table()
    while block := _block(rows):
        blocks.append(block)
        rows = rows[block.layers :]
    return tuple(blocks)


def is_blocks_and_dense(architecture: Architecture) -> bool:
    """Return whether `architecture` is nothing but pooled blocks and one dense layer."""
    blocks = pooled_blocks(architecture)
    rest = architecture.layers[sum(block.layers for block in blocks) :]
    match rest:
        case (Flatten(), Dense(bias=True)):
            return bool(blocks)
    return False


def _block(rows: tuple[LayerRow, ...]) -> PooledBlock | None:
    match [row.layer for row in rows[:4]]:
        case [Conv() as conv, BatchNorm() as norm, ReLU(), MaxPool(size=POOL)]:
            block = PooledBlock(conv, norm, _image(rows[0]))
            # What the pool drops counts in batch norm's statistics all the same.
            whole = all(side % POOL == 0 for side in rows[0].output_shape[1:])
        case [Conv() as conv, ReLU(), MaxPool(size=POOL), *_]:
            block, whole = PooledBlock(conv, None, _image(rows[0])), True
        case _:
            return None
    is_small = max(conv.filters, block.input_shape[0]) <= MOST_CHANNELS
    is_plain = conv.stride == 1 and conv.kernel % 2 == 1 and conv.bias
    return block if whole and is_small and is_plain else None


def _image(row: LayerRow) -> tuple[int, int, int]:
    channels, height, width = row.input_shape
    return channels, height, width


def default_threads(architecture: Architecture) -> int:
    """Return how many threads train `architecture` best: one where a step is too short to be shared out.

    Two threads then wait for each other more than they compute, the more so on a busy machine.
    """
    return 1 if pooled_blocks(architecture) else usable_cores()


def frames(block: PooledBlock) -> np.ndarray:
    """Return the 0/1 matrix, float32 [in k², 4 in (k+1)²], that puts kernels in the frame of each place of a window."""
    import numpy as np

    channels, kernel, side = block.input_shape[0], block.conv.kernel, block.side
    taps = np.eye(channels * kernel * kernel, dtype=np.float32).reshape(-1, channels, kernel, kernel)
    framed = np.zeros((len(taps), POOL, POOL, channels, side, side), np.float32)
    for row in range(POOL):
        for column in range(POOL):
            framed[:, row, column, :, row : row + kernel, column : column + kernel] = taps
    return framed.reshape(len(taps), -1)


def window_rows(block: PooledBlock) -> np.ndarray:
    """Return which pixel of the input, int32 [in (k+1)², h/2 · w/2], each window of the pool is computed from.

    Pixels are numbered channel by channel, row by row; the number after the last one is the padding.
    """
    import numpy as np

    channels, height, width = block.input_shape
    padding, (rows, columns) = block.conv.padding, block.output_size
    pixels = np.arange(channels * height * width, dtype=np.int32).reshape(channels, height, width)
    sides = [(0, 0), (padding, padding), (padding, padding)]
    padded = np.pad(pixels, sides, constant_values=pixels.size)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (block.side, block.side), axis=(1, 2))
    windows = windows[:, ::POOL, ::POOL][:, :rows, :columns]
    return np.ascontiguousarray(windows.transpose(0, 3, 4, 1, 2)).reshape(channels * block.side**2, rows * columns)


def rows_of_pixels(block: PooledBlock) -> np.ndarray:
    """Return where in `window_rows`, flattened, each pixel of the input occurs, int32 [in · h · w, m].

    A pixel occurs up to m = ((k+1)/2)² times; where it does less often, the number after the last place stands.
    """
    import numpy as np

    pixels = int(np.prod(block.input_shape))
    occurrences = window_rows(block).ravel()
    order = np.argsort(occurrences, kind="stable")
    order = order[occurrences[order] < pixels]
    sorted_pixels = occurrences[order]
    number = np.arange(len(order)) - np.searchsorted(sorted_pixels, sorted_pixels)
    places = np.full((pixels, (block.side // POOL) ** 2), len(occurrences), np.int32)
    places[sorted_pixels, number] = order
    return places
