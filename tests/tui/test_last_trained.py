"""The form starts with what was trained last, unless the user's own settings say otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.config import FIELDS, TrainConfig
from engine.runs import Store
from tests.tui.app_harness import opened, until, until_shown
from tui.last_trained import NAME, PERSONAL, keep, recall, starting_settings
from tui.memory import Memory
from tui.widgets.setup_form import SetupForm

TRAINED = TrainConfig.preset(
    "tensorflow-tutorial", epochs=3, batch_size=16, limit=2000, seed=7, name="mine", shuffle=False
)


@pytest.fixture
def store(store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store of a user whose dataset is small."""
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    return store


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    """What is remembered: that the tour was seen."""
    memory = Memory(tmp_path / "state")
    memory._write("tour", "shown")
    return memory


async def remembered(memory: Memory, config: TrainConfig) -> None:
    """Have `config` remembered."""
    keep(memory, config)
    await until(lambda: recall(memory), "it is kept")


async def test_what_was_trained_is_in_the_form_of_the_next_session(
    store: Store, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(store, memory=memory) as (app, pilot):
        monkeypatch.setattr(app, "train", lambda configs: None)
        await until(lambda: app.config, "the form is read")
        app.screen.query_one("#set-epochs").focus()
        await pilot.press("home", "shift+end", "4", "enter")
        await until(lambda: recall(memory), "it is kept")
    async with opened(store, memory=memory) as (app, _):
        await until(lambda: app.config and app.config.epochs == 4, "the form has it")
        await until_shown(app, "as last trained")


async def test_all_but_name_and_repeats_is_remembered(store: Store, memory: Memory) -> None:
    await remembered(memory, TRAINED)
    async with opened(store, memory=memory) as (app, _):
        await until(lambda: app.config == TRAINED.replace(name=""), "the form has the settings, but not the name")
        await until_shown(app, "More: Shuffle, Limit changed")


async def test_a_reset_leads_back_to_the_preset_and_to_the_users_own_settings(store: Store, memory: Memory) -> None:
    await remembered(memory, TRAINED)
    async with opened(store, size=(80, 24), memory=memory, settings={"seed": 5}) as (app, pilot):
        await until_shown(app, "Reset")
        await pilot.press("down")
        await until_shown(app, "^r Reset")
        await pilot.press("ctrl+r")
        await until(lambda: app.config == TrainConfig.preset("tensorflow-tutorial", seed=5), "it is the preset's again")
        await until(lambda: not app.screen.query_one("#reset").has_class("-shown"), "there is nothing to reset")


def test_what_the_user_gives_wins(memory: Memory) -> None:
    last = {"preset": "speedrun", "epochs": "3", "seed": "7", "limit": "2000"}
    assert starting_settings({"epochs": 9}, last) == {**last, "epochs": 9}
    assert starting_settings({"preset": "accurate"}, last) == {"seed": "7", "limit": "2000", "preset": "accurate"}
    assert starting_settings({"epochs": 9}, {}) == {"epochs": 9}
    assert FIELDS.keys() >= PERSONAL


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        '{"preset": 3}',
        '{"preset": "gone", "epochs": "3"}',
        "[" * 100_000,
        "\x00",
        '{"a": NaN}',
    ],
)
def test_a_damaged_memory_is_ignored(memory: Memory, text: str) -> None:
    memory._write(NAME, text)
    assert recall(memory) == {}


def test_of_a_memory_of_another_version_what_still_fits_is_taken(memory: Memory) -> None:
    values = {
        "preset": "speedrun",
        "epochs": "3",
        "batch_size": "0",
        "warp": "9",
        "seed": 5,
        "name": "x",
        "device": "\x1b",
    }
    memory._write(NAME, json.dumps(values))
    assert recall(memory) == {"preset": "speedrun", "epochs": "3"}


async def test_without_a_memory_nothing_is_remembered(store: Store) -> None:
    async with opened(store) as (app, _):
        await until(lambda: app.config == TrainConfig.preset("pytorch-tutorial"), "the form is the tutorial's")
        assert not app.screen.query_one(SetupForm).query_one("#reset").has_class("-shown")
