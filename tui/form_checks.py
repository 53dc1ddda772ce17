"""Whether what is typed in the form adds up: each setting by itself, together, and with this machine and dataset."""

from __future__ import annotations

from collections.abc import Mapping

from engine.config import FIELDS, Field, TrainConfig, parse_field
from engine.errors import ConfigError
from engine.models import ARCHITECTURES
from engine.presets import DEFAULT_PRESET, PRESETS
from engine.split import check_split
from tui.availability import Reports, backend_problem, device_problem
from tui.jobs import ExaminedDataset

PRESET = Field("preset", "A recipe to start from; every setting can be changed", str, DEFAULT_PRESET)
REPEATS = Field(
    "repeats",
    "Runs with consecutive seeds, for mean ± deviation; 1 is usual, 5 tell luck from progress",
    int,
    1,
    minimum=1,
    maximum=100,
)
FORM_FIELDS = {**FIELDS, PRESET.name: PRESET, REPEATS.name: REPEATS}


def find_problems(values: Mapping[str, str], dataset: ExaminedDataset | None, reports: Reports) -> dict[str, str]:
    """Return what is wrong with `values` (texts as typed, one for each of FORM_FIELDS), by setting."""
    problems: dict[str, str] = {}
    for name, value in values.items():
        try:
            if name in FIELDS:
                parse_field(name, value)
        except ConfigError as error:
            problems[name] = error.message
    if values["preset"] not in PRESETS:
        problems["preset"] = f"There is no preset “{values['preset']}”."
    if values["model"] not in ARCHITECTURES:
        problems["model"] = f"There is no model “{values['model']}”."
    problems |= _repeats_problem(values, problems)
    if dataset and dataset.data == values["data"]:
        problems |= _dataset_problems(values, problems, dataset)
    problems.setdefault("backend", backend_problem(values["backend"], reports))
    problems.setdefault("device", device_problem(values["device"], values["backend"], reports))
    return {name: text for name, text in problems.items() if text}


def config_of(values: Mapping[str, str]) -> TrainConfig | None:
    """Return the settings that `values` add up to, or None where they do not go together."""
    settings = {name: value for name, value in values.items() if name in FIELDS}
    try:
        return TrainConfig.create(**{**settings, "preset_name": values["preset"]})
    except ConfigError:
        return None


def repeats_of(values: Mapping[str, str]) -> int:
    """Return how often to train; once while the number does not fit."""
    text = values["repeats"].strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    return number if 1 <= number <= (REPEATS.maximum or 0) else 1


def _repeats_problem(values: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    repeats = repeats_of(values)
    if str(repeats) != values["repeats"].strip().lstrip("0"):
        return {"repeats": f"Repeats must be {REPEATS.expectation()}, not “{values['repeats']}”."}
    last = int(FIELDS["seed"].maximum or 0)
    if "seed" not in known and int(values["seed"]) + repeats - 1 > last:
        return {"repeats": f"There are no {repeats} seeds from {values['seed']} to {last}."}
    return {}


def _dataset_problems(values: Mapping[str, str], known: Mapping[str, str], dataset: ExaminedDataset) -> dict[str, str]:
    """Return what does not go together with the number of training images."""
    if dataset.error and not dataset.fetched_later:
        return {"data": f"{dataset.error.message} Name a folder with MNIST's four files, or leave it empty."}
    if dataset.info is None or known.keys() & {"batch_size", "limit", "validation"}:
        return {}
    if "model" in known:
        return {}
    numbers = {name: int(values[name]) for name in ("batch_size", "validation", "limit")}
    try:
        check_split(dataset.info.train_examples, values["model"], **numbers)
    except ConfigError as error:
        return {error.field: error.message}
    return {}
