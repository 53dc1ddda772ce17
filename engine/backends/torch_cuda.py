"""A step of PyTorch replayed from a CUDA graph: a small network's step is otherwise all launch overhead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch

WARM_UP_STEPS = 3
"""Steps taken one kernel at a time, on a stream of their own, before a graph is captured (PyTorch's CUDA notes)."""

Results = tuple[torch.Tensor, torch.Tensor]
Step = Callable[..., Results]


def current(device: torch.device) -> AbstractContextManager[object]:
    """Make `device` the current one: streams and graphs belong to that, whatever device the tensors are on."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


class CapturedStep:
    """`step` takes tensors and returns loss and right answers; all else it uses must stay where it is.

    Every call is one step: the first few warm up, the next one captures the graph, and from there it is replayed. What
    `trained()` returns, weights and optimizer state, must change by the first replay: an empty graph would train
    nothing, at a splendid speed. If it does not, or if the step cannot be captured, every step is taken one kernel at
    a time, and `problem` says why.
    """

    def __init__(self, step: Step, trained: Callable[[], Sequence[torch.Tensor]]) -> None:
        self.problem = ""
        self._step = step
        self._trained = trained
        self._taken = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: tuple[torch.Tensor, ...] = ()
        self._results: Results | None = None

    def __call__(self, *inputs: torch.Tensor) -> Results:
        """Take a step on `inputs`, which have the shapes of the first time. Its device is the current one."""
        if self.problem:
            return self._step(*inputs)
        if self._taken < WARM_UP_STEPS:
            self._taken += 1
            return self._warm_up(inputs)
        if self._graph is None or self._results is None:
            return self._capture(inputs)
        for kept, given in zip(self._inputs, inputs, strict=True):
            kept.copy_(given)
        self._graph.replay()
        return self._results

    def _warm_up(self, inputs: tuple[torch.Tensor, ...]) -> Results:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            results = self._step(*inputs)
        torch.cuda.current_stream().wait_stream(stream)
        return results

    def _capture(self, inputs: tuple[torch.Tensor, ...]) -> Results:
        self._inputs = tuple(given.clone() for given in inputs)
        before = [tensor.clone() for tensor in self._trained()]
        graph = torch.cuda.CUDAGraph()
        try:
            # A stream of its own: PyTorch keeps one for all graphs of the process, on the device of the first.
            with torch.cuda.graph(graph, stream=torch.cuda.Stream()):
                results = self._step(*self._inputs)
            graph.replay()
            if any_changed(before, self._trained()):
                self._graph, self._results = graph, results
                return results
            self.problem = "its replay changed no weight"
        except RuntimeError as error:
            self.problem = str(error).strip().split("\n")[0] or type(error).__name__
        return self._step(*inputs)


def any_changed(before: Sequence[torch.Tensor], now: Sequence[torch.Tensor]) -> bool:
    """Return whether any of the tensors differs from what it was."""
    return any(not torch.equal(old, new) for old, new in zip(before, now, strict=True))
