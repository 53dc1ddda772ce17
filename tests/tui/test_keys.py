"""The config file gives actions other keys; footer, help and command palette then show those."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ConfigError
from engine.runs import Store
from tests.tui.app_harness import opened, shown, until_shown
from tui.keys import FIXED, IN_TEXTS, _bindings, _normal, default_keys
from tui.palette import palette_of
from tui.screens import screen_classes
from tui.screens.help import HelpScreen
from tui.settings import user_settings


async def test_another_key_does_what_the_old_one_did(store: Store) -> None:
    keys = {"help": "h,f9", "detach": "X", "train": "g"}
    async with opened(store, settings={"keys": keys}) as (app, pilot):
        await until_shown(app, "No run yet", "Press g to train", "h Help", "g Train", "Train  g")
        told = {command.help for command in palette_of(app, app.screen) if command.title == "Help"}
        assert "Key h · What this screen is for, and its keys" in told
        await pilot.press("escape", "question_mark")
        assert not isinstance(app.screen, HelpScreen)
        await pilot.press("h")
        assert isinstance(app.screen, HelpScreen)
        await until_shown(app, "h      What this screen is for", "g: the network")
        await pilot.press("escape", "f9")
        assert isinstance(app.screen, HelpScreen)
        assert "?" not in shown(app).splitlines()[-1]


def test_the_keys_that_texts_name_are_those_of_their_actions() -> None:
    defaults = default_keys()
    for name, key in IN_TEXTS.items():
        assert _normal(key if len(key) == 1 else key.lower()) in map(_normal, defaults[name][0].split(",")), name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[keys]\nstpo = 'x'", "There is no action “stpo” to give a key. Did you mean “stop”?"),
        ("[keys]\nwarp = 'x'", "Actions are: "),
        ("[keys]\nstop = 'p'", "The key p would be both “Stop” and “Pause”. Give “stop” or “pause” another one."),
        ("[keys]\nstop = 'h'\nhelp = 'h'", "would be both “"),
        ("[keys]\nstop = 'f99'", "“f99” is no key for “stop”."),
        ("[keys]\nstop = ''", "“” is no key for “stop”."),
        ("[keys]\nstop = 'enter'", "The key enter cannot be given to “stop”."),
        ("[keys]\nstop = 3", "Keys must be a table of texts."),
        ("keys = 's'", "Keys must be a table of texts."),
        ("theme = 'nrod'", "There is no theme “nrod”. Themes are: mnist-dark, mnist-light, textual-dark"),
    ],
)
def test_a_bad_key_or_theme_in_the_file_is_one_error(config_file: Path, text: str, words: str) -> None:
    config_file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        user_settings()
    assert words in str(caught.value)
    assert str(config_file) in str(caught.value)


def test_keys_can_change_places(config_file: Path) -> None:
    config_file.write_text("[keys]\nstop = 'p'\npause = 's'\n")
    assert user_settings()["keys"] == {"stop": "p", "pause": "s"}


def test_every_key_of_a_footer_can_be_another(cli_store: Path) -> None:
    for screen in screen_classes().values():
        for binding in _bindings(screen):
            if binding.show and not FIXED & set(binding.key.split(",")):
                assert binding.id in default_keys(), f"{screen.__name__}: {binding}"
