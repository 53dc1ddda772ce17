"""An input for a number."""

from __future__ import annotations

from textual.widgets import Input


class NumberInput(Input):
    """A one-line input whose text is to be a number.

    It takes every printable key, as any input does: a letter makes no number, which is shown beside the field, and
    never starts an action of the screen.
    """

    def __init__(self, value: str, *, id: str | None = None) -> None:
        super().__init__(value, compact=True, id=id)
