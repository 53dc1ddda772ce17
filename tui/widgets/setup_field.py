"""One setting in the form: its label, a control made for its type, and what is wrong with its value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Checkbox, Input, Label, Select, Static

from engine.config import Field
from tui.terminal import clean
from tui.widgets.choice import Choice, Option
from tui.widgets.number_input import NumberInput

SHORT_LABELS = {
    "batch_size": "Batch",
    "learning_rate": "Rate",
    "weight_decay": "Decay",
    "label_smoothing": "Smoothing",
    "normalisation": "Pixels",
    "augmentation": "Augment",
    "conventions": "Convention",
    "deterministic": "Repeatable",
}


class SetupField(Widget):
    """The setting `field`, starting at `value` (a text as typed). `options` makes it a drop-down."""

    DEFAULT_CSS = """
    SetupField {
        layout: grid;
        grid-size: 2;
        grid-columns: 11 1fr;
        grid-rows: auto;
        height: auto;
        & > Label { width: 11; color: $text-muted; }
        &.-focused > Label { color: $text; text-style: bold; }
        & > Input, & > Choice { width: 1fr; }
        & > Input { background: $boost; padding: 0 1 !important; }
        & > Input:focus { background: $primary 30%; }
        & > TickBox { background: transparent; padding: 0; }
        & > TickBox:focus { background: $primary 30%; }
        & > .problem { column-span: 2; color: $text-error; height: auto; padding-left: 1; }
        &.-invalid > Label { color: $text-error; }
    }
    """

    @dataclass
    class Changed(Message):
        """The user, or a preset, gave the setting another value."""

        field: SetupField
        value: str

    def __init__(self, field: Field, value: str, options: Sequence[Option] = ()) -> None:
        super().__init__(id=f"field-{field.name}")
        self.field = field
        self._start = value
        self._problem = ""
        self._options = options or [Option(choice, choice) for choice in field.choices]

    def compose(self) -> ComposeResult:
        """Lay out label and control on one line; a problem comes below."""
        yield Label(SHORT_LABELS.get(self.field.name, self.field.label))
        yield self._control()

    def _control(self) -> Widget:
        field, value = self.field, self._start
        if self._options:
            return Choice(self._options, value, id=f"set-{field.name}")
        if field.type is bool:
            return TickBox(value=_is_true(value), compact=True, id=f"set-{field.name}")
        if field.type in (int, float):
            return NumberField(value, id=f"set-{field.name}")
        return TextField(
            value, placeholder="none" if field.name == "name" else "", compact=True, id=f"set-{field.name}"
        )

    @property
    def value(self) -> str:
        """The value as text."""
        if not self.is_mounted:
            return self._start
        match self.query_one(f"#set-{self.field.name}"):
            case Choice() as choice:
                return str(choice.value)
            case Checkbox() as checkbox:
                return str(checkbox.value).lower()
            case Input() as line:
                return line.value
        raise TypeError(self.field.name)

    @value.setter
    def value(self, value: str) -> None:
        match self.query_one(f"#set-{self.field.name}"):
            case Choice() as choice:
                choice.choose(value)
            case Checkbox() as checkbox:
                checkbox.value = _is_true(value)
            case Input() as line:
                line.value = value

    @property
    def problem(self) -> str:
        """What is wrong with the value; empty when nothing is."""
        return self._problem

    @problem.setter
    def problem(self, text: str) -> None:
        if text == self._problem:
            return
        self._problem = text
        self.set_class(bool(text), "-invalid")
        lines = self.query(".problem").results(Static)
        line = next(lines, None)
        if line is None:
            self.mount(line := Static(classes="problem", markup=False))
        line.update(clean(text))
        line.display = bool(text)

    def offer(self, options: Sequence[Option]) -> None:
        """Replace a drop-down's options."""
        self.query_one(Choice).offer(options)

    def on_descendant_focus(self) -> None:
        """Mark the label. `:focus-within` would do it too, at ten times the cost: it restyles every ancestor's tree."""
        self.add_class("-focused")

    def on_descendant_blur(self) -> None:
        """Take the mark away."""
        self.remove_class("-focused")

    @on(Select.Changed)
    @on(Input.Changed)
    @on(Checkbox.Changed)
    def _pass_on(self, event: Message) -> None:
        event.stop()
        self.post_message(self.Changed(self, self.value))


ENTER_TRAINS = Binding(
    "enter", "submit", "Train", key_display="enter, ^t", tooltip="Train as the form says, from inside a field"
)


class TextField(Input):
    """A text in the form; Enter trains."""

    BINDINGS = [ENTER_TRAINS]


class NumberField(NumberInput):
    """A number in the form; Enter trains."""

    BINDINGS = [ENTER_TRAINS]


class TickBox(Checkbox):
    """A checkbox that says whether it is ticked: Textual's tells by a colour alone."""

    DEFAULT_CSS = "TickBox { padding: 0 0 0 1 !important; }"
    BINDINGS = [Binding("enter,space", "toggle_button", "Switch", key_display="space")]

    def render(self) -> Content:
        """Draw the box."""
        return Content("[x] on" if self.value else "[ ] off")

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return the width of the longer of both."""
        return len("[ ] off")


def _is_true(value: str) -> bool:
    return value.strip().lower() in ("true", "1", "yes", "on")
