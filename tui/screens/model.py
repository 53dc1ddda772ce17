"""Model: the layers of the form's network, with their shapes and parameters, and the recipe in words."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import DataTable, Static

from engine.models import ARCHITECTURES, Architecture, BatchNorm, Conv, Dense, Flatten, Layer, MaxPool, ReLU
from tui.formats import count
from tui.recipe import sentences
from tui.screens.mode_screen import ModeScreen

COLUMNS = (("layer", 8, False), ("what", 38, False), ("output", 12, True), ("parameters", 12, True))


class ModelScreen(ModeScreen):
    """Describes what the form's settings would train."""

    MODE = "model"
    ABOUT = (
        "The network and the recipe of the Train screen's form. Shapes are channels × height × width; parameters are "
        "the numbers that training changes."
    )
    CSS_PATH = "model.tcss"

    def compose_body(self) -> ComposeResult:
        """Lay out the layer table above the recipe."""
        yield Static(
            "The form has a setting that does not fit. Press 1 to mend it.",
            classes="empty panel", id="no-model", markup=False,
        )  # fmt: skip
        with VerticalScroll(id="model"):
            table: DataTable[Text] = DataTable(
                cursor_type="none", cell_padding=0, id="layers", classes="panel", show_cursor=False
            )
            table.can_focus = False
            yield table
            yield Static(id="recipe", classes="panel", markup=False)

    def on_mount(self) -> None:
        """Follow the form."""
        super().on_mount()
        table = self.query_one("#layers", DataTable)
        for name, cells, is_figure in COLUMNS:
            table.add_column(Text(f"{name:>{cells}}" if is_figure else name), width=cells)
        self.query_one("#recipe").border_title = Content("recipe")
        self.follow("config", self._show)

    def _show(self) -> None:
        config = self.lab.config
        self.query_one("#no-model").display = config is None
        self.query_one("#model").display = config is not None
        if config is not None:
            self._show_layers(ARCHITECTURES[config.model])
            self.query_one("#recipe", Static).update(Content("\n".join(sentences(config))))

    def _show_layers(self, architecture: Architecture) -> None:
        table = self.query_one("#layers", DataTable)
        table.border_title = Content(f"{architecture.name} · {architecture.summary}")
        table.clear()
        table.add_row(Text("image"), Text("grey, 28×28 pixels"), Text(f"{'1×28×28':>12}"), Text(f"{'':>12}"))
        for row in architecture.table():
            shape = "×".join(str(size) for size in row.output_shape)
            parameters = count(row.parameters) if row.parameters else ""
            table.add_row(
                Text(row.layer.name), Text(_words(row.layer)), Text(f"{shape:>12}"), Text(f"{parameters:>12}")
            )
        total = count(architecture.parameters)
        table.add_row(Text("all", style="bold"), Text(""), Text(""), Text(f"{total:>12}", style="bold"))


def _words(layer: Layer) -> str:
    match layer:
        case Conv(filters=filters, kernel=kernel, stride=stride, padding=padding):
            extras = (f", stride {stride}" if stride > 1 else "") + (f", padding {padding}" if padding else "")
            return f"{filters} filters of {kernel}×{kernel}{extras}"
        case BatchNorm():
            return "batch normalisation"
        case ReLU():
            return "ReLU: max(0, x)"
        case MaxPool(size=size):
            return f"the maximum of each {size}×{size} block"
        case Flatten():
            return "all values in one row"
        case Dense(units=units):
            return f"fully connected, {units} units"
