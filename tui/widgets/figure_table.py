"""A few figures in columns as wide as there is room for, with a label before each row; it takes no keys."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from tui.terminal import clean

GAP = 2
WIDEST_COLUMN = 28


class FigureTable(Widget):
    """`show` gives it its headings, with their colours, and its rows."""

    DEFAULT_CSS = "FigureTable { width: 1fr; height: auto; }"
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._headings: tuple[tuple[str, str], ...] = ()
        self._rows: tuple[tuple[str, ...], ...] = ()

    def show(self, headings: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> None:
        """Show `rows`, each a label and its figures, below `headings`, each a text and its colour or nothing."""
        shown = tuple(headings), tuple(tuple(row) for row in rows)
        if shown != (self._headings, self._rows):
            is_as_high = len(shown[1]) == len(self._rows)
            self._headings, self._rows = shown
            self.refresh(layout=not is_as_high)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return a line for the headings and one for each row."""
        return 1 + len(self._rows)

    def render(self) -> RenderResult:
        """Write the lines."""
        if not self._headings:
            return Content("")
        labels = max((cell_len(clean(row[0])) for row in self._rows), default=0)
        room = (self.size.width - labels) // len(self._headings) - GAP
        cells = max(1, min(room, WIDEST_COLUMN))
        heading = [Content.styled(_right(text, cells), f"bold {color}".strip()) for text, color in self._headings]
        lines = [Content("").join([Content(" " * labels), *heading])]
        for label, *figures in self._rows:
            name = Content.styled(set_cell_size(clean(label), labels), "$foreground 75%")
            lines.append(Content("").join([name, *(Content(_right(figure, cells)) for figure in figures)]))
        return Content("\n").join(lines)


def _right(text: str, cells: int) -> str:
    """Return `text` at the right of a column of so many cells, after the gap."""
    text = clean(text)
    shown = text if cell_len(text) <= cells else set_cell_size(text, cells - 1) + "…"
    return " " * (GAP + cells - cell_len(shown)) + shown
