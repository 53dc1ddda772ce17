"""What the command palette offers: the modes, and everything that has a key where one is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from textual.app import App, SystemCommand
from textual.screen import Screen

from tui.widgets.mode_bar import MODE_TITLES

LEFT_OUT = ("quit", "command_palette")
"""The actions that Textual's own palette has already, or that make no sense there."""

WITHOUT_ROOM = ("app.stop(True)", "duel", "tour")
"""Those that are not in the footer, but may be looked for."""


def palette_of(app: App[Any], screen: Screen[Any]) -> Iterator[SystemCommand]:
    """Yield the modes and what can be done on `screen` now."""
    for mode, title in MODE_TITLES.items():
        yield SystemCommand(f"Go to {title}", f"Show the {title} screen", _later(app, app.switch_mode, mode))
    for active in screen.active_bindings.values():
        binding = active.binding
        if active.enabled and (binding.show or binding.action in WITHOUT_ROOM) and binding.action not in LEFT_OUT:
            run = _later(app, app.run_action, binding.action, active.node)
            words = [f"Key {app.get_key_display(binding)}", binding.tooltip]
            yield SystemCommand(binding.description, " · ".join(filter(None, words)), run)


def _later(app: App[Any], function: Callable[..., Any], *arguments: Any) -> Callable[[], object]:
    return lambda: app.call_later(function, *arguments)
