"""What a network thinks of one image: a bar and a percentage for every class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.cells import fitted
from tui.terminal import clean

EIGHTHS = " ▏▎▍▌▋▊▉█"
PERCENT_CELLS = 7  # "100.0 %"


class Mark(NamedTuple):
    """What a row is, its component class, and how it is told from the others without colour."""

    kind: str
    sign: str
    ascii_sign: str
    word: str


RIGHT = Mark("right", "✓", "*", "right")  # the answer, which is the label
WRONG = Mark("wrong", "✗", "x", "answer")  # the answer, which is not
LABEL = Mark("label", "◂", "<", "label")  # what the answer should have been
ANSWER = Mark("answer", "▸", ">", "answer")  # the answer, where no label is known
OTHER = Mark("other", " ", " ", "")
MARKS = (RIGHT, WRONG, LABEL, ANSWER, OTHER)
WORD_CELLS = max(len(mark.word) for mark in MARKS)
ROOM_FOR_WORDS = 34  # cells; narrower than this, a mark is its character alone


class Probabilities(Widget):
    """One row a class, in the classes' order; the label's row and the answer's are marked by a sign and a word."""

    DEFAULT_CSS = """
    Probabilities {
        height: auto;
        & > .probabilities--other { color: $text-muted; }
        & > .probabilities--answer { text-style: bold; }
        & > .probabilities--label { color: #56B4E9; text-style: bold; }
        & > .probabilities--right { color: #2EB88A; text-style: bold; }
        & > .probabilities--wrong { color: #E69F00; text-style: bold; }
        &:light {
            & > .probabilities--label { color: #0072B2; }
            & > .probabilities--right { color: #00704F; }
            & > .probabilities--wrong { color: #B34700; }
        }
    }
    """
    COMPONENT_CLASSES = {f"probabilities--{mark.kind}" for mark in MARKS}
    ALLOW_SELECT = False

    probabilities: reactive[tuple[float, ...]] = reactive(())
    """One a class, each 0 to 1; empty for nothing to show."""
    label: reactive[int | None] = reactive(None)
    """The true class, None where it is not known."""
    ascii: reactive[bool] = reactive(False)

    def __init__(
        self,
        class_names: Sequence[str] = "0123456789",
        *,
        ascii: bool = False,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._names = tuple(clean(name) for name in class_names)
        self.set_reactive(Probabilities.ascii, ascii)

    def show(
        self, probabilities: Sequence[float], label: int | None = None, class_names: Sequence[str] | None = None
    ) -> None:
        """Show one probability for each class; the greatest is the network's answer."""
        names = self._names if class_names is None else tuple(clean(name) for name in class_names)
        if names != self._names:
            self._names = names
            self.refresh(layout=True)
        self.probabilities = tuple(float(probability) for probability in probabilities)
        self.label = label

    @property
    def answer(self) -> int | None:
        """The class with the greatest probability, None where there is none."""
        known = [(probability, -index) for index, probability in enumerate(self.probabilities) if probability >= 0]
        return -max(known)[1] if known else None

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._names)

    def render_line(self, y: int) -> Strip:
        width, style = self.size.width, self.rich_style
        if y >= len(self._names):
            return Strip.blank(width, style)
        mark = self._mark(y)
        row_style = self.get_component_rich_style(f"probabilities--{mark.kind}")
        return Strip([Segment(self._row(y, mark, width), row_style)]).adjust_cell_length(width, style)

    def _mark(self, index: int) -> Mark:
        if index == self.answer:
            return ANSWER if self.label is None else RIGHT if self.label == index else WRONG
        return LABEL if index == self.label else OTHER

    def _row(self, index: int, mark: Mark, width: int) -> str:
        """Return the row's name, bar, percentage and mark, aligned with those of the other rows."""
        sign = mark.ascii_sign if self.ascii else mark.sign
        if width >= ROOM_FOR_WORDS:
            sign = f"{sign} {mark.word:{WORD_CELLS}}"
        probability = self.probabilities[index] if index < len(self.probabilities) else None
        name_cells = min(max(map(cell_len, self._names)), width // 3)
        name = fitted(self._names[index], name_cells, ascii=self.ascii)
        bar_cells = width - name_cells - PERCENT_CELLS - len(sign) - 3
        percent = _percent(probability)
        return f"{name} {_bar(probability or 0.0, bar_cells, self.ascii)} {percent:>{PERCENT_CELLS}} {sign}"


def _percent(probability: float | None) -> str:
    """`0.873` → `87.3 %`; a chance too small for the digits is `<0.1 %`, not nothing."""
    if probability is None:
        return ""
    if not probability >= 0:
        return "? %"
    return "<0.1 %" if 0 < probability < 0.0005 else f"{probability * 100:.1f} %"


def _bar(probability: float, cells: int, ascii: bool) -> str:
    """Return a bar of `cells` cells, filled from the left to the nearest eighth of a cell (ASCII: to the cell)."""
    if cells <= 0:
        return ""
    share = min(probability, 1.0) if probability > 0 else 0.0
    if ascii:
        return ("#" * round(share * cells)).ljust(cells)
    full, eighths = divmod(round(share * cells * 8), 8)
    return ("█" * full + EIGHTHS[eighths].strip()).ljust(cells)
