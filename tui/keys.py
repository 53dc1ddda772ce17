"""The user's own keys: which actions can be given another one, and which keys they may be."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from engine.errors import ConfigError

if TYPE_CHECKING:
    from textual.app import App
    from textual.binding import Binding

EVERYWHERE = "everywhere"
FIXED = {
    *("enter", "escape", "tab", "shift+tab", "up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
    *("space", "backspace", "ctrl+c", "ctrl+p", "ctrl+z", *"12345"),
}
"""They walk, choose and leave, on every screen the same."""
IN_TEXTS = {
    "train": "t",
    "both": "b",
    "duel": "u",
    "stop": "s",
    "pause": "p",
    "resume": "r",
    "detach": "d",
    "rate": "R",
    "other_run": "v",
    "zoom": "z",
    "output": "o",
    "copy": "c",
    "compare": "m",
    "delete": "x",
    "show": "w",
    "filter": "/",
    "invert": "i",
    "help": "?",
    "quit": "q",
    "tour": "F2",
}
"""The keys that texts name, by action, as they are unless the user has given others."""
EARLIER_NAMES = {
    "compare_runs": "compare",
    "order": "sort",
    "set": "show",
    "page_after": "next",
    "page_before": "previous",
    "digit_after": "next",
    "digit_before": "previous",
}
"""What config files of earlier versions call some actions: one that does the same on two screens has one name now."""
MODIFIERS = ("ctrl", "alt", "shift", "super")


@dataclass(frozen=True)
class Bound:
    """An action with its key on a screen, or `EVERYWHERE`; `name` is what the config file calls it, if anything."""

    where: str
    name: str
    key: str
    title: str
    words: str

    def meets(self, other: Bound) -> bool:
        """Whether the two can be asked for on the same screen, by the same key."""
        return self.key == other.key and (self.where == other.where or EVERYWHERE in (self.where, other.where))


def default_keys() -> dict[str, tuple[str, str]]:
    """Return, by name, the keys of every action that can be given others, and what it does."""
    found: dict[str, tuple[list[str], str]] = {}
    for bound in _bound():
        if bound.name:
            keys, _ = found.setdefault(bound.name, ([], bound.words))
            if bound.key not in keys:
                keys.append(bound.key)
    return {name: (",".join(map(typed, keys)), words) for name, (keys, words) in found.items()}


def typed(key: str) -> str:
    """`question_mark` → `?`, but `comma` stays, for it parts keys."""
    from textual.keys import key_to_character

    return key if key == "comma" else key_to_character(key) or key


def with_keys(app: App[Any], text: str) -> str:
    """Return `text` with the user's key for the action in each pair of braces: `press {train}` → `press t`."""
    keys: Mapping[str, str] = getattr(app, "settings", {}).get("keys", {})

    def key_of(found: re.Match[str]) -> str:
        name = found[1]
        return typed(keys[name].split(",")[0]) if name in keys else IN_TEXTS[name]

    return re.sub(r"\{(\w+)\}", key_of, text)


def check_keys(table: object) -> dict[str, str]:
    """Return the `[keys]` of a config file, which are keys by action; raise ConfigError for the first bad one."""
    if not isinstance(table, dict) or not all(isinstance(keys, str) for keys in table.values()):
        raise ConfigError("keys", "Keys must be a table of texts.", 'For example: [keys], and below it train = "x".')
    known = default_keys()
    table = _renamed(table)
    for name, keys in table.items():
        if name not in known:
            raise ConfigError("keys", f"There is no action “{name}” to give a key.", _suggestion(name, list(known)))
        for key in keys.split(","):
            _check_key(name, key.strip())
    chosen = {name: [_normal(key.strip()) for key in keys.split(",")] for name, keys in table.items()}
    _check_clashes(chosen)
    return {name: ",".join(keys) for name, keys in chosen.items()}


def _renamed(table: Mapping[str, str]) -> dict[str, str]:
    """Return the keys by today's names; where two names of before are one now, it has the keys of both."""
    found: dict[str, list[str]] = {}
    for name, keys in table.items():
        found.setdefault(EARLIER_NAMES.get(name, name), []).extend(key.strip() for key in keys.split(","))
    return {name: ",".join(dict.fromkeys(keys)) for name, keys in found.items()}


def _check_key(name: str, key: str) -> None:
    *modifiers, base = key.split("+") if len(key) > 1 else [key]
    if _normal(base) not in _key_names() or not set(modifiers) <= set(MODIFIERS):
        raise ConfigError(
            "keys",
            f"“{key}” is no key for “{name}”.",
            "A key is a character, or a name such as f5, ctrl+t, comma or delete.",
        )
    if key in FIXED:
        raise ConfigError("keys", f"The key {key} cannot be given to “{name}”.", "It does the same on every screen.")


def _check_clashes(chosen: Mapping[str, list[str]]) -> None:
    """Raise ConfigError where two actions of a screen would have the same key, and had not from the start."""
    default = list(_bound())
    now = [(bound, bound) for bound in default if bound.name not in chosen]
    for bound in default:
        for key in chosen.get(bound.name, ()):
            moved = replace(bound, key=key)
            for before, other in now:
                if moved.meets(other) and moved.name != other.name and not bound.meets(before):
                    raise _clash(moved, other)
            now.append((bound, moved))


def _clash(moved: Bound, other: Bound) -> ConfigError:
    message = f"The key {typed(moved.key)} would be both “{moved.title}” and “{other.title}”."
    names = f"“{moved.name}”" + (f" or “{other.name}”" if other.name else "")
    return ConfigError("keys", message, f"Give {names} another one.")


def _bound() -> Iterator[Bound]:
    """Yield the actions of the app and of every mode's screen."""
    from tui.app import MnistApp
    from tui.screens import screen_classes

    places: dict[str, type[Any]] = {EVERYWHERE: MnistApp, **screen_classes()}
    for where, owner in places.items():
        for binding in _bindings(owner):
            for key in binding.key.split(","):
                title = binding.description
                yield Bound(where, binding.id or "", _normal(key.strip()), title, binding.tooltip or title)


def _bindings(owner: type[Any]) -> Iterator[Binding]:
    """Yield what our own classes bind, not Textual's."""
    for base in owner.__mro__:
        if base.__module__.startswith("tui."):
            yield from vars(base).get("BINDINGS", ())


def _suggestion(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name.lower(), names, n=1)
    return f"Did you mean “{close[0]}”?" if close else f"Actions are: {', '.join(names)}."


def _normal(key: str) -> str:
    """`?` → `question_mark`, as Textual calls it."""
    from textual.keys import _character_to_key

    return _character_to_key(key) if len(key) == 1 else key


@cache
def _key_names() -> frozenset[str]:
    from textual.keys import Keys

    return frozenset({key.value for key in Keys} | {_normal(chr(code)) for code in range(33, 127)})
