"""One image: large, with the network's probabilities, its answers over the epochs, and its nearest training images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widgets import Static

from engine.history import Moment
from tui.terminal import PictureMode, clean
from tui.widgets.answer_history import AnswerHistory
from tui.widgets.digit import PIXELS, Digit
from tui.widgets.gallery import Gallery, Tile
from tui.widgets.probabilities import Probabilities

if TYPE_CHECKING:
    from tui.widgets.digit import Image


CROWDED = 20
"""With fewer lines than these, none is left empty."""
ANSWER_CELLS = 40
"""Beside a large picture, for the probabilities and the answers of some epochs."""


@dataclass(frozen=True)
class Portrait:
    """What is known of an image: its index, pixels uint8 [28, 28] and label, and the answers after `epoch`.

    `probabilities` are the ten of the answer; `second` is another network's answer with its confidence, if there is
    one to compare; `moments` are the answers over the epochs.
    """

    index: int
    image: Image
    label: int
    probabilities: tuple[float, ...]
    loss: float
    epoch: int
    moments: Sequence[Moment] = ()
    second: tuple[int, float] | None = None

    @property
    def predicted(self) -> int:
        """The answer: the most probable class, of equals the first."""
        return max(range(len(self.probabilities)), key=lambda digit: (self.probabilities[digit], -digit))


class Background(Vertical):
    """The answers over the epochs, and the nearest training images."""

    DEFAULT_CSS = """
    Background {
        height: auto;
        & > .title { color: $text-muted; height: 1; }
        & > .neighbours { height: 8; overflow-y: hidden; }
    }
    """

    def __init__(self, *, mode: PictureMode, ascii: bool, id: str) -> None:
        super().__init__(id=id)
        self._mode, self._ascii = mode, ascii

    def compose(self) -> ComposeResult:
        """Lay out the history above the images."""
        yield AnswerHistory(ascii=self._ascii)
        yield Static(classes="title", markup=False)
        yield Gallery(mode=self._mode, has_cursor=False, classes="neighbours")


class DigitDetail(VerticalScroll, can_focus=True):
    """Shows a Portrait; the arrows ask for the one before or after.

    What is in the background is beside a large picture, and below another one.
    """

    DEFAULT_CSS = """
    DigitDetail {
        scrollbar-size-vertical: 1;
        & > Horizontal { height: auto; }
        & Digit { width: 28; height: 14; }
        & #answer { width: 1fr; height: auto; padding: 0 1 0 2; }
        & #words { height: auto; min-height: 3; }
        & #beside { display: none; margin-top: 1; }
        &.-large #beside { display: block; }
        &.-large #below { display: none; }
        &.-crowded #words { min-height: 2; }
    }
    """
    BINDINGS = [
        Binding("left,h", "step(-1)", "Digit before", show=False),
        Binding("right,l", "step(1)", "Digit after", show=False),
    ]

    @dataclass
    class StepWanted(Message):
        """The digit `step` further on is wanted."""

        step: int

    def __init__(self, *, mode: PictureMode, ascii: bool, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._mode, self._ascii = mode, ascii
        self.neighbours_of: int | None = None
        """The test image whose neighbours are shown."""

    def compose(self) -> ComposeResult:
        """Lay out the picture beside the answer, the history below, and then the neighbours."""
        with Horizontal():
            yield Digit(mode=self._mode)
            with Vertical(id="answer"):
                yield Static(id="words", markup=False)
                yield Probabilities(ascii=self._ascii)
                yield Background(mode=self._mode, ascii=self._ascii, id="beside")
        yield Background(mode=self._mode, ascii=self._ascii, id="below")

    def enlarge(self, large: bool) -> None:
        """Draw the picture as `large` as there is room for beside the answer, or in the size of its pixels."""
        self.set_class(large, "-large")
        self._fit_picture()

    def on_resize(self) -> None:
        """Fit the picture to the room."""
        self._fit_picture()

    def _fit_picture(self) -> None:
        digit = self.query_one(Digit)
        lines = min(self.room.height, (self.room.width - ANSWER_CELLS) // 2) if self.has_class("-large") else 0
        is_larger = lines > PIXELS // 2
        self.set_class(self.room.height < CROWDED, "-crowded")
        digit.styles.width, digit.styles.height = (2 * lines, lines) if is_larger else (None, None)

    @property
    def room(self) -> Size:
        """The cells within the border, less one for a scroll bar."""
        size = self.outer_size - self.styles.gutter.totals
        return Size(size.width - 1, size.height)

    def show(self, portrait: Portrait | None, class_names: Sequence[str]) -> None:
        """Show `portrait`, or that there is none; its neighbours follow by `show_neighbours`."""
        if portrait is None or portrait.index != self.neighbours_of:
            self.forget_neighbours()
        self.query_one("#answer").display = portrait is not None
        if portrait is None:
            self.border_title = None
            self.query_one(Digit).image = None
            for history in self.query(AnswerHistory):
                history.moments = ()
            return
        self.border_title = Content(f"test image {portrait.index:,}")
        self.query_one(Digit).image = portrait.image
        self.query_one("#words", Static).update(_words(portrait, class_names), layout=False)
        self.query_one(Probabilities).show(portrait.probabilities, portrait.label, class_names)
        for history in self.query(AnswerHistory):
            history.show(portrait.moments, portrait.label, portrait.epoch, class_names)

    def show_neighbours(self, index: int, neighbours: Sequence[int], tile_of: Callable[[int], Tile]) -> None:
        """Show the training images `neighbours` of the test image `index`, the nearest first."""
        self.neighbours_of = index
        self._entitle("nearest training images, the nearest first")
        for gallery in self.query(Gallery):
            gallery.show(neighbours, tile_of)

    def await_neighbours(self) -> None:
        """Say that the neighbours are being looked for."""
        self._entitle("looking for the nearest training images …")

    def forget_neighbours(self) -> None:
        """Show no neighbours until some are found."""
        self.neighbours_of = None
        self._entitle("")
        for gallery in self.query(Gallery):
            gallery.clear()

    def _entitle(self, title: str) -> None:
        for line in self.query("Background > .title").results(Static):
            line.update(title, layout=False)

    def action_step(self, step: int) -> None:
        """Ask for another digit."""
        self.post_message(self.StepWanted(step))


def _words(portrait: Portrait, class_names: Sequence[str]) -> Content:
    """Say what the image is and what the networks take it for."""
    names = [clean(name) for name in class_names]
    confidence = portrait.probabilities[portrait.predicted]
    words = Content.assemble(
        ("It is ", "$text-muted"), (names[portrait.label], "bold"),
        ("; the network says ", "$text-muted"), (names[portrait.predicted], "bold"),
        (f",\n{100 * confidence:.1f} % sure. Loss {portrait.loss:.2f}.", "$text-muted"),
    )  # fmt: skip
    if portrait.second is None:
        return words
    second, sure = portrait.second
    return words + Content.assemble(
        ("\nThe other run says ", "$text-muted"),
        (names[second], "bold"),
        (f", {100 * sure:.1f} % sure.", "$text-muted"),
    )
