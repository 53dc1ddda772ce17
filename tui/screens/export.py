"""Where to write the digits on display: as CSV, or as a contact sheet."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static

from engine.causes import explain
from tui.screens.dialog import Dialog
from tui.settings import absolute_path
from tui.terminal import clean


class ExportScreen(Dialog[Path | None]):
    """Asks for a file; the result is its path, ending in .csv or .png, or None. What is there is not overwritten."""

    BINDINGS = [Binding("escape", "dismiss(None)", "Close")]
    AUTO_FOCUS = "Input"

    def __init__(self, what: str, stem: str) -> None:
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
        self._finish()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self._finish(f".{event.button.id}")

    def _finish(self, kind: str = "") -> None:
        """Answer with the path, ending in `kind` where that is given, or say why it will not do."""
        try:
            path = self._path(kind)
            is_taken = _is_taken(path)
        except OSError as error:
            self._object(" ".join(filter(None, explain(error, "written", elsewhere="Choose another."))))
        except ValueError:
            self._object("This is no name for a file. Choose another.")
        else:
            if is_taken:
                self._object(f"There is a {path.name} already. Choose another name.")
            else:
                self.dismiss(path)

    def _object(self, problem: str) -> None:
        self.query_one("#problem", Static).update(Content.styled(clean(problem), "$text-error"))

    def _path(self, kind: str) -> Path:
        """Return what is typed as an absolute path. Raises OSError or ValueError where it cannot be one."""
        path = absolute_path(self.query_one(Input).value.strip() or f"{self._stem}.csv")
        if kind:
            return path.with_suffix(kind)
        return path if path.suffix.lower() in (".csv", ".png") else path.with_name(f"{path.name}.csv")


def _is_taken(path: Path) -> bool:
    """Whether there is something at `path`. Raises OSError or ValueError where there cannot be anything."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True
