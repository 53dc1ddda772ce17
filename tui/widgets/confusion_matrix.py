"""A confusion matrix to walk in: counts by true class and answer, shaded, with totals and every class's scores."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.color import Color
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from engine.scores import ClassScores
from engine.selection import EVERYTHING, Cell

CLASSES = 10
NAME_CELLS, TOTAL_CELLS, SCORE_CELLS = 2, 6, 6
COUNT_CELLS = (4, 5)
"""As a rule, and where there is room: totals above 999 fill four cells, and only their looks keep them apart."""
WIDTH, WIDTH_WITH_ROOM = (NAME_CELLS + CLASSES * cells + TOTAL_CELLS + 3 * SCORE_CELLS for cells in COUNT_CELLS)
HEIGHT = 1 + CLASSES + 1
SHADES = 8
STRONGEST_SHADE = 0.75


class ConfusionMatrix(Widget, can_focus=True, inherit_bindings=False):
    """Rows are true classes, columns are answers. `cell` is what the cursor is on: a cell, a row, a column, or all.

    The cursor walks off the counts to the left onto a row's name, which is the whole row, and up onto a column's.
    `plain` leaves out the shades.
    """

    DEFAULT_CSS = """
    ConfusionMatrix {
        width: auto;
        height: auto;
        & > .confusion-matrix--heading { color: $text-muted; }
        & > .confusion-matrix--total { text-style: bold; color: $text; background: $foreground 15%; }
        & > .confusion-matrix--mistakes { color: $warning; }
        & > .confusion-matrix--right { color: $primary; }
        & > .confusion-matrix--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
        &.-plain > .confusion-matrix--cursor { text-style: reverse bold; }
    }
    """
    COMPONENT_CLASSES = {
        "confusion-matrix--heading",
        "confusion-matrix--total",
        "confusion-matrix--mistakes",
        "confusion-matrix--right",
        "confusion-matrix--cursor",
    }
    ALLOW_SELECT = False
    BINDINGS = [
        Binding("left,h", "walk(0, -1)", show=False),
        Binding("right,l", "walk(0, 1)", show=False),
        Binding("up,k", "walk(-1, 0)", show=False),
        Binding("down,j", "walk(1, 0)", show=False),
        Binding("home,g", "choose_all", show=False),
    ]

    counts: reactive[tuple[tuple[int, ...], ...]] = reactive(())
    scores: reactive[ClassScores | None] = reactive(None)
    """None while they are not known."""
    cell: reactive[Cell] = reactive(EVERYTHING)

    @dataclass
    class Chosen(Message):
        """The cursor is on another part."""

        cell: Cell

    def __init__(
        self, *, plain: bool = False, ascii: bool = False, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._plain = plain
        self._most_mistakes = 1  # in a cell
        self._zero = "." if ascii else "·"
        self.set_class(plain, "-plain")

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return WIDTH

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return HEIGHT

    def watch_counts(self) -> None:
        """Find the cell with the most mistakes."""
        mistakes = (count for r, row in enumerate(self.counts) for c, count in enumerate(row) if r != c)
        self._most_mistakes = max([1, *mistakes])

    # Moving

    def action_walk(self, rows: int, columns: int) -> None:
        """Move the cursor by a cell."""
        row = -1 if self.cell.true is None else self.cell.true
        column = -1 if self.cell.predicted is None else self.cell.predicted
        self._go(max(-1, min(row + rows, CLASSES - 1)), max(-1, min(column + columns, CLASSES - 1)))

    def action_choose_all(self) -> None:
        """Move the cursor to the corner, which is everything."""
        self._go(-1, -1)

    def on_click(self, event: events.Click) -> None:
        """Choose the cell, or the row or column whose name or figures are clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        column = (offset.x - NAME_CELLS) // self._count_cells if offset.x >= NAME_CELLS else -1
        self._go(offset.y - 1 if 1 <= offset.y <= CLASSES else -1, column if column < CLASSES else -1)

    def _go(self, row: int, column: int) -> None:
        cell = Cell(None if row < 0 else row, None if column < 0 else column)
        if cell != self.cell:
            self.cell = cell
            self.post_message(self.Chosen(cell))

    # Drawing

    @property
    def _count_cells(self) -> int:
        return COUNT_CELLS[self.size.width >= WIDTH_WITH_ROOM]

    def render_line(self, y: int) -> Strip:
        """Draw the columns' names, a row, or the columns' totals."""
        if y == 0:
            segments = self._heading()
        elif y <= CLASSES and self.counts:
            segments = self._row(y - 1)
        elif y == CLASSES + 1 and self.counts:
            segments = self._totals()
        else:
            segments = []
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _heading(self) -> list[Segment]:
        everything = self.cell == EVERYTHING
        segments = [Segment(f"{'*' if everything else '':>{NAME_CELLS}}", self._name_style(everything))]
        for column in range(CLASSES):
            chosen = self.cell.predicted == column and self.cell.true is None
            segments.append(Segment(f"{column:>{self._count_cells}}", self._name_style(chosen)))
        names = f"{'total':>{TOTAL_CELLS}}" + "".join(f"{name:>{SCORE_CELLS}}" for name in ("prec", "rec", "F1"))
        return [*segments, Segment(names, self._style("heading"))]

    def _row(self, row: int) -> list[Segment]:
        counts = self.counts[row]
        total = sum(counts)
        chosen = self.cell.true == row and self.cell.predicted is None
        segments = [Segment(f"{row:<{NAME_CELLS}}", self._name_style(chosen))]
        for column, count in enumerate(counts):
            text = f"{count or self._zero:>{self._count_cells}}"
            segments.append(Segment(text, self._count_style(row, column, count, total)))
        segments.append(Segment(f"{total:>{TOTAL_CELLS}}", self._style("heading")))
        scores = self.scores
        figures = [_score(v[row]) for v in (scores.precision, scores.recall, scores.f1)] if scores else ["-"] * 3
        return [*segments, Segment("".join(f"{figure:>{SCORE_CELLS}}" for figure in figures), self.rich_style)]

    def _totals(self) -> list[Segment]:
        totals = [sum(column) for column in zip(*self.counts, strict=True)]
        are_apart = len(str(max(totals))) < self._count_cells
        styles = (self._style("heading"), self._style("heading" if are_apart else "total"))
        segments = [Segment(" " * NAME_CELLS, styles[0])]
        segments += [
            Segment(f"{total:>{self._count_cells}}", styles[column % 2]) for column, total in enumerate(totals)
        ]
        return [*segments, Segment(f"{sum(totals):>{TOTAL_CELLS}}", styles[0])]

    def _count_style(self, row: int, column: int, count: int, total: int) -> Style:
        if self._is_chosen(row, column):
            return self._style("cursor")
        right = row == column
        if not count:
            return self._style("heading")
        if self._plain:
            return self.rich_style + Style(bold=right)
        colour = self._style("right" if right else "mistakes")
        share = count / max(1, total) if right else (count / self._most_mistakes) ** 0.5
        return _shade(
            self.background_colors[1].hex6, colour.color.get_truecolor().hex if colour.color else "#ffffff",
            max(1, round(share * SHADES)),
        )  # fmt: skip

    def _is_chosen(self, row: int, column: int) -> bool:
        cell = self.cell
        if cell.diagonal:
            return row == column
        return cell != EVERYTHING and cell.true in (None, row) and cell.predicted in (None, column)

    def _name_style(self, chosen: bool) -> Style:
        return self._style("cursor" if chosen else "heading")

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"confusion-matrix--{name}")


@lru_cache(maxsize=64)
def _shade(background: str, colour: str, level: int) -> Style:
    """Return a style with the background tinted by `level` of SHADES, and a foreground that stands out from it."""
    tinted = Color.parse(background).blend(Color.parse(colour), STRONGEST_SHADE * level / SHADES)
    foreground = "#000000" if tinted.brightness > 0.5 else "#ffffff"
    return Style(color=foreground, bgcolor=tinted.hex6)


def _score(value: float | None) -> str:
    """`0.979` → `.979`; a dash where there is none."""
    return "-" if value is None else f"{value:.3f}".removeprefix("0")
