"""Printable keys belong to the field in focus: typed or pasted, they never start an action of the screen or the app."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.events import Key, Paste
from textual.keys import key_to_character
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from engine.runs import Store
from tests.tui.app_harness import WrittenRun, completed, opened, shown, until, until_shown
from tui.app import MnistApp
from tui.screens.export import ExportScreen
from tui.screens.label import ask_for_name, ask_for_note
from tui.screens.rate import RateScreen
from tui.widgets.choice import Choice
from tui.widgets.filter_line import FilterInput
from tui.widgets.setup_form import MORE, SetupForm

TYPED = "qtbsx1?"
"""Keys that mean something outside a field."""


@pytest.fixture
def store(store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store of a user whose dataset is small."""
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    return store


def active_keys(app: MnistApp) -> set[str]:
    """Return the printable characters that start an action of the screen or of the app, as the focus is."""
    bound = (key for key, active in app.screen.active_bindings.items() if isinstance(active.node, Screen | MnistApp))
    return {char for key in bound if (char := key_to_character(key)) and char.isprintable()}


def focusable(screen: Widget, selector: str) -> list[Widget]:
    """Return the widgets of `screen` that can have the focus, of those that `selector` names."""
    return [control for control in screen.query(selector).results(Widget) if not control.disabled]


async def test_no_printable_key_in_any_field_of_the_form_starts_anything(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    async with opened(store) as (app, pilot):
        await until_shown(app, "● running")
        assert set(TYPED) & active_keys(app) >= set("qtbs1?")
        form = app.screen.query_one(SetupForm)
        await form.show_more()
        controls = focusable(form, "Input, Choice, TickBox, Button, CollapsibleTitle")
        assert len(controls) > len(MORE) + 10
        for control in controls:
            app.screen.set_focus(control)
            assert app.focused is control
            assert not active_keys(app), control
        for name in ("epochs", "name"):
            app.screen.set_focus(form.query_one(f"#set-{name}"))
            await pilot.press("end", *TYPED)
            await until(lambda name=name: form.values[name].endswith(TYPED), f"{name} has what was typed")  # type: ignore[misc]
        form.query_one("#set-shuffle").focus()
        await pilot.press(*TYPED)
        await pilot.pause()
        assert app.current_mode == "train"
        assert not app.screen.is_modal
        assert len(store.runs()) == 1
    written.vanish()


@pytest.mark.parametrize("name", ["epochs", "learning_rate"])
async def test_a_letter_makes_a_number_invalid_as_one_types(store: Store, name: str) -> None:
    async with opened(store) as (app, pilot):
        form = app.screen.query_one(SetupForm)
        form.query_one(f"#set-{name}").focus()
        await pilot.press("home", "shift+end", "b", "q")
        await until(lambda: "not “bq”" in form.problems.get(name, ""), "the letters make no number")
        assert app.is_running
        await pilot.press("enter")
        assert store.runs() == []


async def test_pasted_text_starts_nothing_in_any_field(store: Store) -> None:
    async with opened(store) as (app, _):
        form = app.screen.query_one(SetupForm)
        await form.show_more()
        for control in focusable(form, "Input, Choice, TickBox"):
            app.screen.set_focus(control)
            control.post_message(Paste("qtb\nq\n"))
        await until(lambda: "qtb" in form.values["name"] and "qtb" in form.values["epochs"], "it is in the fields")
        assert store.runs() == []
        assert app.is_running


async def test_a_letter_opens_a_list_at_the_option_that_begins_with_it(store: Store) -> None:
    async with opened(store) as (app, pilot):
        choice = app.screen.query_one("#set-preset", Choice)
        choice.focus()
        before = choice.value
        await pilot.press("s")
        await until(lambda: choice.expanded, "the list is open")
        await until_shown(app, "99 % in one epoch: batch norm,")
        assert choice.value == before
        await pilot.press("enter")
        await until(lambda: choice.value == "speedrun", "it is chosen")


@pytest.mark.parametrize("key", ["enter", "ctrl+t", "f5"])
async def test_from_inside_a_field_enter_and_ctrl_t_train_and_the_footer_says_so(
    store: Store, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(store, size=(80, 24)) as (app, pilot):
        trained: list[int] = []
        monkeypatch.setattr(app, "train", lambda configs: trained.extend(one.epochs for one in configs))
        assert app.focused is None
        await until_shown(app, "t Train  b Both  down Form", "Train  t", "Both  b")
        app.screen.query_one("#set-epochs").focus()
        await until_shown(app, "enter, ^t Train", "F1 Help", "esc Leave field", "Train  ^t")
        assert "q Quit" not in shown(app)
        await pilot.press("home", "shift+end", "3", key)
        await until(lambda: trained == [3], "one run of 3 epochs is trained")
        assert app.focused is None or isinstance(app.focused, Widget)
        await until_shown(app, "t Train  b Both")


async def test_keys_that_follow_fast_walk_into_the_form(store: Store) -> None:
    async with opened(store) as (app, _):
        for key in ("down", "down", "down", "down", "down"):
            app.post_message(Key(key, None))
        await until(lambda: app.focused and app.focused.id == "set-epochs", "each of them goes a field further")


async def test_on_a_list_enter_opens_it_and_ctrl_t_trains(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(store) as (app, pilot):
        trained: list[str] = []
        monkeypatch.setattr(app, "train", lambda configs: trained.extend(one.backend for one in configs))
        app.screen.query_one("#set-backend").focus()
        await until_shown(app, "enter Choose  ^t Train")
        await pilot.press("enter")
        assert app.screen.query_one("#set-backend", Choice).expanded
        await pilot.press("escape", "ctrl+t")
        await until(lambda: trained == ["torch"], "it is trained")


async def test_ctrl_t_trains_from_every_screen_with_the_forms_settings(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    completed(store)
    async with opened(store, settings={"epochs": "7"}) as (app, pilot):
        trained: list[int] = []
        monkeypatch.setattr(app, "train", lambda configs: trained.extend(one.epochs for one in configs))
        await until_shown(app, "✓ completed")
        await pilot.press("2")
        await until_shown(app, "test acc")
        await pilot.press("ctrl+t")
        await until(lambda: trained == [7], "it is trained")
        assert app.current_mode == "train"


async def test_a_mode_s_digit_right_after_escape_leaves_the_form(store: Store) -> None:
    """A terminal sends both as one sequence, which looks like a character of an Apple keyboard."""
    async with opened(store) as (app, pilot):
        app.screen.query_one("#set-epochs").focus()
        await pilot.press("inverted_exclamation_mark")
        assert app.focused is None
        app.screen.query_one("#set-model").focus()
        await pilot.press("trade_mark_sign")
        await until(lambda: app.current_mode == "runs", "the other mode is shown")


async def test_no_printable_key_in_a_dialog_s_field_starts_anything(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    async with opened(store) as (app, pilot):
        await until(lambda: app.runs and app.snapshot, "the runs are known")
        assert app.snapshot
        dialogs: list[Screen[Any]] = [
            RateScreen(app.snapshot), ask_for_name(app.snapshot, app.runs or ()), ask_for_note(app.snapshot),
            ExportScreen("these digits", "digits"),
        ]  # fmt: skip
        for dialog in dialogs:
            await app.push_screen(dialog)
            for control in focusable(dialog, "Input, Button, Checkbox, Select"):
                dialog.set_focus(control)
                assert not active_keys(app), f"{dialog}: {control}"
            line = dialog.query_one(Input)
            dialog.set_focus(line)
            await pilot.press("end", *TYPED)
            assert line.value.endswith(TYPED)
            await pilot.press("escape")
            await until(lambda dialog=dialog: app.screen is not dialog, "it is closed")  # type: ignore[misc]
    written.vanish()


async def test_no_printable_key_in_the_filter_of_the_runs_starts_anything(store: Store) -> None:
    completed(store)
    async with opened(store) as (app, pilot):
        await pilot.press("2")
        await until_shown(app, "✓ completed")
        await pilot.press("/")
        await until(lambda: isinstance(app.focused, FilterInput), "the filter has the focus")
        assert not active_keys(app)
        await pilot.press(*TYPED)
        assert isinstance(app.focused, FilterInput)
        assert app.focused.value == TYPED
