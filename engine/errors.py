"""The family of errors that the engine raises: each says what happened, why, and what to do about it."""

from __future__ import annotations


class EngineError(Exception):
    """An error to show to the user as it is.

    `title` names what went wrong in a few words, `message` says it in a sentence with the values involved, and
    `hint` says what to do. Each is plain text without markup.
    """

    def __init__(self, title: str, message: str, hint: str = "") -> None:
        super().__init__(title, message, hint)
        self.title = title
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return " ".join(part for part in (f"{self.title}: {self.message}", self.hint) if part)


class ConfigError(EngineError):
    """A setting that cannot be used. `field` is the TrainConfig field it belongs to."""

    def __init__(self, field: str, message: str, hint: str = "") -> None:
        super().__init__("Invalid setting", message, hint)
        self.field = field


class DataError(EngineError):
    """A dataset that is missing, damaged, or not what it should be."""


class BackendError(EngineError):
    """A framework that is not installed or does not work here."""


class DeviceError(EngineError):
    """A device that this machine or this framework does not have."""


class CheckpointError(EngineError):
    """A checkpoint that is damaged or belongs to another model."""


class RunError(EngineError):
    """A run that does not exist, or is not in the state that the request needs."""


class StoreError(EngineError):
    """A run store that cannot be read or written."""


class TrainingError(EngineError):
    """Training that cannot go on, such as a loss that is not finite."""
