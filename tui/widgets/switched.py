"""Panes beside each other, as many of them as there is room for; the others are a key away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget

Groups = tuple[tuple[str, ...], ...]


class Switched(Horizontal):
    """Shows the group of panes that the one with the keys is in.

    `arrangements` say, from which width on, which panes are seen together: the narrowest first. A pane is named by
    its id; all arrangements have the same ones, in the same order.
    """

    DEFAULT_CSS = """
    Switched { height: 1fr; }
    """

    @dataclass
    class Changed(Message):
        """Another pane has the keys, or others are seen."""

        pane: str

    def __init__(self, *panes: Widget, arrangements: Sequence[tuple[int, Groups]], id: str | None = None) -> None:
        super().__init__(*panes, id=id)
        self._arrangements = arrangements
        self.groups = arrangements[0][1]
        self.pane = self.groups[0][0]

    @property
    def names(self) -> list[str]:
        """The panes in their order."""
        return [name for group in self.groups for name in group]

    @property
    def group(self) -> tuple[str, ...]:
        """The panes that are seen."""
        return next(group for group in self.groups if self.pane in group)

    def on_mount(self) -> None:
        """Show as many panes as there is going to be room for."""
        self._fit(self.app.size.width)
        self._arrange()

    def on_resize(self, event: events.Resize) -> None:
        """Show as many panes as there is room for."""
        before = self.groups
        self._fit(event.size.width)
        if self.groups != before:
            self._arrange()

    def _fit(self, room: int) -> None:
        self.groups = [groups for width, groups in self._arrangements if width <= room][-1]

    def go_to(self, pane: str) -> None:
        """Give the keys to `pane`."""
        self.pane = pane
        self._arrange()
        within = self.query_one(f"#{pane}")
        for widget in (within, *within.query("*")):
            if widget.focusable:
                self.screen.set_focus(widget)  # at once: Widget.focus lets keys typed ahead pass by
                return

    def go_on(self, step: int) -> None:
        """Give the keys to the next pane, or the one before."""
        names = self.names
        self.go_to(names[(names.index(self.pane) + step) % len(names)])

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Follow the mouse."""
        around = {widget.id for widget in event.widget.ancestors_with_self}
        for name in self.names:
            if name in around and name != self.pane:
                self.pane = name
                self._arrange()

    def _arrange(self) -> None:
        seen = self.group
        for name in self.names:
            self.query_one(f"#{name}").display = name in seen
        self.post_message(self.Changed(self.pane))
