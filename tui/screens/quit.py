"""Leaving while a run is live: what is to become of it?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from engine.runs import STATUS_WORDS
from tui.keys import with_keys
from tui.screens.dialog import Dialog
from tui.snapshot import RunSnapshot

Answer = Literal["detach", "stop", "stay"]
ANSWERS: dict[str, Answer] = {"detach": "detach", "stop": "stop", "stay": "stay"}
NAMED = 6
"""So many of the live runs are named one by one: more would push the answers off a small screen."""


class QuitScreen(Dialog[Answer]):
    """Asks about the `live` runs: detach leaves them running, stop ends them, stay does not leave."""

    BINDINGS = [
        Binding("d", "answer('detach')", "Detach", id="detach"),
        Binding("s", "answer('stop')", "Stop", id="stop"),
        Binding("escape", "answer('stay')", "Stay"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]
    AUTO_FOCUS = "#detach"

    def __init__(self, live: Sequence[RunSnapshot]) -> None:
        super().__init__()
        self._live = live

    def compose(self) -> ComposeResult:
        """Lay out the runs, the question and its answers."""
        them = "it" if len(self._live) == 1 else "them"
        offer = f"Detach leaves {them} to go on; you can come back to {them}. Stop tests and saves first."
        with Vertical(classes="dialog"):
            yield Static(id="live", markup=False)
            yield Static(Content(offer))
            with Horizontal():
                yield Button(with_keys(self.app, "Detach  {detach}"), id="detach", variant="primary", compact=True)
                yield Button(with_keys(self.app, "Stop  {stop}"), id="stop", compact=True)
                yield Button("Stay  esc", id="stay", compact=True)

    def on_mount(self) -> None:
        """Follow the runs: they train on below the question."""
        self.watch(self.app, "runs", self._tell)

    def _tell(self, runs: Sequence[RunSnapshot] | None) -> None:
        now = {snapshot.run.id: snapshot for snapshot in runs or ()}
        live = [snapshot for one in self._live if (snapshot := now.get(one.run.id, one)).live]
        lines = [f"Run {snapshot.run.id} {STATUS_WORDS[snapshot.status]}." for snapshot in live[:NAMED]]
        if len(live) > NAMED:
            lines.append(f"{len(live) - NAMED} more are waiting or running.")
        if not live:
            lines = ["It has ended meanwhile." if len(self._live) == 1 else "They have ended meanwhile."]
        self.query_one("#live", Static).update(Content("\n".join(lines)))

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(ANSWERS[event.button.id or "stay"])

    def action_answer(self, answer: str) -> None:
        """Answer by key."""
        self.dismiss(ANSWERS[answer])
