"""Compare: the curves of several runs over each other, what they came to, and only the settings that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.background import OneAtATime
from tui.cells import fitted
from tui.comparing import FIGURES, LETTERS, NUMBERS, Difference, differences_of, figures_of, kernels_line, seeds_of
from tui.curves import compared_curves, compared_style
from tui.screens.mode_screen import ModeScreen
from tui.snapshot import RunSnapshot
from tui.status import status_text
from tui.terminal import clean
from tui.widgets.chart import Chart
from tui.widgets.plot import epoch_marker
from tui.widgets.repaint import say

WIDE = 100  # columns of the terminal
AROUND = 5
"""Cells beside the tables: border, padding and scroll bar."""
NAME_IN_LEGEND = 16
FIGURE_WIDTHS = (9, 6, 9, 9, 8, 14)
LONGEST_VALUE = 18
SETTING = "setting"
LABEL_WIDTH = 28


@dataclass
class Compared(Message):
    """The runs have been compared."""

    runs: tuple[RunSnapshot, ...]
    differences: tuple[Difference, ...]
    seeds: list[str]


class CompareScreen(ModeScreen):
    """Compares the runs with these ids, at most as many as there are LETTERS, for as long as they exist."""

    MODE = "runs"
    ABOUT = (
        "The marked runs side by side. Each has a name, a colour and a mark of its own, in the curves as in the "
        "tables. Best is the highest test accuracy and the epoch it came after, last that after the last epoch; "
        "mistakes are those after that one too; median img/s is the median of the epochs' images a second. Of the "
        "settings only those that differ are listed, among them the defaults that each framework brings. Runs that "
        "repeat one another over several seeds are taken together, with all others of the store that do: mean and "
        "standard deviation. The arrows scroll."
    )
    CSS_PATH = "compare.tcss"
    BINDINGS = [
        Binding("escape,backspace", "back", "Back", key_display="esc"),
        Binding("L", "log_scale", "Log scale", tooltip="Show the loss on a logarithmic scale", id="log_scale"),
        Binding("down,j", "scroll(1)", "Scroll down", show=False),
        Binding("up,k", "scroll(-1)", "Scroll up", show=False),
    ]

    def __init__(self, run_ids: Sequence[str]) -> None:
        super().__init__()
        self._ids = tuple(run_ids)
        self._names = NUMBERS if self.lab.ascii else LETTERS
        self._comparing = OneAtATime(self, "compare runs")
        self._compared: Compared | None = None

    def compose_body(self) -> ComposeResult:
        """Lay out the charts above the tables."""
        with Horizontal(id="compared-charts"):
            mode = self.lab.curve_mode
            yield Chart("test accuracy, %", mode=mode, value_format="{:.2f} %".format, id="compared-accuracy")
            yield Chart("test loss", mode=mode, id="compared-loss")
        with VerticalScroll(id="compared", classes="panel") as panel:
            panel.border_title = f"{len(self._ids)} runs compared"
            yield Static("Comparing …", id="figures", markup=False)
            yield Static(id="seeds", markup=False)
            yield Static(id="differences", markup=False)

    def on_mount(self) -> None:
        """Follow the runs, some of which may be live."""
        self.follow("runs", self._compare)
        self.follow("restyled", self._show, at_once=False)
        self.query_one("#compared").focus()

    def _compare(self) -> None:
        known = {snapshot.run.id: snapshot for snapshot in self.lab.runs or ()}
        runs = tuple(known[run_id] for run_id in self._ids if run_id in known)
        if self._compared is None or [id(run) for run in runs] != [id(run) for run in self._compared.runs]:
            store = self.lab.runs or ()
            self._comparing.ask(lambda: Compared(runs, differences_of(runs), seeds_of(runs, self._names, store)))

    def on_compared(self, message: Compared) -> None:
        """Show what was found."""
        self._compared = message
        self._show()

    def on_resize(self) -> None:
        """Show as much as there is room for."""
        self._show()

    def _show(self) -> None:
        found = self._compared
        if found is None:
            return
        names = self._names[: len(found.runs)]
        long_names = [f"{name} {run.name}"[:NAME_IN_LEGEND] for name, run in zip(names, found.runs, strict=True)]
        for selector, figure in (("#compared-accuracy", "accuracy"), ("#compared-loss", "loss")):
            curves = compared_curves(found.runs, long_names if self.app.size.width >= WIDE else names, figure)
            self.query_one(selector, Chart).show(curves)
        say(self.query_one("#figures", Static), self._figures(found.runs))
        say(self.query_one("#seeds", Static), Content("\n").join(Content(clean(line)) for line in found.seeds))
        self.query_one("#seeds").display = bool(found.seeds)
        say(self.query_one("#differences", Static), self._differences(found))

    @property
    def _width(self) -> int:
        """The cells that the tables have, where the scroll bar is shown too."""
        return self.app.size.width - AROUND

    def _key(self, number: int) -> Content:
        """Return what tells a run from the others: the mark on its curve and its letter or number."""
        style = compared_style(number)
        color = self.query_one(Chart).get_component_styles(f"chart--curve-{style.color}").color
        return Content.styled(f"{epoch_marker(style, self.lab.ascii)} {self._names[number]} ", f"bold {color.css}")

    def _figures(self, runs: Sequence[RunSnapshot]) -> Content:
        """Return the table of what the runs came to."""
        status_width = 13 if self.app.size.width >= WIDE else 0
        name_width = max(10, self._width - sum(FIGURE_WIDTHS) - status_width - 4)
        name_width = min(name_width, max((len(run.label) for run in runs), default=0) + 1)
        heading = "    " + fitted("run", name_width)
        heading += "".join(f"{name:>{width}}" for name, width in zip(FIGURES, FIGURE_WIDTHS, strict=True))
        lines = [Content.styled(heading, "$text-muted")]
        for number, run in enumerate(runs):
            figures = "".join(f"{text:>{width}}" for text, width in zip(figures_of(run), FIGURE_WIDTHS, strict=True))
            name = fitted(clean(run.label), name_width, ascii=self.lab.ascii)
            parts = [self._key(number), Content(name), Content(figures)]
            if status_width:
                parts += [Content("  "), status_text(run.status, self.lab.ascii)]
            lines.append(Content("").join(parts))
        lines.append(Content.styled(clean(kernels_line(runs, self._names)), "$text-muted"))
        return Content("\n").join(lines)

    def _differences(self, found: Compared) -> Content:
        """Return the table of the settings that differ, the runs beside each other as far as there is room."""
        if not found.differences:
            return Content.styled("Their settings are the same.", "$text-muted")
        label_width = min(LABEL_WIDTH, max(len(SETTING), *(len(row.label) for row in found.differences))) + 2
        widths = [
            max(6, min(LONGEST_VALUE, max(len(clean(row.values[number])) for row in found.differences)) + 2)
            for number in range(len(found.runs))
        ]
        lines: list[Content] = []
        for block in _blocks(widths, self._width - label_width):
            if lines:
                lines.append(Content(""))
            heading = Content.styled(fitted(SETTING, label_width), "$text-muted")
            lines.append(Content("").join([heading, *(self._heading(at, widths[at]) for at in block)]))
            for row in found.differences:
                values = [fitted(clean(row.values[at]), widths[at] - 2, ascii=self.lab.ascii) + "  " for at in block]
                label = fitted(row.label, label_width - 2, ascii=self.lab.ascii) + "  "
                lines.append(Content.assemble((label, "$text-muted"), "".join(values)))
        return Content("\n").join(lines)

    def _heading(self, number: int, width: int) -> Content:
        key = self._key(number)
        return Content.assemble(key, " " * (width - key.cell_length))

    def action_back(self) -> None:
        """Go back to the list."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Scroll the tables."""
        self.query_one("#compared").scroll_relative(y=lines, animate=False)

    def action_log_scale(self) -> None:
        """Show the loss on a logarithmic scale, or on a plain one again."""
        chart = self.query_one("#compared-loss", Chart)
        chart.log_scale = not chart.log_scale


def _blocks(widths: Sequence[int], room: int) -> list[list[int]]:
    """Return the positions of columns with these `widths` in blocks that fit beside each other into `room` cells."""
    blocks: list[list[int]] = [[]]
    for position, width in enumerate(widths):
        if blocks[-1] and sum(widths[at] for at in blocks[-1]) + width > room:
            blocks.append([])
        blocks[-1].append(position)
    return blocks
