"""The form of a run's settings, generated from engine.config.FIELDS and checked as one types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.reactive import var
from textual.widget import Widget
from textual.widgets import Button, Collapsible, Input, Static

from engine.config import FIELDS, TrainConfig
from engine.models import ARCHITECTURES
from engine.presets import DEFAULT_PRESET, PRESETS
from tui.availability import Reports, backend_options, both_problem, device_options, installed_backend
from tui.form_checks import FORM_FIELDS, PRESET, REPEATS, config_of, find_problems, repeats_of
from tui.formats import count
from tui.jobs import ExaminedDataset
from tui.keys import with_keys
from tui.last_trained import PERSONAL
from tui.terminal import clean
from tui.widgets.choice import Choice, Option
from tui.widgets.setup_field import SHORT_LABELS, SetupField

FIRST = ("backend", "device", "model", "epochs", "batch_size", "learning_rate", "optimizer", "seed")
MORE = (REPEATS.name, *(name for name in FIELDS if name not in (*FIRST, "preset_name")))


class SetupForm(Vertical):
    """All settings of the next run, starting from `settings` (values for TrainConfig's fields, and `preset`).

    `given` are those that the user has given in the config file or the environment: a reset leads back to them and, for
    the rest, to the preset.
    """

    BINDINGS = [
        Binding("up", "app.focus_previous", "Field above", show=False),
        Binding("down", "app.focus_next", "Field below", show=False),
        Binding("ctrl+t,f5", "submit", "Train", key_display="^t", tooltip="Train as the form says, from any field"),
        Binding("ctrl+r", "reset", "Reset", key_display="^r", tooltip="Back to the settings of the preset"),
        Binding("f1", "app.help", "Help", key_display="F1", tooltip="What this screen is for, and its keys"),
    ]

    reports: var[Reports] = var({})
    """What the frameworks say of this machine, as far as they have been asked."""
    dataset: var[ExaminedDataset | None] = var(None)
    """What the data setting leads to; None while that is not known."""

    @dataclass
    class Changed(Message):
        """The settings are others now; `config` is None while one of them does not fit."""

        config: TrainConfig | None

    @dataclass
    class DataChosen(Message):
        """The user points to another dataset."""

        data: str

    @dataclass
    class Submitted(Message):
        """The user wants to train, on `both` backends or on the one that is set."""

        both: bool

    def __init__(self, settings: Mapping[str, Any], given: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.border_title = "Setup"
        self._problems: dict[str, str] = {}
        self._both_problem = ""
        self._given = settings if given is None else given
        self._start = _texts(settings)
        self._remembered = dict(self._start) if settings != self._given else None

    def compose(self) -> ComposeResult:
        """Lay out the fields, the rest behind More, the button, and the help of the field in focus."""
        with _Fields(can_focus=False):
            yield SetupField(PRESET, self._start["preset"], [Option(p.name, p.title) for p in PRESETS.values()])
            yield from self._fields(FIRST)
            ascii_only = getattr(self.app, "ascii", False)
            closed, opened = ("+", "-") if ascii_only else ("▸", "▾")
            yield Collapsible(title="More", collapsed_symbol=closed, expanded_symbol=opened)
        with Horizontal(id="buttons"):
            train, both = self._button_labels(is_inside=False)
            yield Button(train, id="train", variant="primary", compact=True)
            yield Button(both, id="both", compact=True)
            yield Button("Reset", id="reset", compact=True)
        yield Static(id="both-problem", markup=False)
        yield Static(id="help", markup=False)

    def _fields(self, names: tuple[str, ...]) -> Iterator[SetupField]:
        options = {
            "backend": backend_options(),
            "device": device_options(self._start["backend"], self.reports),
            "model": [Option(name, f"{name} · {count(a.parameters)}") for name, a in ARCHITECTURES.items()],
        }
        for name in names:
            yield SetupField(FORM_FIELDS[name], self._start[name], options.get(name, ()))

    def on_mount(self) -> None:
        """Check what the form starts with."""
        self._check()
        self.watch(self.screen, "focused", self._name_keys, init=False)

    def _name_keys(self, focused: Widget | None) -> None:
        """Name on the buttons the keys that work from where the focus is."""
        labels = self._button_labels(is_inside=focused is not None and self in focused.ancestors)
        for name, label in zip(("train", "both"), labels, strict=True):
            for button in self.query(f"#{name}").results(Button):  # at the app's end, there is none any more
                if str(button.label) != label:
                    button.label = label

    def _button_labels(self, is_inside: bool) -> tuple[str, str]:
        keys = "Train  ^t|Both" if is_inside else "Train  {train}|Both  {both}"
        train, both = with_keys(self.app, keys).split("|")
        return train, both

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Keep every printable key in the form: inside it, none means an action of the screen or of the app."""
        return character is not None and character.isprintable()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave ctrl+t out of the footer where Enter trains too, which the field says."""
        if action == "reset":
            return bool(self.query("#reset").filter(".-shown"))
        return not (action == "submit" and isinstance(self.screen.focused, Input))

    def action_submit(self) -> None:
        """Train with the settings."""
        self.post_message(self.Submitted(both=False))

    def action_reset(self) -> None:
        """Go back to the settings of the preset, but for those that the user has given elsewhere."""
        for name, value in _texts({**self._given, "preset": self.values["preset"]}).items():
            self._set(name, value)
        self.post_message(self.DataChosen(self.values["data"]))
        self._check()
        self.focus_first()

    def field(self, name: str) -> SetupField:
        """Return the field of the setting `name`."""
        return self.query_one(f"#field-{name}", SetupField)

    def focus_first(self) -> None:
        """Give the focus to the first field, at once: keys may follow fast."""
        self.screen.set_focus(self.query_one("#set-preset"))

    @property
    def values(self) -> dict[str, str]:
        """Every setting as text, as typed."""
        return self._start | {field.field.name: field.value for field in self.query(SetupField)}

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong, by setting."""
        return dict(self._problems)

    @property
    def wanted(self) -> tuple[TrainConfig | None, int]:
        """What is to be trained, None while a setting does not fit, and over how many seeds."""
        values = self.values
        problems = find_problems(values, self.dataset, self.reports)
        return None if problems else config_of(values), repeats_of(values)

    @property
    def both_problem(self) -> str:
        """Why the recipe cannot be trained on both backends; empty when it can."""
        return self._both_problem

    async def focus_problem(self) -> None:
        """Give the focus to the first setting that does not fit."""
        name = next(iter(self._problems), "")
        if name in MORE:
            await self.show_more()
        if name:
            self.query_one(f"#set-{name}").focus()

    async def show_more(self) -> None:
        """Open what is behind More. Its fields are made when first opened: they double the time to the first frame."""
        more = self.query_one(Collapsible)
        more.collapsed = False
        if not more.query(SetupField):
            await more.query_one(Collapsible.Contents).mount(*self._fields(MORE))
            self._check()

    @on(SetupField.Changed)
    def _value_changed(self, event: SetupField.Changed) -> None:
        event.stop()
        name = event.field.field.name
        if name == "preset" and event.value != self._start["preset"]:  # Select also tells what it starts with
            self._start["preset"] = event.value
            self._fill(event.value)
        elif name == "data":
            self.post_message(self.DataChosen(event.value))
        elif name == "backend":
            self.field("device").offer(device_options(event.value, self.reports))
        self._check()
        if event.field.has_class("-focused"):
            self._show_help(event.field)

    @on(Collapsible.Toggled)
    async def _make_room(self, event: Collapsible.Toggled) -> None:
        self.set_class(not event.collapsible.collapsed, "-more")
        if not event.collapsible.collapsed:
            await self.show_more()

    def _fill(self, preset: str) -> None:
        """Set what makes up the recipe; what is the user's own, such as device and seed, stays."""
        if preset not in PRESETS:
            return
        defaults = {name: field.default for name, field in FIELDS.items()}
        recipe = {**defaults, **PRESETS[preset].settings}
        recipe["backend"] = installed_backend(recipe["backend"])
        for name, value in recipe.items():
            if name not in PERSONAL:
                self._set(name, _as_text(value))

    def take_over(self, config: TrainConfig) -> None:
        """Set everything as it is in `config`, but for the name, which is another run's."""
        if config.preset_name in PRESETS:
            self._set("preset", config.preset_name)
        for name in FIELDS:
            if name not in ("preset_name", "name"):
                self._set(name, _as_text(getattr(config, name)))
        self.post_message(self.DataChosen(config.data))
        self._check()

    def _set(self, name: str, value: str) -> None:
        self._start[name] = value
        for field in self.query(f"#field-{name}").results(SetupField):
            field.value = value

    def _check(self) -> None:
        """Show each setting's problem beside it and tell what the settings add up to."""
        values = self.values
        self._problems = problems = find_problems(values, self.dataset, self.reports)
        for field in self.query(SetupField):
            field.problem = problems.get(field.field.name, "")
        preset = _texts({**self._given, "preset": values["preset"]})
        changed = [name for name, value in values.items() if value != preset[name]]
        self.query_one(Collapsible).title = _title_of_more(problems, changed)
        self.query_one("#reset").set_class(bool(changed), "-shown")
        self.border_subtitle = "as last trained" if values == self._remembered else ""
        self._check_both(values)
        self.post_message(self.Changed(self.wanted[0]))

    def _check_both(self, values: Mapping[str, str]) -> None:
        """Grey out the button for both backends where one of them is not to be had, and say why."""
        self._both_problem = both_problem(values["device"], self.reports)
        self.query_one("#both", Button).disabled = bool(self._both_problem)
        line = self.query_one("#both-problem", Static)
        line.update(clean(f"Both: {self._both_problem}"))
        line.display = bool(self._both_problem)

    def watch_reports(self) -> None:
        """A framework answered: offer its devices."""
        if self.is_mounted:
            self.field("device").offer(device_options(self.field("backend").value, self.reports))
            self._check()

    def watch_dataset(self) -> None:
        """The dataset is known: the batch must fit into it."""
        if self.is_mounted:
            self._check()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show the help of the field that has the focus now."""
        self._show_help(_field_of(event.widget))

    @on(Choice.Highlighted)
    def _option_highlighted(self, event: Choice.Highlighted) -> None:
        """Tell what an option means before it is chosen."""
        event.stop()
        self._show_help(_field_of(event.choice), event.value)

    @on(Input.Submitted)
    def _submit_from_field(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_submit()

    def _show_help(self, field: SetupField | None, value: str | None = None) -> None:
        """Tell what `field` does, and where that depends on it, what `value` means there: the one it has, if None."""
        text = _help(field, field.value if value is None else value) if field else ""
        self.query_one("#help", Static).update(clean(text))

    @on(Button.Pressed)
    def _submit(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "reset":
            self.action_reset()
        else:
            self.post_message(self.Submitted(both=event.button.id == "both"))


class _Fields(VerticalScroll, inherit_bindings=False):
    """Scrolls to the field in focus; up and down are the form's, which goes from field to field by them."""


def _field_of(control: Widget) -> SetupField | None:
    return next((node for node in control.ancestors if isinstance(node, SetupField)), None)


def _help(field: SetupField, value: str) -> str:
    setting = field.field
    if setting.name == "preset" and value in PRESETS:
        return f"{PRESETS[value].teaches}."
    if setting.name == "model" and value in ARCHITECTURES:
        return f"{ARCHITECTURES[value].summary}."
    help = setting.help if setting.help[:2].isupper() else setting.help[:1].lower() + setting.help[1:]
    return f"{setting.label}: {help}."


def _texts(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the form's settings as texts: those of `settings`, else of the preset that these name, else the usual."""
    preset = str(settings.get("preset") or DEFAULT_PRESET)
    recipe = PRESETS.get(preset, PRESETS[DEFAULT_PRESET]).settings
    given = {name: value for name, value in settings.items() if name in FIELDS and value is not None}
    defaults = {name: field.default for name, field in FIELDS.items()}
    values = {**defaults, **recipe, **given}
    if "backend" not in given:
        values["backend"] = installed_backend(values["backend"])
    texts = {name: _as_text(value) for name, value in values.items() if name != "preset_name"}
    return {**texts, "preset": preset, REPEATS.name: str(REPEATS.default)}


def _title_of_more(problems: Mapping[str, str], changed: Sequence[str]) -> str:
    """Name what is hidden behind More and wrong, or other than usual."""
    for intro, names in (("mend ", problems), ("", changed)):
        hidden = [SHORT_LABELS.get(name, FORM_FIELDS[name].label) for name in names if name in MORE]
        if hidden:
            return f"More: {intro}{', '.join(hidden)}" + ("" if intro else " changed")
    return "More"


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
