"""A run's settings as a person would say them."""

from __future__ import annotations

from engine.backends import BACKENDS
from engine.config import TrainConfig
from engine.conventions import conventions_of
from tui.formats import count

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


def in_a_line(config: TrainConfig) -> str:
    """Return the recipe of `config`, but for its backend: `cnn-bn · Adam 0.01 · batch 64 · 10 epochs · seed 0`."""
    conventions = "PyTorch's" if conventions_of(config).initialisation == "torch" else "Keras's"
    parts = [
        config.model,
        f"{OPTIMIZERS[config.optimizer].format(momentum=config.momentum)} {config.learning_rate:g}",
        "" if config.schedule == "constant" else config.schedule,
        f"batch {count(config.batch_size)}",
        "1 epoch" if config.epochs == 1 else f"{count(config.epochs)} epochs",
        f"first {count(config.limit)} images" if config.limit else "",
        f"{count(config.validation)} held out" if config.validation else "",
        "" if config.augmentation == "none" else f"images {AUGMENTATIONS[config.augmentation]}",
        f"seed {config.seed}",
        f"{conventions} defaults",
    ]
    return " · ".join(part for part in parts if part)


def sentences(config: TrainConfig) -> list[str]:
    """Return the recipe of `config` in sentences."""
    optimizer = OPTIMIZERS[config.optimizer].format(momentum=config.momentum)
    conventions = conventions_of(config)
    normaliser = "PyTorch" if conventions.initialisation == "torch" else "Keras"
    order = "in a new order every epoch" if config.shuffle else "always in the same order"
    where = "the best device it sees" if config.device == "auto" else config.device
    epochs = "one epoch" if config.epochs == 1 else f"{count(config.epochs)} epochs"
    told = [
        f"{BACKENDS[config.backend].label} trains on {where}, for {epochs}.",
        f"Each step takes {count(config.batch_size)} images, {order}, and lowers their cross entropy "
        f"by {optimizer} at a learning rate of {config.learning_rate:g}, {SCHEDULES[config.schedule]}.",
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
    if config.limit:
        told.append(f"Only the first {count(config.limit)} training images are used.")
    if config.validation:
        told.append(f"{count(config.validation)} training images are held out to choose the best epoch.")
    return told
