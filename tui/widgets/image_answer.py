"""A test image on its way through the network: what each filter of the first layers answers, and the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.formats import count, percent
from tui.network import ImageAnswered
from tui.terminal import PictureMode, clean
from tui.widgets.chips import Chips, chips_of
from tui.widgets.digit import RAMP, Digit
from tui.widgets.plates import Plate, Plates, sizes_of
from tui.widgets.probabilities import Probabilities

if TYPE_CHECKING:
    import numpy as np

LAYERS = 2


class ImageAnswer(VerticalScroll, can_focus=True):
    """Shows an ImageAnswered, or says why there is none."""

    DEFAULT_CSS = """
    ImageAnswer {
        scrollbar-size-vertical: 1;
        & > Horizontal { height: auto; }
        & Digit { width: 30; height: 14; }
        & #answer { width: 1fr; height: auto; max-width: 63; }
        & .layer { height: auto; color: $text-muted; }
        & #why { height: auto; color: $text-muted; display: none; }
        &.-nothing > * { display: none; }
        &.-nothing > #why { display: block; }
    }
    """

    def __init__(self, *, mode: PictureMode, ascii: bool, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._mode, self._ascii = mode, ascii
        self._why = Static(id="why", markup=False)

    def compose(self) -> ComposeResult:
        """Lay out image and answer above the layers between them."""
        yield self._why
        yield Chips(id="digit-classes")
        with Horizontal():
            yield Digit(mode=self._mode)
            with Vertical(id="answer"):
                yield Static(id="words", markup=False)
                yield Probabilities(ascii=self._ascii)
        for number in range(LAYERS):
            yield Static(id=f"layer-{number}", classes="layer", markup=False)
            yield Plates(id=f"maps-{number}")

    def on_mount(self) -> None:
        """Say what this is going to be."""
        self.say("")

    def say(self, text: str) -> None:
        """Say why there is no answer."""
        self.border_title = Content("a test image, filter by filter")
        self.set_class(True, "-nothing")
        self._why.update(Content(text))

    def show(self, answered: ImageAnswered, class_names: Sequence[str]) -> None:
        """Show what the network makes of the image."""
        self.set_class(False, "-nothing")
        names = [clean(name) for name in class_names]
        self.border_title = Content(f"test image {count(answered.index)} · {names[answered.label]}")
        chips = self.query_one("#digit-classes", Chips)
        chips.chips, chips.chosen = chips_of((str(k), name) for k, name in enumerate(names)), str(answered.label)
        self.query_one(Digit).image = answered.image
        probabilities = answered.probabilities
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        self.query_one("#words", Static).update(_words(names, best, probabilities[best], answered.label))
        self.query_one(Probabilities).show(probabilities, answered.label, names)
        for number, (layer, maps) in enumerate(list(answered.maps.items())[:LAYERS]):
            self._show_layer(number, layer, maps)

    def _show_layer(self, number: int, layer: str, maps: np.ndarray) -> None:
        largest = float(maps.max())
        filters, height, width = maps.shape
        brightest = "white" if self._mode is PictureMode.HALFBLOCK else RAMP[-1]
        words = f"{layer} · {filters} filters answer {height}×{width} numbers each, {brightest} is {largest:.2f}"
        self.query_one(f"#layer-{number}", Static).update(Content(words))
        shades = (255 * maps / (largest or 1)).astype("uint8")
        self.query_one(f"#maps-{number}", Plates).plates = [
            Plate(sizes_of(picture, self._mode), f"{k}: max {values.max():.2f}")
            for k, (picture, values) in enumerate(zip(shades, maps, strict=True), start=1)
        ]


def _words(names: Sequence[str], answer: int, probability: float, label: int) -> Content:
    end = "that is right." if answer == label else f"it is {names[label]}."
    said = Content.assemble(("The network says ", "$text-muted"), (names[answer], "bold"))
    return said + Content.styled(f", {percent(probability, 1)} sure; {end}", "$text-muted")
