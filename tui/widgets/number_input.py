"""An input for numbers that leaves every other key to the bindings, so that `t` trains from inside it."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

WHOLE = frozenset("0123456789-_.,")
"""With those that make no whole number either: left out, 2.5 would be 25."""
DECIMAL = WHOLE | frozenset("eE+")


class NumberInput(Input):
    """A one-line input that only takes the characters of a number; `whole` leaves out the exponent."""

    def __init__(self, value: str, *, whole: bool, id: str | None = None) -> None:
        super().__init__(value, compact=True, id=id)
        self._characters = WHOLE if whole else DECIMAL

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Say whether the input wants this key; the footer leaves out what it does."""
        return character is not None and character in self._characters

    async def _on_key(self, event: events.Key) -> None:
        if event.is_printable and not self.check_consume_key(event.key, event.character):
            event.prevent_default()
