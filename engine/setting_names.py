"""The setting that somebody means who calls it by another tool's name, or misspells it."""

from __future__ import annotations

import difflib
from collections.abc import Collection

OTHER_NAMES = {
    "learning_rate": "lr eta step_size base_lr initial_lr init_lr max_lr peak_lr learningrate",
    "batch_size": "bs batch batchsize mini_batch minibatch mini_batch_size minibatch_size train_batch_size b",
    "epochs": "epoch n_epochs num_epochs nepochs max_epochs num_train_epochs n_epoch iterations",
    "backend": "framework library engine lib",
    "device": "gpu gpus cuda accelerator dev gpu_id use_gpu",
    "model": "arch architecture network net nn",
    "optimizer": "opt optim optimiser solver",
    "seed": "random_seed manual_seed random_state rng_seed",
    "momentum": "mom beta",
    "weight_decay": "wd decay l2 l2_reg regularization regularisation",
    "schedule": "scheduler lr_schedule lr_scheduler learning_rate_schedule lr_policy",
    "label_smoothing": "smoothing ls",
    "normalisation": "normalization normalise normalize norm pixels",
    "augmentation": "augment aug data_augmentation augmentations",
    "shuffle": "shuffling",
    "validation": "val valid val_size validation_split val_split validation_size holdout",
    "limit": "max_samples subset n_samples num_samples max_train_samples train_size samples",
    "conventions": "convention",
    "deterministic": "determinism reproducible repeatable",
    "threads": "num_threads n_threads workers num_workers cpus jobs",
    "data": "dataset data_dir data_path data_folder datadir root",
    "name": "run_name run title experiment",
    "preset": "recipe config",
    "store": "output output_dir out checkpoint_dir checkpoints save_dir logdir log_dir",
    "theme": "colors colours colour_scheme",
    "repeats": "repeat seeds n_seeds num_seeds runs n_runs",
}
"""What other programs call our settings."""

_MEANT = {other: name for name, others in OTHER_NAMES.items() for other in others.split()}


def meant(name: str, known: Collection[str], cutoff: float = 0.7) -> str:
    """Return which of the `known` settings `name` most likely means (`lr` → `learning_rate`); "" if none.

    `cutoff`, from 0 to 1, is how alike a misspelt name must be (see difflib).
    """
    plain = name.strip("-").replace("-", "_").lower()
    if plain in known:
        return plain
    if _MEANT.get(plain) in known:
        return _MEANT[plain]
    return next(iter(difflib.get_close_matches(plain, known, n=1, cutoff=cutoff)), "")
