"""TrainConfig: every setting of a run, its bounds and its one-line help.

Forms and command-line flags are made from the fields below, so a setting is described once, here.
"""

from __future__ import annotations

import contextlib
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from engine.errors import ConfigError
from engine.setting_names import meant
from engine.text import decoded

BackendName = Literal["torch", "tensorflow"]
Optimizer = Literal["sgd", "momentum", "nesterov", "adam", "adamw"]
Schedule = Literal["constant", "cosine", "onecycle"]
Normalisation = Literal["unit", "symmetric", "standard"]
Augmentation = Literal["none", "shift", "affine"]
ConventionsName = Literal["auto", "torch", "keras"]

# Text without control characters and without the surrogates that stand for bytes which are not UTF-8.
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*\Z"


class TrainConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that decides how a run trains. Immutable; make a changed copy with `replace`.

    Make one with `TrainConfig.preset(...)` or `TrainConfig.create(...)`: both check every value against the
    bounds below and raise ConfigError, which names the field.
    """

    preset_name: Annotated[str, Meta(description="The preset that the other settings started from")] = ""
    backend: Annotated[
        BackendName, Meta(description="The framework that trains; each of the two can train every recipe")
    ] = "torch"
    device: Annotated[
        str,
        Meta(
            pattern=r"^(auto|cpu|mps|cuda(:[0-9]+)?)\Z",
            description="Where to train: auto, cpu, cuda:0 … or mps; auto is usual and takes a GPU where there is one",
        ),
    ] = "auto"
    model: Annotated[str, Meta(description="The network's architecture")] = "cnn-bn"
    epochs: Annotated[
        int, Meta(ge=1, le=10_000, description="Passes over the training images; 1 to 10 are usual, more bring little")
    ] = 10
    batch_size: Annotated[
        int,
        Meta(
            ge=1,
            le=60_000,
            description="Images per optimizer step; 32 to 128 are usual: more is faster, but learns less from each",
        ),
    ] = 64
    learning_rate: Annotated[
        float,
        Meta(
            gt=0,
            le=1e12,
            description="Size of a step: too high jumps about, too low crawls; 0.001 to 0.01 is usual for Adam, "
            "0.1 for SGD",
        ),
    ] = 0.01
    optimizer: Annotated[
        Optimizer,
        Meta(
            description="Whether the weights follow the gradient plainly (sgd), with inertia (momentum, nesterov) "
            "or each at its pace (adam, the usual)"
        ),
    ] = "adam"
    seed: Annotated[
        int,
        Meta(
            ge=0,
            le=2**31 - 1,
            description="Decides the initial weights and the order of the images; any number will do, the same one "
            "repeats a run",
        ),
    ] = 0
    momentum: Annotated[
        float,
        Meta(
            ge=0,
            lt=1,
            description="How much of a step lives on in the next, for the momentum and nesterov optimizers; "
            "0.9 is usual",
        ),
    ] = 0.9
    weight_decay: Annotated[
        float,
        Meta(
            ge=0,
            le=10,
            description="Pull of the weights towards zero (decoupled with adamw); 0 is usual here, 0.01 with adamw",
        ),
    ] = 0.0
    schedule: Annotated[
        Schedule,
        Meta(
            description="How the learning rate changes over the run: not at all, falling (cosine), or rising and "
            "falling (onecycle); constant is usual"
        ),
    ] = "constant"
    label_smoothing: Annotated[
        float,
        Meta(
            ge=0,
            lt=1,
            description="Share of the target spread evenly over the ten digits, against overconfidence; "
            "0 to 0.1 are usual",
        ),
    ] = 0.0
    normalisation: Annotated[
        Normalisation,
        Meta(
            description="Pixels to 0…1 (unit), −1…1 (symmetric) or mean 0 and deviation 1 (standard); each of them is "
            "usual"
        ),
    ] = "symmetric"
    augmentation: Annotated[
        Augmentation,
        Meta(
            description="Random changes to the training images: shift by ≤ 2 pixels, or affine; none is usual at "
            "first, shift for the best accuracy"
        ),
    ] = "none"
    shuffle: Annotated[
        bool, Meta(description="Draw a new order of the training images every epoch; on is usual, and learns better")
    ] = True
    validation: Annotated[
        int,
        Meta(
            ge=0,
            le=50_000,
            description="Training images held out to choose the best epoch; 0 for none, 5,000 are usual",
        ),
    ] = 0
    limit: Annotated[
        int,
        Meta(
            ge=0,
            le=60_000,
            description="Train on only the first N images; 0 for all of them, as is usual, 1,000 for a quick try",
        ),
    ] = 0
    conventions: Annotated[
        ConventionsName,
        Meta(
            description="Whose initial weights, Adam ε and batch norm constants: the backend's own (auto, as is "
            "usual), or torch's or keras's on either"
        ),
    ] = "auto"
    deterministic: Annotated[
        bool, Meta(description="Only use operations that repeat bit for bit, even where that is slower; off is usual")
    ] = False
    threads: Annotated[
        int, Meta(ge=0, le=1024, description="CPU threads; 0 is usual and takes what suits the network")
    ] = 0
    data: Annotated[
        str, Meta(pattern=PRINTABLE, description="Folder of IDX files or a Keras mnist.npz; empty looks around")
    ] = ""
    name: Annotated[str, Meta(pattern=PRINTABLE, max_length=80, description="A name of your own for the run")] = ""

    @classmethod
    def create(cls, /, **values: Any) -> TrainConfig:
        """Return a config from defaults and `values` (texts or typed); raise ConfigError for the first bad one."""
        config = cls(**{name: parse_field(name, value) for name, value in values.items()})
        config.check()
        return config

    @classmethod
    def preset(cls, name: str, /, **changes: Any) -> TrainConfig:
        """Return the preset called `name` with some settings changed; raise ConfigError for a bad one."""
        from engine.presets import get_preset

        return cls.create(**{"preset_name": name, **get_preset(name).settings, **changes})

    def replace(self, **changes: Any) -> TrainConfig:
        """Return a checked copy with some settings changed."""
        return self.create(**{**msgspec.structs.asdict(self), **changes})

    def check(self) -> None:
        """Raise ConfigError where settings that are fine one by one do not go together."""
        from engine.models import ARCHITECTURES

        if self.limit and self.batch_size > self.limit:
            raise ConfigError("batch_size", f"Batch size must be at most the limit of {self.limit:,} images.")
        if self.model not in ARCHITECTURES:
            known = ", ".join(ARCHITECTURES)
            raise ConfigError("model", f"There is no model “{self.model}”.", f"Use one of: {known}.")

    def to_json(self) -> bytes:
        """Return the config as indented JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)

    @classmethod
    def from_json(cls, text: bytes, source: str | Path = "config.json") -> TrainConfig:
        """Return the config that `text` holds; raise ConfigError naming `source` when it does not hold one."""
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            config = msgspec.json.decode(text, type=cls)  # a tenth of the time of what follows, which finds the words
            config.check()
            return config
        try:
            values = msgspec.json.decode(decoded(text), type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise ConfigError("", f"{source} is not a run's settings: {error}.") from error
        return cls.create(**values)


@dataclass(frozen=True)
class Field:
    """One setting, described for forms, flags and help."""

    name: str
    help: str
    type: type
    default: Any
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    exclusive_maximum: float | None = None

    @property
    def label(self) -> str:
        """The name as words: `batch_size` → `Batch size`."""
        return self.name.replace("_", " ").capitalize()

    @property
    def flag(self) -> str:
        """The name as a command-line flag: `batch_size` → `--batch-size`."""
        return "--" + self.name.replace("_", "-")

    def expectation(self) -> str:
        """Say in words what values the field takes, such as `a whole number from 1 to 10,000`."""
        if self.choices:
            return "one of: " + ", ".join(self.choices)
        if self.type is bool:
            return "true or false"
        if self.type is str:
            return "a text"
        kind = "a whole number" if self.type is int else "a number"
        low, high = self.minimum, self.maximum
        if self.exclusive_minimum is not None and high is not None:
            return f"{kind} above {_number(self.exclusive_minimum)} and at most {_number(high)}"
        if low is not None and self.exclusive_maximum is not None:
            return f"{kind} from {_number(low)} to below {_number(self.exclusive_maximum)}"
        return f"{kind} from {_number(low or 0)} to {_number(high or 0)}"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}"


def _describe(name: str, hint: Any, default: Any) -> Field:
    base, *metas = get_args(hint)
    meta: Meta = metas[0]
    choices: tuple[str, ...] = ()
    if get_origin(base) in (Union, types.UnionType):
        base = get_args(base)[0]
    if get_origin(base) is Literal:
        choices, base = get_args(base), str
    return Field(
        name=name,
        help=meta.description or "",
        type=base,
        default=default,
        choices=choices,
        minimum=meta.ge,
        maximum=meta.le,
        exclusive_minimum=meta.gt,
        exclusive_maximum=meta.lt,
    )


_HINTS = get_type_hints(TrainConfig, include_extras=True)
FIELDS: dict[str, Field] = {
    info.name: _describe(info.name, _HINTS[info.name], info.default) for info in msgspec.structs.fields(TrainConfig)
}


def parse_field(name: str, value: Any) -> Any:
    """Return `value` (a text as typed, or typed already) as the setting `name` takes it.

    Raise ConfigError, in words a user understands, when the setting does not exist or the value does not fit.
    """
    if name not in FIELDS:
        close = meant(name, FIELDS)
        hint = f"Did you mean “{close}”?" if close else "mnist-tui train --help lists them."
        raise ConfigError(name, f"There is no setting “{name}”.", hint)
    field = FIELDS[name]
    if isinstance(value, str) and field.type is not str:
        value = value.strip()
    try:
        return msgspec.convert(value, _HINTS[name], strict=False)
    except msgspec.ValidationError as error:
        shown = f"“{value}”" if isinstance(value, str) else repr(value)
        message = f"{field.label} must be {_expected(field)}, not {shown}."
        raise ConfigError(name, message) from error


def _expected(field: Field) -> str:
    if field.name == "device":
        return "auto, cpu, mps, cuda or cuda:N"
    if field.name in ("name", "data"):
        length = " of at most 80 characters" if field.name == "name" else ""
        return f"plain text{length}, without control characters"
    return field.expectation()
