"""A key has one meaning, whichever screen or dialog it is pressed on."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from textual.binding import Binding
from textual.dom import DOMNode

import tui.screens
import tui.widgets
from tui import app
from tui.keys import EARLIER_NAMES, check_keys, default_keys

WALKING = {
    *("enter", "escape", "tab", "shift+tab", "space", "backspace", "up", "down", "left", "right"),
    *("home", "end", "ctrl+home", "ctrl+end", "pageup", "pagedown"),
}
"""They go to the next thing, take it, or go one step back: on every screen the same, whatever the things are."""
ARROWS = {"h": "left", "j": "down", "k": "up", "l": "right", "g": "home", "G": "end"}


def bindings() -> Iterator[tuple[str, Binding, str]]:
    """Yield every key that a screen, a dialog, a widget or the app binds, with who binds it."""
    modules = [app, *_modules(tui.screens), *_modules(tui.widgets)]
    for owner in {thing for module in modules for thing in vars(module).values() if isinstance(thing, type)}:
        if not issubclass(owner, DOMNode):
            continue
        for base in owner.__mro__:
            if base.__module__.startswith("tui."):
                for binding in vars(base).get("BINDINGS", ()):
                    yield from ((owner.__name__, binding, key.strip()) for key in binding.key.split(","))


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def test_no_key_has_two_meanings() -> None:
    meanings: dict[str, dict[str, set[str]]] = {}
    for owner, binding, key in bindings():
        if key not in WALKING and key not in ARROWS:
            meanings.setdefault(key, {}).setdefault(binding.id or binding.description, set()).add(owner)
    assert len(meanings) > 30
    assert {"QuitScreen", "ConfirmScreen", "StopScreen", "HelpScreen"} <= {
        owner for found in meanings.values() for owners in found.values() for owner in owners
    }
    twice = {key: found for key, found in meanings.items() if len(found) > 1}
    assert not twice, "\n".join(f"{key}: {found}" for key, found in twice.items())


def test_letters_that_walk_do_what_their_arrow_does() -> None:
    for owner, binding, key in bindings():
        if key in ARROWS:
            simulated = f"app.simulate_key('{ARROWS[key]}')"
            is_the_same = ARROWS[key] in binding.key.split(",") or binding.action == simulated
            assert is_the_same, f"{owner}: {key} is {binding.action}"


def test_an_action_has_the_same_key_on_every_screen() -> None:
    keys: dict[str, dict[str, set[str]]] = {}
    for owner, binding, key in bindings():
        if binding.id:
            keys.setdefault(binding.id, {}).setdefault(key, set()).add(owner)
    assert len(keys) > 25
    assert not {name: found for name, found in keys.items() if len(found) > 1}


def test_config_files_of_earlier_versions_still_hold() -> None:
    """Each action that had a name, or a key of its own, before names were shared."""
    earlier = {
        "train": "f8", "rate": "f9", "copy": "f10", "compare_runs": "f11", "rename": "f12", "note": "ctrl+n",
        "set": "f6", "order": "f7", "page_after": "ctrl+f", "page_before": "ctrl+b", "digit_after": "ctrl+f",
    }  # fmt: skip
    now = check_keys(earlier)
    assert now["compare"] == "f11"
    assert now["show"] == "f6"
    assert now["sort"] == "f7"
    assert now["next"] == "ctrl+f"
    assert now.keys() <= default_keys().keys()
    assert set(EARLIER_NAMES.values()) <= default_keys().keys()
