"""A framework in a process of its own: two of them in one process have crashed by the order of their imports.

What happens in the other process looks as if it happened here:

    backend = RemoteBackend("tensorflow")
    learner = backend.learner(config, images, labels)
    learner.train_steps(batches, learning_rates)
"""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.backends import load_backend
from engine.backends.base import Device, Kernels, Learner, StepResults
from engine.config import TrainConfig

if TYPE_CHECKING:
    from engine.models import State

_numbers = itertools.count()


class RemoteBackend:
    """The backend called `name`, in its own process; see engine.backends.base.Backend."""

    def __init__(self, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, its_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(its_end,), name=f"backend {name}", daemon=True)
        self._process.start()
        its_end.close()
        self.name = name
        self.version: str = self.call(_version, name)

    def devices(self) -> list[Device]:
        found: list[Device] = self.call(_devices, self.name)
        return found

    def learner(self, config: TrainConfig, images: np.ndarray, labels: np.ndarray) -> RemoteLearner:
        number = next(_numbers)
        device, kernels = self.call(_make_learner, self.name, number, config, images, labels)
        return RemoteLearner(self, number, device, kernels)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of a module with `arguments` over there; return, or raise, what comes of it."""
        self._connection.send((function, arguments))
        try:
            answer, error = self._connection.recv()
        except EOFError:
            self._process.join()
            raise RuntimeError(f"The process of {self.name} has died ({self._process.exitcode}).") from None
        if error is not None:
            raise error
        return answer

    def forget_learners(self) -> None:
        """Free the memory of all learners so far."""
        self.call(_forget_learners)

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.join()


class RemoteLearner:
    """A learner of a RemoteBackend; see engine.backends.base.Learner."""

    def __init__(self, backend: RemoteBackend, number: int, device: Device, kernels: Kernels) -> None:
        self.device = device
        self.kernels = kernels
        self._backend = backend
        self._number = number

    def train_steps(
        self, batches: np.ndarray, learning_rates: np.ndarray, transforms: np.ndarray | None = None
    ) -> StepResults:
        results: StepResults = self._ask("train_steps", batches, learning_rates, transforms)
        return results

    def predict(self, images: np.ndarray) -> np.ndarray:
        logits: np.ndarray = self._ask("predict", images)
        return logits

    def state(self) -> State:
        state: State = self._ask("state")
        return state

    def load_state(self, state: State) -> None:
        self._ask("load_state", state)

    @property
    def framework_convolutions(self) -> int:
        """How many of the framework's own convolutions a training step contains."""
        found: int = self._backend.call(convolutions_trained_by, self._number)
        return found

    def _ask(self, method: str, *arguments: Any) -> Any:
        return self._backend.call(_ask_learner, self._number, method, *arguments)


# What follows happens in the other process.

_learners: dict[int, Learner] = {}


def _serve(connection: Connection) -> None:
    """Carry out calls until the other end closes the connection."""
    while True:
        try:
            function, arguments = connection.recv()
        except EOFError:
            return
        try:
            answer = function(*arguments), None
        except Exception as error:
            answer = None, error
        connection.send(answer)


def _version(name: str) -> str:
    return load_backend(name).version


def _devices(name: str) -> list[Device]:
    return load_backend(name).devices()


def _make_learner(
    name: str, number: int, config: TrainConfig, images: np.ndarray, labels: np.ndarray
) -> tuple[Device, Kernels]:
    learner = _learners[number] = load_backend(name).learner(config, images, labels)
    return learner.device, learner.kernels


def _ask_learner(number: int, method: str, *arguments: Any) -> Any:
    return getattr(_learners[number], method)(*arguments)


def _forget_learners() -> None:
    _learners.clear()


def convolutions_trained_by(number: int) -> int:
    """Return how many of the framework's own convolutions the steps of a learner contain, seen from outside it."""
    learner: Any = _learners[number]
    batches, rates = np.arange(32).reshape(1, 32), np.full(1, 0.01)
    if learner.__module__.startswith("engine.backends.torch"):
        import torch
        from torch.utils._python_dispatch import TorchDispatchMode

        calls: list[str] = []

        class Witness(TorchDispatchMode):
            def __torch_dispatch__(self, call: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
                calls.append(str(call))
                return call(*arguments, **(named or {}))

        with Witness():
            learner.train_steps(batches, rates)
        return calls.count(str(torch.ops.aten.convolution.default))
    learner.train_steps(batches, rates)
    (graph,) = learner._graphs.values()
    functions = graph.get_concrete_function().graph.as_graph_def().library.function
    return sum(node.op == "Conv2D" for function in functions for node in function.node_def)
