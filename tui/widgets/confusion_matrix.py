"""A confusion matrix to walk in: counts by true class and answer, shaded, with totals and every class's scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.color import Color
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from engine.scores import ClassScores
from engine.selection import EVERYTHING, Cell
from tui.formats import count
from tui.matrix_layout import MatrixLayout, lay_out

LINES_AROUND = 2
"""The lines above and below the rows: the columns' names and their totals."""
SHADES = 8
STRONGEST_SHADE = 0.75


class ConfusionMatrix(Widget, can_focus=True, inherit_bindings=False):
    """Rows are true classes, columns are answers. `cell` is what the cursor is on: a cell, a row, a column, or all.

    The cursor walks off the counts to the left onto a row's name, which is the whole row, and up onto a column's.
    Of more classes than there is room for, those around the cursor are shown. `plain` leaves out the shades.
    """

    DEFAULT_CSS = """
    ConfusionMatrix {
        width: auto;
        height: auto;
        & > .confusion-matrix--heading { color: $text-muted; }
        & > .confusion-matrix--mistakes { color: $warning; }
        & > .confusion-matrix--right { color: $primary; }
        & > .confusion-matrix--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
        &.-plain > .confusion-matrix--cursor { text-style: reverse bold; }
    }
    """
    COMPONENT_CLASSES = {
        "confusion-matrix--heading",
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
    class_names: reactive[tuple[str, ...]] = reactive(())
    scores: reactive[ClassScores | None] = reactive(None)
    """None while they are not known."""
    cell: reactive[Cell] = reactive(EVERYTHING)
    words: reactive[str] = reactive("")
    """What the cursor is on, in words."""

    @dataclass
    class Chosen(Message):
        """The cursor is on another part."""

        cell: Cell

    def __init__(
        self, *, plain: bool = False, ascii: bool = False, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._plain, self._ascii = plain, ascii
        self._most_mistakes = 1  # in a cell
        self._first_row = self._first_column = 0  # in sight
        self._layout: MatrixLayout | None = None
        self.set_class(plain, "-plain")

    def show(self, counts: Sequence[Sequence[int]], class_names: Sequence[str]) -> None:
        """Show `counts` [true class][answer] of the classes with these names."""
        self.class_names = tuple(class_names)
        self.counts = tuple(map(tuple, counts))

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return the cells that everything about all classes takes."""
        return lay_out(self.counts, self.class_names, container.width).width if self.counts else 0

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.counts) + LINES_AROUND

    def watch_counts(self) -> None:
        """Find the cell with the most mistakes, and lay the counts out."""
        mistakes = (count for r, row in enumerate(self.counts) for c, count in enumerate(row) if r != c)
        self._most_mistakes = max([1, *mistakes])
        self._lay_out()

    def watch_cell(self) -> None:
        """Keep the cursor in sight."""
        self._lay_out()

    def on_resize(self) -> None:
        """Show as much as there is room for."""
        self._lay_out()

    def _lay_out(self) -> None:
        """Find the layout that fits, with the cursor's row and column in sight, and say which columns these are."""
        if not self.counts or not self.size.width:
            self._layout = None
            return
        layout = lay_out(self.counts, self.class_names, self.size.width, ascii=self._ascii, first=self._first_column)
        if not layout.is_whole and self.cell.predicted is not None and self.cell.predicted not in layout.columns:
            first = self.cell.predicted - (layout.shown - 1) * (self.cell.predicted > self._first_column)
            layout = lay_out(self.counts, self.class_names, self.size.width, ascii=self._ascii, first=first)
        self._layout, self._first_column = layout, layout.first
        row, seen = self.cell.true or 0, self._rows_seen
        self._first_row = max(row - seen + 1, min(self._first_row, row, len(self.counts) - seen), 0)
        self._tell()
        self.refresh()

    def watch_words(self) -> None:
        """Say what the cursor is on."""
        self._tell()

    def _tell(self) -> None:
        parts, layout = [self.words], self._layout
        if layout and not layout.is_whole:
            parts.append(f"columns {layout.first + 1}–{layout.first + layout.shown} of {count(len(self.counts))}")
        self.border_subtitle = Content(" · ".join(part for part in parts if part))

    @property
    def _rows_seen(self) -> int:
        return max(1, self.size.height - LINES_AROUND)

    # Moving

    def action_walk(self, rows: int, columns: int) -> None:
        """Move the cursor by a cell."""
        last = len(self.counts) - 1
        row = -1 if self.cell.true is None else self.cell.true
        column = -1 if self.cell.predicted is None else self.cell.predicted
        self._go(max(-1, min(row + rows, last)), max(-1, min(column + columns, last)))

    def action_choose_all(self) -> None:
        """Move the cursor to the corner, which is everything."""
        self._go(-1, -1)

    def on_click(self, event: events.Click) -> None:
        """Choose the cell, or the row or column whose name or figures are clicked."""
        offset, layout = event.get_content_offset(self), self._layout
        if offset is None or layout is None:
            return
        row, column = self._first_row + offset.y - 1, -1
        if offset.x >= layout.label_cells:
            column = layout.first + (offset.x - layout.label_cells) // layout.count_cells
        is_row = 1 <= offset.y <= self._rows_seen and row < len(self.counts)
        self._go(row if is_row else -1, column if column in layout.columns else -1)

    def _go(self, row: int, column: int) -> None:
        cell = Cell(None if row < 0 else row, None if column < 0 else column)
        if cell != self.cell:
            self.cell = cell
            self.post_message(self.Chosen(cell))

    # Drawing

    def render_line(self, y: int) -> Strip:
        """Draw the columns' names, a row, or the columns' totals."""
        layout, row = self._layout, self._first_row + y - 1
        rows = min(self._rows_seen, len(self.counts))
        if layout is None or y > rows + 1:
            segments = []
        elif y == 0:
            segments = self._heading(layout)
        elif y <= rows:
            segments = self._row(layout, row)
        else:
            segments = [Segment("".join(layout.totals()), self._style("heading"))]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _heading(self, layout: MatrixLayout) -> list[Segment]:
        name, *texts = layout.heading()
        everything = self.cell == EVERYTHING
        segments = [Segment(f"{'*' if everything else '':<{len(name)}}", self._name_style(everything))]
        for column, text in zip(layout.columns, texts, strict=False):
            chosen = self.cell.predicted == column and self.cell.true is None
            segments.append(Segment(text, self._name_style(chosen)))
        return [*segments, Segment("".join(texts[layout.shown :]), self._style("heading"))]

    def _row(self, layout: MatrixLayout, row: int) -> list[Segment]:
        counts = self.counts[row]
        total = sum(counts)
        chosen = self.cell.true == row and self.cell.predicted is None
        name, *texts = layout.row(row, self.scores)
        segments = [Segment(name, self._name_style(chosen))]
        for column, text in zip(layout.columns, texts, strict=False):
            segments.append(Segment(text, self._count_style(row, column, counts[column], total)))
        scores = layout.shown + layout.has_totals
        return [
            *segments,
            Segment("".join(texts[layout.shown : scores]), self._style("heading")),
            Segment("".join(texts[scores:]), self.rich_style),
        ]

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
