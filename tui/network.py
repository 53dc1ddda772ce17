"""What the Model screen shows of a run's network, worked out on background threads: functions that return a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from engine import checkpoint
from engine.checkpoint import Metadata
from engine.config import TrainConfig
from engine.errors import CheckpointError, EngineError
from engine.models import ARCHITECTURES, Architecture, Conv, ReLU
from tui.datasets import dataset_of
from tui.snapshot import RunSnapshot

if TYPE_CHECKING:
    import numpy as np

    from engine.data import Dataset
    from engine.events import CheckpointSaved
    from engine.models import State


@dataclass(frozen=True, eq=False)
class Network:
    """What a run has learnt up to a checkpoint; `warning` says so when that is not its last one."""

    run_id: str
    config: TrainConfig
    state: State
    metadata: Metadata
    warning: str

    @property
    def architecture(self) -> Architecture:
        """Its layers."""
        return ARCHITECTURES[self.config.model]

    @property
    def first_filters(self) -> tuple[str, np.ndarray]:
        """The first convolution's name, and its weights [filters, height, width] for the grey pixels."""
        first = next(layer for layer in self.architecture.layers if isinstance(layer, Conv))
        return first.name, self.state[f"{first.name}.weight"][:, 0]

    @property
    def moment(self) -> str:
        """When the checkpoint was written: `after epoch 3`."""
        metadata = self.metadata
        if metadata.step:
            return f"{metadata.step:,} steps into epoch {metadata.epoch + 1}"
        return f"after epoch {metadata.epoch}"


@dataclass
class NetworkRead(Message):
    """What a run had learnt when `saved` was told; `dataset` holds its images, unless `problem` says why not."""

    run_id: str
    saved: CheckpointSaved
    network: Network
    dataset: Dataset | None
    problem: EngineError | None


@dataclass
class NetworkMissing(Message):
    """Why it cannot be shown what a run had learnt when `saved` was told."""

    run_id: str
    saved: CheckpointSaved
    error: EngineError


@dataclass
class ImageAnswered(Message):
    """What `network` makes of the test image `index`.

    `maps`: the answers of the filters of its first layers, float32 [filters, height, width], by the layer's name.
    `probabilities`: one a class.
    """

    network: Network
    index: int
    image: np.ndarray
    label: int
    maps: dict[str, np.ndarray]
    probabilities: tuple[float, ...]


def read_network(snapshot: RunSnapshot, saved: CheckpointSaved) -> Message:
    """Read the newest checkpoint of the run that loads: NetworkRead, or NetworkMissing with the reason."""
    run, config = snapshot.run, snapshot.config
    assert config is not None
    try:
        found = checkpoint.latest(run.path, ARCHITECTURES[config.model], config.optimizer)
        if found is None:
            raise CheckpointError("No checkpoint", f"{run.path} holds none any more.", "Train again: press 1.")
    except EngineError as error:
        return NetworkMissing(run.id, saved, error)
    network = Network(run.id, config, *found)
    try:
        return NetworkRead(run.id, saved, network, dataset_of(config, snapshot.progress.started), None)
    except EngineError as error:
        return NetworkRead(run.id, saved, network, None, error)


def answer(network: Network, dataset: Dataset, index: int) -> Message:
    """Work out what every filter of `network` answers to the test image `index`."""
    import numpy as np

    from engine.conventions import conventions_of
    from engine.evaluation import log_softmax
    from engine.forward import layer_outputs
    from engine.pixels import normalise

    image, config = dataset.test_images[index], network.config
    pixels = normalise(image, config.normalisation)[None, None]
    epsilon = conventions_of(config).batch_norm_epsilon
    outputs = layer_outputs(network.architecture, network.state, pixels, epsilon)
    layers = [layer for layer in network.architecture.layers if isinstance(layer, ReLU)]
    maps = {layer.name: outputs[layer.name][0] for layer in layers if outputs[layer.name].ndim == 4}
    logits = outputs[network.architecture.layers[-1].name]
    probabilities = np.exp(log_softmax(logits))[0]
    return ImageAnswered(network, index, image, int(dataset.test_labels[index]), maps, tuple(probabilities.tolist()))
