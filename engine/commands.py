"""What a user asks of a running worker, as frozen records and as one JSON object a line."""

from __future__ import annotations

import time as clock
from typing import Annotated

import msgspec

from engine.errors import RunError


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every command has."""

    time: float = msgspec.field(default_factory=clock.time)


class Stop(Command, frozen=True, kw_only=True, tag="stop"):
    """Finish the step, evaluate, save and end as stopped; `now` ends without the evaluation."""

    now: bool = False


class Pause(Command, frozen=True, kw_only=True, tag="pause"):
    """Hold before the next step."""


class Resume(Command, frozen=True, kw_only=True, tag="resume"):
    """Go on after a pause."""


class SetLearningRate(Command, frozen=True, kw_only=True, tag="set_learning_rate"):
    """Train on with another base learning rate, from the next step on and also after a resume.

    It takes the place of the setting: a schedule keeps its shape and its position, and is scaled to the new rate.
    """

    learning_rate: Annotated[float, msgspec.Meta(gt=0, le=1e12)]


AnyCommand = Stop | Pause | Resume | SetLearningRate

_decoder: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)


def encode(command: AnyCommand) -> bytes:
    """Return the command as one JSON line with its newline."""
    return msgspec.json.encode(command) + b"\n"


def decode(line: bytes) -> AnyCommand:
    """Return the command that `line` holds; raise RunError when it holds none."""
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RunError("Unknown command", f"A line of commands.jsonl was left out: {error}.") from error
