"""Model: the layers and the recipe of the run on display, else of the form, and what its network has learnt."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine.classes import class_names_of
from engine.models import ARCHITECTURES, Architecture, BatchNorm, Conv, Dense, Flatten, Layer, MaxPool, ReLU
from tui import network as work
from tui.background import OneAtATime
from tui.browsing import next_of
from tui.formats import count
from tui.keys import with_keys
from tui.recipe import sentences
from tui.screens.mode_screen import ModeScreen
from tui.snapshot import RunSnapshot
from tui.terminal import clean
from tui.widgets.chips import Chips, chips_of
from tui.widgets.first_filters import FirstFilters
from tui.widgets.image_answer import ImageAnswer
from tui.widgets.repaint import entitle, say, undertitle
from tui.widgets.switched import Switched

if TYPE_CHECKING:
    from engine.data import Dataset
    from engine.events import CheckpointSaved

TABLE_LINE = "{:8}{:38}{:>12}{:>12}"
PANES = ("layers", "filters", "digit")
ARRANGEMENTS = [
    (0, tuple((pane,) for pane in PANES)),
    (116, (("layers", "filters"), ("digit",))),
    (150, (PANES,)),
]
CLASS_KEYS = Binding.Group("Class", compact=True)
IMAGE_KEYS = Binding.Group("Digit", compact=True)
NO_RUN = (
    "No run on display, so there is no network to look into.\n\n"
    "Press 1 and then {train} to train one, or 2 to choose one."
)
NOT_YET = "No checkpoint yet.\n\nThe first is saved after the first epoch, and then shown here."
NEVER_ANY = (
    "This run ended before its first checkpoint.\n\nPress 2 to choose another run, or {resume} there to go on with it."
)
READING = "Reading the checkpoint …"


class ModelScreen(ModeScreen):
    """Describes the run on display, its network and what that has learnt; without a run, what the form would train."""

    MODE = "model"
    ABOUT = (
        "The network and the recipe of the run on display; without one, of the Train screen's form. Shapes are "
        "channels × height × width; parameters are the numbers that training changes. Beside them, while it trains "
        "after every epoch: the weights of its first filters, and what each filter of its first two layers answers to "
        "a test image: the brighter, the more it finds there of what it looks for."
    )
    CSS_PATH = "model.tcss"
    BINDINGS = [
        Binding("tab", "pane(1)", "Pane", key_display="tab", tooltip="Layers, filters, a digit on its way through"),
        Binding("shift+tab", "pane(-1)", "Pane before", show=False),
        Binding(
            "left_square_bracket", "class(-1)", "Class before", key_display="[", group=CLASS_KEYS, id="class_before"
        ),
        Binding("right_square_bracket", "class(1)", "Class after", key_display="]", group=CLASS_KEYS, id="class_after"),
        Binding("plus", "image(1)", "Next", key_display="+", group=IMAGE_KEYS, id="next"),
        Binding("minus", "image(-1)", "Previous", key_display="-", group=IMAGE_KEYS, id="previous"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._reader = OneAtATime(self, "read network")
        self._answerer = OneAtATime(self, "answer digit")
        self._asked: tuple[str, CheckpointSaved] | None = None
        self._network: work.Network | None = None
        self._dataset: Dataset | None = None
        self._index = 0

    def compose_body(self) -> ComposeResult:
        """Lay out the layer table and the recipe beside the filters and the digit."""
        mode = self.lab.picture_mode
        layers = VerticalScroll(
            Static(
                "The form has a setting that does not fit. Press 1 to mend it.",
                classes="empty panel", id="no-model", markup=False,
            ),
            Static(id="table", classes="panel", markup=False),
            Static(id="described", classes="panel", markup=False),
            id="layers",
        )  # fmt: skip
        inside = Vertical(
            FirstFilters(mode=mode, id="filters", classes="panel"),
            ImageAnswer(mode=mode, ascii=self.lab.ascii, id="digit", classes="panel"),
            id="inside",
        )
        yield Chips(id="panes")
        yield Switched(layers, inside, arrangements=ARRANGEMENTS, id="model")

    def on_mount(self) -> None:
        """Follow the form, and the run on display."""
        self.follow("config", self._describe)
        self.follow("snapshot", self._describe)
        self.follow("snapshot", self._look)

    # What it is

    def _describe(self) -> None:
        """Show the layers and the recipe of the run on display; without one, or if it is unreadable, of the form."""
        snapshot = self.lab.snapshot
        run = snapshot if snapshot and snapshot.config else None
        config = run.config if run else self.lab.config
        self.query_one("#layers").set_class(config is None, "-nothing")
        if config is None:
            return
        self._show_layers(ARCHITECTURES[config.model])
        form = self.lab.config
        other = f"the form is set to {form.model}" if form and form.model != config.model else ""
        undertitle(self.query_one("#table"), Content(other))
        recipe = self.query_one("#described", Static)
        entitle(recipe, Content(f"recipe of {clean(run.label) if run else 'the form'}"))
        say(recipe, Content("\n".join(sentences(config, run.progress) if run else sentences(config))))

    def _show_layers(self, architecture: Architecture) -> None:
        table = self.query_one("#table", Static)
        entitle(table, Content(f"{architecture.name} · {architecture.summary}"))
        say(table, Content("\n").join(_layer_table(architecture)))

    # The run's network

    def _look(self) -> None:
        """Show what the run has learnt by its last checkpoint, or ask for that, unless it is done already."""
        snapshot = self.lab.snapshot
        saved = snapshot.checkpoint if snapshot else None
        if self._network and (snapshot is None or snapshot.run.id != self._network.run_id):
            self._network = None
        if snapshot is None or saved is None or snapshot.config is None:
            self._asked = None
            self._say(_emptiness(snapshot, self.app))
        elif (snapshot.run.id, saved) != self._asked:
            self._asked = (snapshot.run.id, saved)
            if self._network is None:
                self._say(READING)
            self._reader.ask(partial(work.read_network, snapshot, saved))

    def _say(self, text: str) -> None:
        self._network = None
        text = "\n".join(clean(line) for line in text.split("\n"))
        self.query_one(FirstFilters).say(text)
        self.query_one(ImageAnswer).say(text)
        self.refresh_bindings()

    @on(work.NetworkMissing)
    def _tell_missing(self, message: work.NetworkMissing) -> None:
        if (message.run_id, message.saved) == self._asked:
            error = message.error
            self._say("\n\n".join(part for part in (f"{error.title}.", error.message, error.hint) if part))

    @on(work.NetworkRead)
    def _take_network(self, message: work.NetworkRead) -> None:
        if (message.run_id, message.saved) != self._asked:
            return
        self._network, self._dataset = message.network, message.dataset
        self._show_filters()
        if message.problem:
            self.query_one(ImageAnswer).say(clean(str(message.problem)))
        self._ask_for_answer()
        self.refresh_bindings()

    def _show_filters(self) -> None:
        network, snapshot = self._network, self.lab.snapshot
        if network is not None and snapshot is not None:
            self.query_one(FirstFilters).show(network, snapshot.label)

    def _ask_for_answer(self) -> None:
        if self._network and self._dataset:
            self._index = min(self._index, len(self._dataset.test_labels) - 1)
            self._answerer.ask(partial(work.answer, self._network, self._dataset, self._index))

    @on(work.ImageAnswered)
    def _take_answer(self, message: work.ImageAnswered) -> None:
        if self._dataset and (message.network, message.index) == (self._network, self._index):
            self.query_one(ImageAnswer).show(message, class_names_of(self._dataset.info))

    # Choosing

    @on(Switched.Changed)
    def _pane_changed(self, event: Switched.Changed) -> None:
        panes = self.query_one(Switched)
        self.query_one("#inside").display = bool({"filters", "digit"} & set(panes.group))
        self.set_class({"layers", "filters"} <= set(panes.group), "-beside")
        chips = self.query_one("#panes", Chips)
        chips.display = len(panes.groups) > 1
        chips.chips = chips_of((group[0], " and ".join(group)) for group in panes.groups)
        chips.chosen = panes.group[0]

    @on(Chips.Chosen)
    def _chip_chosen(self, event: Chips.Chosen) -> None:
        if event.name in PANES:
            self.query_one(Switched).go_to(event.name)
        else:
            self._go_to_class(int(event.name))

    def action_pane(self, step: int) -> None:
        """Go on to the next pane."""
        self.query_one(Switched).go_on(step)

    def action_class(self, step: int) -> None:
        """Go on to the first test image of the next class."""
        if self._dataset:
            classes = sorted(set(self._dataset.test_labels.tolist()))
            label = int(self._dataset.test_labels[self._index])
            self._go_to_class(next_of(classes, label, step))

    def _go_to_class(self, label: int) -> None:
        if self._dataset:
            self._go_to_image(int((self._dataset.test_labels == label).argmax()))

    def action_image(self, step: int) -> None:
        """Go on to the next test image of the class."""
        if self._dataset:
            labels = self._dataset.test_labels
            self._go_to_image(next_of((labels == labels[self._index]).nonzero()[0].tolist(), self._index, step))

    def _go_to_image(self, index: int) -> None:
        self._index = index
        self._ask_for_answer()
        self.query_one(Switched).go_to("digit")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer digits where there is a network to answer."""
        if action in ("class", "image"):
            return self._network is not None and self._dataset is not None
        return True


def _emptiness(snapshot: RunSnapshot | None, app: App[Any]) -> str:
    """Say why a run has no network to show."""
    if snapshot is None:
        return with_keys(app, NO_RUN)
    if snapshot.problem:
        return f"{snapshot.problem}\n\nPress 2 to choose another run."
    return NOT_YET if snapshot.live else with_keys(app, NEVER_ANY)


def _layer_table(architecture: Architecture) -> list[Content]:
    lines = [
        Content.styled(TABLE_LINE.format("layer", "what", "output", "parameters"), "$text-muted"),
        Content(TABLE_LINE.format("image", "grey, 28×28 pixels", "1×28×28", "")),
    ]
    for row in architecture.table():
        shape = "×".join(str(size) for size in row.output_shape)
        parameters = count(row.parameters) if row.parameters else ""
        lines.append(Content(TABLE_LINE.format(row.layer.name, _words(row.layer), shape, parameters)))
    return [*lines, Content.styled(TABLE_LINE.format("all", "", "", count(architecture.parameters)), "bold")]


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
