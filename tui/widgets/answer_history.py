"""What the network said of one image after each epoch, and how probable it held that and the truth."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from engine.history import Moment
from tui.cells import fitted
from tui.terminal import clean

ROWS = ("epoch", "says", "sure %", "true %")
NAME_CELLS, COLUMN_CELLS = 7, 5
LONGEST_NAME = 10
"""The cells of a class's name; of a longer one the end is cut off."""


class AnswerHistory(Widget):
    """A column an epoch; where they do not all fit, those up to the chosen one or the first few."""

    DEFAULT_CSS = """
    AnswerHistory {
        height: 4;
        & > .answer-history--name { color: $text-muted; }
        & > .answer-history--right { color: $success; }
        & > .answer-history--wrong { color: $foreground; }
        & > .answer-history--now { background: $block-cursor-background; color: $block-cursor-foreground; }
    }
    """
    COMPONENT_CLASSES = {
        "answer-history--name",
        "answer-history--right",
        "answer-history--wrong",
        "answer-history--now",
    }
    ALLOW_SELECT = False

    moments: reactive[tuple[Moment, ...]] = reactive(())
    label: reactive[int] = reactive(0)
    epoch: reactive[int] = reactive(0)

    def __init__(self, *, ascii: bool = False) -> None:
        super().__init__()
        self._ascii = ascii
        self._mark = "*" if ascii else "✓"
        self._names: tuple[str, ...] = ()

    def show(self, moments: Sequence[Moment], label: int, epoch: int, class_names: Sequence[str]) -> None:
        """Show `moments` of an image that is a `label`, the column of `epoch` standing out."""
        self._names = tuple(_cut(clean(name), self._ascii) for name in class_names)
        self.moments, self.label, self.epoch = tuple(moments), label, epoch

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(ROWS)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y >= len(ROWS) or not self.moments:
            return Strip.blank(width, self.rich_style)
        segments = [Segment(f"{ROWS[y]:<{NAME_CELLS}}", self._style("name"))]
        for moment in self._seen():
            kind = "right" if moment.predicted == self.label else "wrong"
            style = self._style("now" if moment.epoch == self.epoch else "name" if y == 0 else kind)
            segments.append(Segment(self._figure(moment, y), style))
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _figure(self, moment: Moment, row: int) -> str:
        mark = self._mark if moment.predicted == self.label else " "
        figures = (
            f"{moment.epoch} ",
            f"{self._names[moment.predicted]}{mark}",
            f"{100 * moment.confidence:.0f} ",
            f"{100 * moment.label_probability:.0f} ",
        )
        return fitted(figures[row], self._column_cells, at_right=True)

    @property
    def _column_cells(self) -> int:
        """The cells of an epoch: a blank, the longest text, and the mark or a blank."""
        epochs = len(str(max((moment.epoch for moment in self.moments), default=0)))
        said = (cell_len(self._names[moment.predicted]) for moment in self.moments)
        return max(COLUMN_CELLS, *(2 + cells for cells in (epochs, *said)))

    def _seen(self) -> Sequence[Moment]:
        fitting = max(1, (self.size.width - NAME_CELLS) // self._column_cells)
        position = next((i for i, moment in enumerate(self.moments) if moment.epoch == self.epoch), 0)
        first = max(0, position + 1 - fitting)
        return self.moments[first : first + fitting]

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"answer-history--{name}")


def _cut(name: str, ascii: bool) -> str:
    return name if cell_len(name) <= LONGEST_NAME else fitted(name, LONGEST_NAME, ascii=ascii)
