"""A drop-down whose options can be greyed out, with the reason in their text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import OptionList, Select, Static

from tui.terminal import clean


@dataclass(frozen=True)
class Option:
    """One choice: the setting's value, how it reads, and whether it can be taken here."""

    value: str
    text: str
    available: bool = True


class Choice(Select[str], inherit_bindings=False):
    """A compact Select over `options`; a value that is none of them is shown as it is, for the form to refuse.

    Enter, space or a letter opens it, the latter at the first option with that letter; the arrows are left to the form,
    where they go from field to field.
    """

    BINDINGS = [Binding("enter,space", "show_overlay", "Choose", key_display="enter")]

    DEFAULT_CSS = """
    Choice {
        & > SelectCurrent { background: $boost; padding: 0 0 0 1 !important; }
        & #label { text-wrap: nowrap; text-overflow: ellipsis; }
        & > SelectCurrent .arrow { padding: 0; color: $text-muted; }
        &:focus > SelectCurrent { background: $primary 30%; color: $text; }
        & > SelectOverlay { width: auto; min-width: 100%; max-width: 60; background: $panel; }
        & > SelectOverlay > .option-list--option { padding: 0 1 !important; }
    }
    """

    @dataclass
    class Highlighted(Message):
        """The user looks at one of the options, `value`, without having chosen it."""

        choice: Choice
        value: str

    def __init__(self, options: Sequence[Option], value: str, *, id: str | None = None) -> None:
        self._choices = _with(options, value)
        super().__init__(_prompts(self._choices), value=value, allow_blank=False, compact=True, id=id)

    def on_mount(self) -> None:
        """Grey out what cannot be taken, once Select has filled its list."""
        self.call_next(self._grey_out)
        self.watch(self.query_one(OptionList), "highlighted", self._tell_highlighted, init=False)
        if getattr(self.app, "ascii", False):
            self.call_next(self._draw_arrows_in_ascii)

    def _draw_arrows_in_ascii(self) -> None:
        for arrow, sign in ((".down-arrow", "v"), (".up-arrow", "^")):
            self.query_one(arrow, Static).update(sign)

    def on_key(self, event: events.Key) -> None:
        """Open the list at the first option that a typed letter leads to."""
        if self.expanded or not event.character or not event.is_printable or event.character == " ":
            return
        event.stop()
        typed = event.character.lower()
        texts = [choice.text.lower() for choice in self._choices]
        found = [index for index, text in enumerate(texts) if text.startswith(typed)]
        found = found or [index for index, text in enumerate(texts) if typed in text]
        self.action_show_overlay()
        if found:  # once the list has the focus, which has the help tell of the field as a whole
            self.call_after_refresh(setattr, self.query_one(OptionList), "highlighted", found[0])

    def offer(self, options: Sequence[Option]) -> None:
        """Replace the options; the value stays."""
        value = str(self.value)
        with self.prevent(Select.Changed):
            self._choices = _with(options, value)
            self.set_options(_prompts(self._choices))
            self.value = value
        self._grey_out()

    def choose(self, value: str) -> None:
        """Make `value` the choice, whether it is on offer or not."""
        if value not in {choice.value for choice in self._choices}:
            self.offer([*self._choices, Option(value, value)])
        self.value = value

    def _tell_highlighted(self, index: int | None) -> None:
        if self.expanded and index is not None:
            self.post_message(self.Highlighted(self, self._choices[index].value))

    def _grey_out(self) -> None:
        overlay = self.query_one(OptionList)
        for index, choice in enumerate(self._choices):
            if not choice.available:
                overlay.disable_option_at_index(index)
            if choice.value == self.value:
                overlay.highlighted = index


def _with(options: Sequence[Option], value: str) -> list[Option]:
    if value in {option.value for option in options}:
        return list(options)
    return [*options, Option(value, value or "—")]


def _prompts(options: Sequence[Option]) -> list[tuple[Text, str]]:
    return [(Text(clean(option.text)), option.value) for option in options]
