"""The filters of a network's first layer as pictures: what each of them looks for."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.network import Network
from tui.terminal import PictureMode, clean
from tui.widgets.plates import Plate, Plates
from tui.widgets.signed import SHADES, weight_strips


class FirstFilters(VerticalScroll, can_focus=True):
    """Shows the first filters of a Network, or says why there are none."""

    DEFAULT_CSS = """
    FirstFilters {
        scrollbar-size-vertical: 1;
        & > Static { height: auto; color: $text-muted; margin-bottom: 1; }
    }
    """

    def __init__(self, *, mode: PictureMode, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._mode = mode
        self._words, self._plates = Static(markup=False), Plates(rows=2)

    def compose(self) -> ComposeResult:
        """Lay out the words above the filters."""
        yield self._words
        yield self._plates

    def on_mount(self) -> None:
        """Say what this is going to be."""
        self.border_title = Content("first-layer filters")

    def say(self, text: str) -> None:
        """Say why there are no filters to show."""
        self.border_title = Content("first-layer filters")
        self.border_subtitle = None
        self._words.update(Content(text))
        self._plates.plates = ()

    def show(self, network: Network, name: str) -> None:
        """Show the filters of `network`, which is the run's called `name`."""
        layer, filters = network.first_filters
        self.border_title = Content(f"{layer} of {clean(name)}")
        self.border_subtitle = Content(network.moment)
        words = [clean(network.warning), _legend(self._mode)]
        self._words.update(Content("\n".join(line for line in words if line)))
        largest = float(abs(filters).max())
        self._plates.plates = [
            Plate(
                tuple(weight_strips(weights.tolist(), largest, self._mode, lines) for lines in (2, 1)),
                f"filter {number}",
            )
            for number, weights in enumerate(filters, start=1)
        ]


def _legend(mode: PictureMode) -> str:
    if mode is PictureMode.HALFBLOCK:
        return "Weights by number and colour: orange above 0, blue below, black near it."
    return f"Weights by sign and shade, from 0 to the largest: {' '.join(SHADES[1:])}"
