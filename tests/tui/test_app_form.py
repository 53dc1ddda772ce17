"""The form: made from the settings' descriptions, checked as one types, honest about what is not there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import OptionList, Static
from textual.widgets._collapsible import CollapsibleTitle

from engine.backends import BACKENDS
from engine.config import FIELDS, TrainConfig
from engine.runs import Store
from tests.tui.app_harness import opened, shown, until, until_shown
from tui.form_checks import config_of
from tui.widgets.setup_field import SetupField
from tui.widgets.setup_form import MORE, SetupForm


@pytest.fixture
def store(store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store of a user whose dataset has 120 images to train and 50 to test."""
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    return store


async def test_it_starts_with_the_tutorials_recipe_and_what_the_user_prefers(store: Store) -> None:
    async with opened(store, settings={"preset": "pytorch-tutorial", "epochs": "4"}) as (app, _):
        await until(lambda: app.config, "the form is checked")
        assert app.config == TrainConfig.preset("pytorch-tutorial", epochs=4)


@pytest.mark.parametrize(("downs", "preset"), [(1, "tensorflow-tutorial"), (2, "speedrun"), (3, "accurate")])
async def test_choosing_a_preset_fills_in_its_recipe_and_its_backend(store: Store, downs: int, preset: str) -> None:
    async with opened(store, settings={"seed": 7}) as (app, pilot):
        await pilot.press("down", "enter", *["down"] * downs, "enter")
        form, wanted = app.screen.query_one(SetupForm), TrainConfig.preset(preset, seed=7)
        await until(lambda: config_of(form.values) == wanted, "the form has the preset's recipe, and the seed still")


async def test_the_model_screen_describes_the_presets_network_in_full_on_80_columns(store: Store) -> None:
    async with opened(store, size=(80, 40), settings={"preset": "speedrun", "batch_size": "64"}) as (app, pilot):
        await pilot.press("5")
        await until_shown(app, "cnn-strided · Two convolutions and a hidden layer, with batch norm")
        await until_shown(app, "24 filters of 5×5, stride 2, padding 1    24×13×13         600")
        await until_shown(app, "fully connected, 128 units", "166,258", "for 1 epoch.")


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("epochs", "0", "from 1 to 10,000, not “0”"),
        ("batch_size", "0", "from 1 to 60,000, not “0”"),
        ("batch_size", "121", "at most the 120 training images"),
        ("learning_rate", "-1", "a number above 0"),
        ("learning_rate", "e", "not “e”"),
    ],
)
async def test_a_value_that_does_not_fit_is_explained_at_its_field(
    store: Store, field: str, typed: str, message: str
) -> None:
    async with opened(store) as (app, pilot):
        await until(lambda: app.dataset, "the dataset is known")
        app.screen.query_one(f"#set-{field}").focus()
        await pilot.press("home", "shift+end", *typed)
        form = app.screen.query_one(SetupForm)
        await until(lambda: message in form.problems.get(field, ""), f"{field} says “{message}”")
        assert app.config is None
        await pilot.press("ctrl+t")
        await pilot.pause()
        assert store.runs() == []
        assert app.focused is not None
        assert app.focused.id == f"set-{field}"


async def test_a_last_batch_of_one_image_is_refused_where_the_network_cannot_normalise_it(store: Store) -> None:
    async with opened(store, settings={"preset": "speedrun", "batch_size": "17"}) as (app, _):
        form = app.screen.query_one(SetupForm)
        await until(lambda: "a single image" in form.problems.get("batch_size", ""), "the batch size is refused")


async def test_all_other_settings_are_behind_more(store: Store) -> None:
    async with opened(store) as (app, pilot):
        app.screen.query_one(CollapsibleTitle).focus()
        await pilot.press("enter")
        form = app.screen.query_one(SetupForm)
        await until(lambda: form.query("#set-name"), "the last field is there")
        assert {name for name in FIELDS if form.query(f"#set-{name}")} == set(FIELDS) - {"preset_name"}
        form.query_one("#set-name").focus()
        await pilot.press(*"t1")
        await until(lambda: app.config and app.config.name == "t1", "the name is “t1”")
        await until_shown(app, "esc Leave field")
        await pilot.press("escape")
        await until_shown(app, "t Train  b Both")
        assert "esc Leave field" not in shown(app)


async def test_a_data_folder_that_is_none_is_refused_where_it_was_set(store: Store, tmp_path: Path) -> None:
    async with opened(store, settings={"data": str(tmp_path / "nowhere")}) as (app, pilot):
        form = app.screen.query_one(SetupForm)
        await until(lambda: "nowhere" in form.problems.get("data", ""), "the data setting is refused")
        await until_shown(app, "More: mend Data")
        await pilot.press("t")
        await until(lambda: app.focused and app.focused.id == "set-data", "the focus is on the data setting")


async def test_a_device_that_is_not_there_cannot_be_chosen_and_says_why(store: Store) -> None:
    async with opened(store) as (app, pilot):
        await until(lambda: len(app.reports) == len(BACKENDS), "all frameworks have answered")
        app.screen.query_one("#set-device").focus()
        await pilot.press("enter")
        await until_shown(app, "cpu · 2 cores", "cuda:0: not seen by PyTorch")
        options = app.screen.query_one("#set-device").query_one(OptionList)
        assert [option.disabled for option in options.options] == [False, False, True, True]


async def test_a_preferred_device_that_is_not_there_is_refused(store: Store) -> None:
    async with opened(store, settings={"device": "cuda:0"}) as (app, _):
        form = app.screen.query_one(SetupForm)
        await until(lambda: "sees no cuda:0 here" in form.problems.get("device", ""), "the device is refused")


async def test_a_framework_that_is_not_installed_is_marked_and_the_other_one_taken(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = replace(BACKENDS["torch"], package="no_such_package")
    monkeypatch.setitem(BACKENDS, "torch", missing)
    async with opened(store) as (app, pilot):
        await until(lambda: app.config and app.config.backend == "tensorflow", "the other framework is chosen")
        app.screen.query_one("#set-backend").focus()
        await pilot.press("enter")
        await until_shown(app, "PyTorch: not installed")
    async with opened(store, settings={"backend": "torch"}) as (app, _):
        await until_shown(app, "is not installed", "'mnist-tui[torch]'")


async def test_the_help_tells_what_an_option_teaches_before_it_is_chosen(store: Store) -> None:
    async with opened(store, size=(80, 24)) as (app, pilot):
        await pilot.press("down", "enter", "down", "down")
        await until_shown(app, "99 % in one epoch: batch norm,")
        await pilot.press("escape")
        await until_shown(app, "A first CNN with batch norm: a")
        assert app.config == TrainConfig.preset("pytorch-tutorial")


async def test_the_help_of_every_field_fits_into_a_small_terminal(store: Store) -> None:
    async with opened(store, size=(80, 24)) as (app, pilot):
        form = app.screen.query_one(SetupForm)
        await form.show_more()
        for field in form.query(SetupField):
            field.query_one(f"#set-{field.field.name}").focus()
            await pilot.pause()
            help = form.query_one("#help", Static)
            assert str(help.content)
            assert help.size.height == 5
            assert help.get_content_height(help.size, app.size, help.size.width) <= 5, field.field.name


async def test_arrows_go_through_a_form_that_is_taller_than_the_screen_and_lead_back_to_it(store: Store) -> None:
    async with opened(store, size=(80, 24)) as (app, pilot):
        form = app.screen.query_one(SetupForm)
        await form.show_more()
        form.query_one(f"#set-{MORE[0]}").focus()
        for name in MORE[1:4]:
            await pilot.press("down")
            assert app.focused is form.query_one(f"#set-{name}")
        await pilot.press("up", "escape")
        assert app.focused is None
        await pilot.press("down")
        assert app.focused is form.query_one("#set-preset")


async def test_what_makes_no_number_is_told_and_not_left_out(store: Store) -> None:
    async with opened(store) as (app, pilot):
        form = app.screen.query_one(SetupForm)
        for name, typed in (("batch_size", "2.5"), ("learning_rate", "0,01")):
            app.screen.query_one(f"#set-{name}").focus()
            await pilot.press("home", "shift+end", *typed)
            await until(lambda name=name, typed=typed: typed in form.problems.get(name, ""), f"{typed} is refused")  # type: ignore[misc]
