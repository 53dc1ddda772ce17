"""Data: which dataset there is, how many images of each class it has, the images, and what a network is fed of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine.classes import class_names_of
from tui import images as work
from tui.background import OneAtATime
from tui.browsing import next_of
from tui.cells import beside
from tui.formats import count, from_home
from tui.jobs import ExaminedDataset
from tui.screens.mode_screen import ModeScreen
from tui.terminal import clean
from tui.widgets.chips import Chips, chips_of
from tui.widgets.class_counts import ClassCounts
from tui.widgets.gallery import CAPTION_CELLS, Gallery, Tile
from tui.widgets.network_input import NetworkInput
from tui.widgets.switched import Switched

if TYPE_CHECKING:
    import numpy as np

    from engine.data import Dataset
    from engine.events import DatasetInfo

ALL = "all"
FACTS = ("name", "source", "to train", "to test", "pixels", "fingerprint", "note")
PANES = ("overview", "images")
ARRANGEMENTS = [(0, (("overview",), ("images",))), (100, (PANES,))]
CLASS_KEYS = Binding.Group("Class", compact=True)
PAGE_KEYS = Binding.Group("Page", compact=True)
SAMPLE_NOTICE = (
    "a sample of MNIST's training digits only. All of MNIST is read with --data FOLDER, or fetched when a run starts "
    "online."
)
BAD_FORM = "The form has a setting that does not fit. Press 1 to mend it."


class DataScreen(ModeScreen):
    """Describes the dataset that the form's settings lead to, and shows its images."""

    MODE = "data"
    ABOUT = (
        "The images that the next run trains and tests on. MNIST is looked for in the folder given with --data or "
        "MNIST_TUI_DATA, in the app's cache, and where PyTorch and Keras keep it; else it is downloaded when "
        "training starts. Another dataset in the IDX format works too: set Data on the Train screen, behind More. "
        "Enter shows an image as a network is fed it: normalised and augmented as the form says; left and right go "
        "to the next."
    )
    CSS_PATH = "data.tcss"
    BINDINGS = [
        Binding("escape", "back", "Back", tooltip="Back to the page of images"),
        Binding("tab", "pane(1)", "Pane", key_display="tab", tooltip="From the facts to the images, and back"),
        Binding("shift+tab", "pane(-1)", "Pane before", show=False),
        Binding(
            "left_square_bracket", "class(-1)", "Class before", key_display="[", group=CLASS_KEYS, id="class_before"
        ),
        Binding("right_square_bracket", "class(1)", "Class after", key_display="]", group=CLASS_KEYS, id="class_after"),
        Binding("w", "set", "Show", tooltip="From the training to the test images, and back", id="show"),
        Binding("plus", "page(1)", "Next", key_display="+", group=PAGE_KEYS, id="next"),
        Binding("minus", "page(-1)", "Previous", key_display="-", group=PAGE_KEYS, id="previous"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._reader = OneAtATime(self, "read images")
        self._feeder = OneAtATime(self, "feed image")
        self._images: Dataset | None = None
        self._asked = ""
        self._part: work.Part = "train"
        self._class = ALL
        self._opened = False

    def compose_body(self) -> ComposeResult:
        """Lay out the facts and the two sets' class counts beside the images."""
        yield Static("Looking for the dataset …", classes="empty panel", id="no-data", markup=False)
        overview = VerticalScroll(
            Vertical(*(_fact(name) for name in FACTS), classes="panel", id="facts"),
            Vertical(ClassCounts(id="train-counts"), classes="panel", id="train-set"),
            Vertical(ClassCounts(id="test-counts"), classes="panel", id="test-set"),
            id="overview",
        )
        mode = self.lab.picture_mode
        images = Vertical(
            Horizontal(Chips(id="sets"), Chips(id="classes"), id="choice"),
            Gallery(mode=mode, id="gallery", classes="panel"),
            NetworkInput(mode=mode, classes="panel"),
            id="images",
        )
        yield Chips(id="panes")
        yield Switched(overview, images, arrangements=ARRANGEMENTS, id="data")

    def on_mount(self) -> None:
        """Follow what is found out about the dataset, and what the form makes of its images."""
        self.query_one("#facts").border_title = Content("dataset")
        self.query_one(NetworkInput).display = False
        self.set_focus(self._gallery if self.query_one("#images").display else self.query_one("#overview"))
        self.follow("dataset", self._show)
        self.follow("config", self._feed)

    @property
    def _gallery(self) -> Gallery:
        return self.query_one("#gallery", Gallery)

    # The facts

    def _show(self) -> None:
        dataset = self.lab.dataset
        shown = self._dataset_shown
        self.set_class(shown is None, "-nothing")
        self.refresh_bindings()
        if dataset and dataset.error:
            parts = [dataset.error.title + ".", dataset.error.message, dataset.error.hint]
            self._say("\n\n".join(part for part in parts if part))
        if shown and shown.info:
            self._show_facts(shown, shown.info)
            self._asked = shown.data
            self._reader.ask(partial(work.find_images, shown.data, shown.info.sample))

    @property
    def _dataset_shown(self) -> ExaminedDataset | None:
        """What the form's data setting leads to, or the sample where that has not been fetched yet."""
        dataset = self.lab.dataset
        return dataset.stand_in or (dataset if dataset.info else None) if dataset else None

    def _say(self, text: str) -> None:
        self.query_one("#no-data", Static).update(Content("\n".join(clean(line) for line in text.split("\n"))))

    def _show_facts(self, dataset: ExaminedDataset, info: DatasetInfo) -> None:
        texts = {
            "name": info.name,
            "source": from_home(info.source),
            "to train": f"{count(info.train_examples)} images",
            "to test": f"{count(info.test_examples)} images",
            "pixels": "28×28, grey, 0 to 255",
            "fingerprint": info.fingerprint,
            "note": SAMPLE_NOTICE if info.sample else "",
        }
        for line, name in zip(self.query("#facts > Horizontal"), FACTS, strict=True):
            line.display = bool(texts[name])
            line.query_one(".fact", Static).update(Content(clean(texts[name])))
        for part, counts in (("train", dataset.train_counts), ("test", dataset.test_counts)):
            self.query_one(f"#{part}-set").border_title = Content(f"{part} · {count(sum(counts))}")
            self.query_one(f"#{part}-counts", ClassCounts).show(counts, info.class_names)

    # The images

    @on(work.ImagesFound)
    def _take_images(self, message: work.ImagesFound) -> None:
        if message.data == self._asked and message.dataset is not self._images:
            self._images = message.dataset
            self._class = ALL
            self._gallery.forget_pictures()
            self._show_page()

    @on(work.ImagesMissing)
    def _tell_missing(self, message: work.ImagesMissing) -> None:
        if message.data == self._asked:
            self._images = None
            self._gallery.clear()
            self._gallery.empty = clean(str(message.error))

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(clean(name) for name in class_names_of(self._images.info if self._images else None))

    def _show_page(self) -> None:
        """Show the images of the chosen set and class, the first of them chosen."""
        import numpy as np

        if self._images is None:
            return
        images, labels = work.images_of(self._images, self._part)
        among = np.arange(len(labels)) if self._class == ALL else np.flatnonzero(labels == int(self._class))
        gallery = self._gallery
        gallery.empty = "There is no image of this class."
        gallery.show(among.tolist(), self._tile_maker(images, labels))
        sets = [(part, f"{part} {count(len(work.images_of(self._images, part)[1]))}") for part in work.PARTS]
        self._show_chips("#sets", sets, self._part)
        self._show_chips("#classes", [(ALL, ALL), *((str(k), name) for k, name in enumerate(self._names))], self._class)

    def _tile_maker(self, images: np.ndarray, labels: np.ndarray) -> Callable[[int], Tile]:
        names, shows_name, ascii = self._names, self._class == ALL, self.lab.ascii

        def tile(index: int) -> Tile:
            number = count(index)
            caption = beside(names[labels[index]], f"· {number}", CAPTION_CELLS, ascii) if shows_name else number
            return Tile(images[index], (caption,))

        return tile

    def _show_chips(self, selector: str, items: Iterable[tuple[str, str]], chosen: str) -> None:
        chips = self.query_one(selector, Chips)
        chips.chips, chips.chosen = chips_of(items), chosen

    @on(Gallery.Highlighted)
    def _highlighted(self, event: Gallery.Highlighted) -> None:
        gallery = self._gallery
        name = "all classes" if self._class == ALL else self._names[int(self._class)]
        gallery.border_title = Content(f"{self._part} images · {name}")
        place = f"{count(gallery.cursor + 1)} of {count(gallery.count)}" if gallery.count else ""
        gallery.border_subtitle = Content(place)
        self._feed()

    # One image

    def _feed(self) -> None:
        """Show the chosen image large, where that is wanted, and have worked out what the network is fed of it."""
        index, fed = self._gallery.chosen, self.query_one(NetworkInput)
        if not self._opened or self._images is None or index is None:
            return
        images, labels = work.images_of(self._images, self._part)
        fed.show_image(f"{self._part} image {count(index)} · {self._names[labels[index]]}", images[index])
        if self.lab.config is None:
            fed.say(BAD_FORM)
        else:
            self._feeder.ask(partial(work.find_input, self._images, self._part, index, self.lab.config))

    @on(work.InputFound)
    def _take_input(self, message: work.InputFound) -> None:
        if (message.part, message.index, message.config) == (self._part, self._gallery.chosen, self.lab.config):
            self.query_one(NetworkInput).show_input(message)

    @on(Gallery.Opened)
    def _open(self) -> None:
        self._open_image(True)

    def _open_image(self, opened: bool) -> None:
        self._opened = opened
        self.set_class(opened, "-opened")
        self._gallery.display = not opened
        self.query_one(NetworkInput).display = opened
        self._feed()
        self.query_one(Switched).go_to("images")
        self.refresh_bindings()

    @on(NetworkInput.StepWanted)
    def _step_wanted(self, event: NetworkInput.StepWanted) -> None:
        self._gallery.action_move(event.step)

    # Choosing

    @on(Switched.Changed)
    def _pane_changed(self, event: Switched.Changed) -> None:
        self.set_class(len(self.query_one(Switched).groups) > 1, "-switched")
        self._show_chips("#panes", [(pane, pane) for pane in PANES], event.pane)
        self.refresh_bindings()

    @on(Chips.Chosen)
    def _chip_chosen(self, event: Chips.Chosen) -> None:
        if event.name in PANES:
            self.query_one(Switched).go_to(event.name)
        elif event.name in work.PARTS:
            self._choose(event.name, self._class)
        else:
            self._choose(self._part, event.name)

    def _choose(self, part: work.Part, of_class: str) -> None:
        if part != self._part:
            self._gallery.forget_pictures()
        self._part, self._class = part, of_class
        self._show_page()
        self.query_one(Switched).go_to("images")

    def action_pane(self, step: int) -> None:
        """Go on to the next pane."""
        self.query_one(Switched).go_on(step)

    def action_class(self, step: int) -> None:
        """Go on to the next class; before the first there are all of them."""
        self._choose(self._part, next_of([ALL, *map(str, range(len(self._names)))], self._class, step))

    def action_set(self) -> None:
        """Go on to the other set."""
        self._choose(next_of(work.PARTS, self._part, 1), self._class)

    def action_page(self, pages: int) -> None:
        """Show the page before or after."""
        self.query_one(Switched).go_to("images")
        self._gallery.action_page(pages)

    def action_back(self) -> None:
        """Go back to the page of images."""
        self._open_image(False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what there is to choose from."""
        if action in ("pane", "class", "set"):
            return self._dataset_shown is not None
        if action == "page":
            return self._images is not None and not self._opened
        if action == "back":
            return self._opened
        return True


def _fact(name: str) -> Horizontal:
    return Horizontal(Static(name, classes="name"), Static(classes="fact", markup=False))
