"""A step of PyTorch replayed from a CUDA graph: a small network's step is otherwise all launch overhead."""

from __future__ import annotations

from collections.abc import Callable

import torch

WARM_UP_STEPS = 3
"""Steps taken one kernel at a time, on a stream of their own, before a graph is captured (PyTorch's CUDA notes)."""

Step = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


class CapturedStep:
    """`step` takes image numbers, [n], and returns loss and right answers; all it uses must stay where it is.

    Every call is one step: the first few warm up, the next one captures the graph, and from there it is replayed.
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        self._taken = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._indices: torch.Tensor | None = None
        self._results: tuple[torch.Tensor, torch.Tensor] | None = None

    def __call__(self, indices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Take a step on the images with these numbers, as many as the first time."""
        if self._taken < WARM_UP_STEPS:
            self._taken += 1
            return self._warm_up(indices)
        if self._graph is None or self._indices is None:
            self._indices = indices.clone()
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._results = self._step(self._indices)
        else:
            self._indices.copy_(indices)
        self._graph.replay()
        assert self._results
        return self._results

    def _warm_up(self, indices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            results = self._step(indices)
        torch.cuda.current_stream().wait_stream(stream)
        return results
