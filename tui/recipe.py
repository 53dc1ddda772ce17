"""A run's settings as a person would say them."""

from __future__ import annotations

from engine.backends import BACKENDS
from engine.changes import BackendChange, Extension
from engine.config import TrainConfig
from engine.conventions import conventions_of
from engine.runs import Progress
from tui.change_words import backend_text, learning_rate_text
from tui.formats import count

NOT_BEGUN = Progress()

OPTIMIZERS = {
    "sgd": "plain SGD",
    "momentum": "SGD with momentum {momentum:g}",
    "nesterov": "SGD with Nesterov momentum {momentum:g}",
    "adam": "Adam",
    "adamw": "AdamW",
}
SCHEDULES = {
    "constant": "the same all the time",
    "cosine": "falling along a cosine",
    "onecycle": "rising, then falling (one cycle)",
}
PIXELS = {"unit": "to 0 … 1", "symmetric": "to −1 … 1", "standard": "to mean 0 and deviation 1"}
AUGMENTATIONS = {"shift": "shifted by up to 2 pixels", "affine": "turned, scaled and shifted a little"}


SHORT_AUGMENTATIONS = {"shift": "shifted images", "affine": "warped images"}


def in_a_line(config: TrainConfig, progress: Progress = NOT_BEGUN) -> str:
    """Return the recipe of `config`, but for its backend: `cnn-bn · Adam 0.01 · batch 64 · 10 epochs · seed 0`.

    With the `progress` of a run, what was changed on the way is told, too: `Adam 0.01 → 0.003 in epoch 3`.
    """
    conventions = "PyTorch's" if conventions_of(config).initialisation == "torch" else "Keras's"
    optimizer = OPTIMIZERS[config.optimizer].format(momentum=config.momentum)
    parts = [
        config.model,
        f"{optimizer} {learning_rate_text(config, progress)}",
        "" if config.schedule == "constant" else config.schedule,
        f"batch {count(config.batch_size)}",
        _epochs(config, progress),
        f"first {count(config.limit)} images" if config.limit else "",
        f"{count(config.validation)} held out" if config.validation else "",
        "" if config.augmentation == "none" else f"images {AUGMENTATIONS[config.augmentation]}",
        f"labels smoothed {config.label_smoothing:g}" if config.label_smoothing else "",
        f"seed {config.seed}",
        f"{conventions} defaults",
        backend_text(config, progress) if any(isinstance(one, BackendChange) for one in progress.changes) else "",
    ]
    return " · ".join(part for part in parts if part)


def sentences(config: TrainConfig, progress: Progress = NOT_BEGUN) -> list[str]:
    """Return the recipe of `config` in sentences; with the `progress` of a run, also what was changed on the way."""
    optimizer = OPTIMIZERS[config.optimizer].format(momentum=config.momentum)
    conventions = conventions_of(config)
    normaliser = "PyTorch" if conventions.initialisation == "torch" else "Keras"
    order = "in a new order every epoch" if config.shuffle else "always in the same order"
    told = [
        f"{_backends(config, progress)} on {_device(config, progress)}, for {_epochs(config, progress)}.",
        f"Each step takes {count(config.batch_size)} images, {order}, and lowers their cross entropy "
        f"by {optimizer} at a learning rate of {learning_rate_text(config, progress)}, {SCHEDULES[config.schedule]}.",
        f"Pixels are scaled {PIXELS[config.normalisation]}.",
        f"Initial weights, Adam's ε ({conventions.adam_epsilon:g}) and batch norm's constants are {normaliser}'s; "
        f"the seed is {config.seed}.",
    ]
    if config.augmentation != "none":
        told.append(f"The training images are {AUGMENTATIONS[config.augmentation]}.")
    if config.weight_decay:
        told.append(f"Weight decay {config.weight_decay:g} pulls the weights towards zero.")
    if config.label_smoothing:
        told.append(f"Labels are smoothed by {config.label_smoothing:g}.")
    if note := training_loss_note(config):
        told.append(note)
    if config.limit:
        told.append(f"Only the first {count(config.limit)} training images are used.")
    if config.validation:
        told.append(f"{count(config.validation)} training images are held out to choose the best epoch.")
    return told


def training_loss_note(config: TrainConfig) -> str:
    """Say why training and test loss do not compare; nothing where they do."""
    harder = (
        "smoothed labels" if config.label_smoothing else "",
        SHORT_AUGMENTATIONS.get(config.augmentation, ""),
    )
    words = " and ".join(part for part in harder if part)
    return f"Train loss is that of {words}; test loss is not." if words else ""


def _backends(config: TrainConfig, progress: Progress) -> str:
    changes = [change for change in progress.changes if isinstance(change, BackendChange)]
    if not changes:
        return f"{BACKENDS[config.backend].label} trains"
    later = ", ".join(f"{BACKENDS[change.after].label} from epoch {count(change.epoch)} on" for change in changes)
    return f"{BACKENDS[changes[0].before].label}, then {later}, trains"


def _device(config: TrainConfig, progress: Progress) -> str:
    if progress.started:
        return progress.started.device
    return "the best device it sees" if config.device == "auto" else config.device


def _epochs(config: TrainConfig, progress: Progress) -> str:
    """Return `10 epochs`, or for a run that was extended `10 → 20 epochs`."""
    changes = [change for change in progress.changes if isinstance(change, Extension)]
    first = changes[0].before if changes else config.epochs
    number = " → ".join(count(epochs) for epochs in (first, *(change.after for change in changes)))
    return f"{number} epoch" if number == "1" else f"{number} epochs"
