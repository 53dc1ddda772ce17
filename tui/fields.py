"""The part of the app that leaves a field by Escape, also where the next key comes together with it."""

from __future__ import annotations

from textual import events
from textual.app import App
from textual.binding import Binding
from textual.widget import Widget

ALT_DIGITS = ("inverted_exclamation_mark", "trade_mark_sign", "pound_sign", "cent_sign", "infinity")
"""What Textual calls alt with 1 to 5, and a digit pressed right after escape: the characters of an Apple keyboard."""


class LeavingFields(App[None]):
    """Gives the keys back to the screen when Escape is pressed in a field."""

    BINDINGS = [
        Binding("escape", "leave_text", "Leave field", key_display="esc", tooltip="Give the keys back to the screen"),
        Binding("escape", "leave_field", "Leave field", show=False),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer in the footer to leave a field that takes letters: hardly another key is left to be shown there."""
        if action == "leave_text":
            return not self.screen.is_modal and takes_letters(self.focused)
        return super().check_action(action, parameters)

    async def on_event(self, event: events.Event) -> None:
        """Take a letter that comes together with Escape, as on a slow line, for two keys: that is how alt looks too.

        Not where the user has given that key with alt to an action; and in a dialog, only Escape counts.
        """
        if isinstance(event, events.Key) and event.key in ALT_DIGITS:
            self._leave_unless_text()
        elif isinstance(event, events.Key) and event.key.startswith("alt+") and event.key not in self.active_bindings:
            if takes_letters(self.focused) and not self.screen.is_modal:
                self.action_leave_field()  # at once: the letter must not get into the field
            else:
                await super().on_event(events.Key("escape", None))
            if self.screen.is_modal or not event.character:
                return
            event = events.Key(event.character, event.character)
        await super().on_event(event)

    def _leave_unless_text(self) -> None:
        """Leave the form for a digit right after Escape; in a text, the same key may be one of its characters."""
        from textual.widgets import Input

        from tui.widgets.number_input import NumberInput

        is_text = isinstance(self.focused, Input) and not isinstance(self.focused, NumberInput)
        if not self.screen.is_modal and takes_letters(self.focused) and not is_text:
            self.action_leave_field()

    def action_leave_text(self) -> None:
        """Leave a field that takes letters."""
        self.action_leave_field()

    def action_leave_field(self) -> None:
        """Give the keys back to the screen; a table or a gallery keeps them, for one walks in it by them."""
        from textual.widgets import Input

        from tui.widgets.setup_form import SetupForm

        focused = self.focused
        if focused and (isinstance(focused, Input) or any(isinstance(one, SetupForm) for one in focused.ancestors)):
            self.screen.set_focus(None)


def takes_letters(focused: Widget | None) -> bool:
    """Whether the widget in focus, or the form that it is in, keeps printable keys to itself."""
    return focused is not None and any(node.check_consume_key("a", "a") for node in focused.ancestors_with_self)
