"""Where to write the digits on display: as CSV, or as a contact sheet."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static

from tui.screens.dialog import Dialog
from tui.terminal import clean


class ExportScreen(Dialog[Path | None]):
    """Asks for a file; the result is its path, ending in .csv or .png, or None. What is there is not overwritten."""

    BINDINGS = [Binding("escape", "dismiss(None)", "Close")]
    AUTO_FOCUS = "Input"

    def __init__(self, what: str, stem: Path) -> None:
        super().__init__()
        self._what, self._stem = what, stem

    def compose(self) -> ComposeResult:
        """Lay out the question, the path and the two kinds of file."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Export"
            dialog.border_subtitle = "Esc closes"
            yield Static(Content(clean(f"Write {self._what} to")))
            yield Input(f"{self._stem}.csv", compact=True)
            yield Static(id="problem", markup=False)
            with Horizontal():
                yield Button("CSV table", id="csv", variant="primary", compact=True)
                yield Button("PNG contact sheet", id="png", compact=True)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._finish(self._path)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self._finish(self._path.with_suffix(f".{event.button.id}"))

    @property
    def _path(self) -> Path:
        return Path(self.query_one(Input).value.strip() or f"{self._stem}.csv").expanduser().absolute()

    def _finish(self, path: Path) -> None:
        if path.suffix.lower() not in (".csv", ".png"):
            path = path.with_name(f"{path.name}.csv")
        if path.exists():
            problem = f"There is a {path.name} already. Choose another name."
            self.query_one("#problem", Static).update(Content.styled(clean(problem), "$text-error"))
        else:
            self.dismiss(path)
