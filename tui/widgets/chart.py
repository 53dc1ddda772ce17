"""A line chart over epochs: a legend, and curves with their axes, of which only what has changed is painted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tui.formats import figure
from tui.terminal import CurveMode, clean
from tui.widgets.legend import legend
from tui.widgets.plot import AXIS, GRID, MARK, LineStyle, Mark, Series, Stretch, plot

__all__ = ["Chart", "LineStyle", "Mark", "Series"]

REBUILD_SECONDS = 1.0  # a build takes some 5 ms and is 1 kB to send, and a curve over epochs moves slowly
REMOTE = 3
"""How many times as long a chart rests over SSH."""
COLORS = 6
X_LABEL, NO_CURVES = "epoch", "No epochs yet"
ROOM_FOR_LEGEND = 6  # rows
STYLES = {AXIS: "chart--axis", GRID: "chart--grid", MARK: "chart--mark"}


@dataclass(frozen=True)
class Picture:
    """What a chart shows."""

    series: tuple[Series, ...] = ()
    marks: tuple[Mark, ...] = ()
    end: float = 0.0


class Chart(Widget):
    """Curves in a box that names them. `show` is the way in; the rest redraws itself, some times a second."""

    DEFAULT_CSS = """
    Chart {
        border: round $foreground 25%;
        border-title-color: $foreground;
        border-subtitle-color: $text-muted;
        min-width: 20;
        min-height: 5;
        &.-ascii { border: ascii $foreground 25%; }
        & > .chart--axis { color: $text-muted; }
        & > .chart--grid { color: $foreground 20%; }
        & > .chart--mark { color: $text-warning; }
        /* Okabe and Ito's colours, which people with any colour vision can tell apart. */
        & > .chart--curve-0 { color: #56B4E9; }
        & > .chart--curve-1 { color: #E69F00; }
        & > .chart--curve-2 { color: #009E73; }
        & > .chart--curve-3 { color: #CC79A7; }
        & > .chart--curve-4 { color: #F0E442; }
        & > .chart--curve-5 { color: #D55E00; }
        &:light {
            & > .chart--curve-0 { color: #0072B2; }
            & > .chart--curve-1 { color: #B85000; }
            & > .chart--curve-2 { color: #007A59; }
            & > .chart--curve-3 { color: #A3437A; }
            & > .chart--curve-4 { color: #7A6A00; }
            & > .chart--curve-5 { color: #8B2F00; }
        }
    }
    """
    COMPONENT_CLASSES = {*STYLES.values(), *(f"chart--curve-{color}" for color in range(COLORS))}
    ALLOW_SELECT = False

    log_scale: reactive[bool] = reactive(False)
    """Whether the y axis is logarithmic; values of zero and below then leave gaps."""
    recent: reactive[int] = reactive(0)
    """How many of the last epochs to show; 0 for all."""
    mode: reactive[CurveMode] = reactive(CurveMode.BRAILLE)
    """How curves are drawn."""

    def __init__(
        self,
        title: str,
        *,
        mode: CurveMode = CurveMode.BRAILLE,
        y_format: Callable[[float], str] | None = None,
        value_format: Callable[[float], str] = figure,
        id: str | None = None,
    ) -> None:
        """`y_format` writes the ticks of the y axis, `value_format` the last values in the legend."""
        super().__init__(id=id)
        self._title, self._note = title, ""
        self.set_reactive(Chart.mode, mode)
        self.set_class(mode is CurveMode.ASCII, "-ascii")
        self.border_title = Content(clean(title))
        self.border_subtitle = Content(X_LABEL)
        self._y_format, self._value_format = y_format, value_format
        self._latest = self._shown = Picture()
        self._cooldown: Timer | None = None
        self._plotted: object = None  # what `_rows` was made from
        self._rows: list[list[Stretch]] = []
        self._strips: list[Strip] = []  # `_rows` in the theme's colours

    def show(self, series: Sequence[Series], marks: Sequence[Mark] = (), end: float = 0.0, note: str = "") -> None:
        """Show these curves instead: at once, or when the last ones have been there for a moment.

        `marks` are what happened on the way, `end` is how far the x axis goes at least, and `note` is something to know
        about the curves.
        """
        if note != self._note:
            self._note = note
            self._label_axis()
        self._latest = Picture(tuple(series), tuple(marks), end)
        if self._cooldown is None:
            self._show_latest()

    @property
    def series(self) -> tuple[Series, ...]:
        """The curves it was shown last."""
        return self._latest.series

    def watch_log_scale(self) -> None:
        """Say so in the title."""
        self.border_title = Content(clean(f"{self._title} (log scale)" if self.log_scale else self._title))

    def watch_recent(self) -> None:
        """Say so at the axis."""
        self._label_axis()

    def _label_axis(self) -> None:
        label = f"last {self.recent} {X_LABEL}s" if self.recent else X_LABEL
        self.border_subtitle = Content(f"{clean(self._note)} · {label}" if self._note else label)

    def watch_mode(self) -> None:
        """Draw the box with the same characters."""
        self.set_class(self.mode is CurveMode.ASCII, "-ascii")

    def _show_latest(self) -> None:
        self._cooldown = None
        if self._latest != self._shown:
            self._shown = self._latest
            self._refresh_changed()
            if self.is_running:
                slowness = REMOTE if self.app.animation_level == "none" else 1
                self._cooldown = self.set_timer(slowness * REBUILD_SECONDS, self._show_latest)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = []

    def _refresh_changed(self) -> None:
        """Have painted what is another thing now: a chart is 7 kB, and little of it moves between two steps."""
        before, width = self._rows, self.size.width
        self._build()
        if len(before) != len(self._rows):
            self.refresh()
            return
        changed = [_changed(y, width, *rows) for y, rows in enumerate(zip(before, self._rows, strict=True))]
        if regions := [region for region in changed if region]:
            self.refresh(*regions)

    def _build(self) -> None:
        """Plot what is to be shown, unless that is done; `_rows` have the curves' colours in place of their numbers."""
        made_from = (self._shown, self.size, self.log_scale, self.recent, self.mode)
        if made_from != self._plotted:
            self._rows, self._strips, self._plotted = self._plot(), [], made_from

    def render_line(self, y: int) -> Strip:
        self._build()
        if not self._strips:
            self._strips = [self._strip(row) for row in self._rows]
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def _plot(self) -> list[list[Stretch]]:
        width, height = self.size
        if height < 2:
            return []
        series = self._shown.series
        names = legend(series, width, self.mode, self._value_format) if height >= ROOM_FOR_LEGEND else []
        rows = plot(
            series,
            width,
            height - bool(names),
            mode=self.mode,
            marks=self._shown.marks,
            end=self._shown.end,
            y_format=self._y_format,
            log_scale=self.log_scale,
            recent=self.recent,
        )
        if names and rows:
            rows.insert(0, [*names, (" " * (width - sum(cell_len(text) for text, _ in names)), AXIS)])
        rows = rows or self._message(width, height)
        colors = [one.style.color % COLORS for one in series]
        return [[(text, curve if curve < 0 else colors[curve]) for text, curve in row] for row in rows]

    def _message(self, width: int, height: int) -> list[list[Stretch]]:
        """Say, in the middle, why there are no curves."""
        text = NO_CURVES
        if any(one.ys for one in self._shown.series):
            text = "No values above zero" if self.log_scale else "No finite values"
        blank: list[list[Stretch]] = [[(" " * width, AXIS)]] * ((height - 1) // 2)
        return [*blank, [(text.center(width), AXIS)]]

    def _strip(self, row: Sequence[Stretch]) -> Strip:
        segments = [Segment(text, self._style_of(color)) for text, color in row]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _style_of(self, color: int) -> Style:
        return self.get_component_rich_style(STYLES.get(color, f"chart--curve-{color}"))


def _changed(y: int, width: int, old: Sequence[Stretch], new: Sequence[Stretch]) -> Region:
    """Return the part of row `y` that differs between `old` and `new`; an empty region where nothing does."""
    before, now = _cells(old), _cells(new)
    if before == now:  # which the same cells in other pieces are too
        return Region()
    if not len(before) == len(now) == width:  # a name has characters that take two cells
        return Region(0, y, width, 1)
    differs = [one != other for one, other in zip(before, now, strict=True)]
    first, after = differs.index(True), width - differs[::-1].index(True)
    return Region(first, y, after - first, 1)


def _cells(row: Sequence[Stretch]) -> list[Stretch]:
    return [(character, color) for text, color in row for character in text]
