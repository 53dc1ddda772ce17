"""The matrix above the digit, beside the gallery; on a small screen, one of the three at a time."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.terminal import PictureMode
from tui.widgets.confusion_matrix import ConfusionMatrix
from tui.widgets.digit_detail import DigitDetail
from tui.widgets.gallery import Gallery

PANES = ("matrix", "gallery", "digit")
SMALL = (100, 26)
"""With fewer columns or lines than these for all three, one is seen at a time."""
BESIDE = (33, 48)
"""The cells of a gallery with two or three pictures beside each other; three where the window has SPACIOUS columns."""
SPACIOUS = 118
AROUND_MATRIX = 4
"""The cells of its border and padding."""


class Panes(Horizontal):
    """`pane` is the one that has the keys; `alone` is whether nothing else is seen."""

    DEFAULT_CSS = """
    Panes {
        height: 1fr;
        & > #left { width: 1fr; height: 1fr; }
        & ConfusionMatrix { width: 100%; height: 14; padding: 0 1; }
        & DigitDetail { width: 100%; height: 1fr; padding: 0 1; }
        & > #gallery { width: 1fr; height: 1fr; }
        &.-only-gallery > #left, &.-only-matrix > #gallery, &.-only-digit > #gallery { display: none; }
        &.-only-matrix DigitDetail, &.-only-digit ConfusionMatrix { display: none; }
        &.-only-matrix ConfusionMatrix { height: 1fr; }
    }
    """

    pane: reactive[str] = reactive("gallery")
    small: reactive[bool] = reactive(False)
    large_digit: reactive[bool] = reactive(False)

    @dataclass
    class Changed(Message):
        """Another pane has the keys, or others are seen."""

        pane: str

    def __init__(self, *, mode: PictureMode, ascii: bool) -> None:
        super().__init__()
        self._mode, self._ascii = mode, ascii

    def compose(self) -> ComposeResult:
        """Lay out the three."""
        plain = self._mode is PictureMode.RAMP
        with Vertical(id="left"):
            matrix = ConfusionMatrix(plain=plain, ascii=self._ascii, classes="panel")
            matrix.border_title = Content("rows true, columns predicted")
            yield matrix
            yield DigitDetail(mode=self._mode, ascii=self._ascii, classes="panel")
        yield Gallery(mode=self._mode, id="gallery", classes="panel")

    @property
    def alone(self) -> bool:
        """Whether only one pane is seen."""
        return self.small or (self.large_digit and self.pane == "digit")

    @property
    def shows_neighbours(self) -> bool:
        """Whether there is room below the digit for its nearest training images."""
        return self.pane == "digit" or (not self.alone and self.size.height >= 38)

    def on_resize(self, event: events.Resize) -> None:
        """Show as many panes as there is room for."""
        self.small = event.size.width < SMALL[0] or event.size.height < SMALL[1]
        self._arrange()

    def go_to(self, pane: str, large: bool = False) -> None:
        """Give the keys to `pane`; a `large` digit covers the others."""
        self.large_digit = large
        self.pane = pane
        self._arrange()
        self.screen.set_focus(self._widget(pane))  # at once: Widget.focus lets keys typed ahead pass by

    def go_on(self, step: int) -> None:
        """Give the keys to the next pane, or the one before."""
        self.go_to(PANES[(PANES.index(self.pane) + step) % len(PANES)])

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Follow the mouse."""
        for pane in PANES:
            if event.widget is self._widget(pane) and pane != self.pane:
                self.pane = pane
                self._arrange()

    def _arrange(self) -> None:
        for pane in PANES:
            self.set_class(self.alone and pane == self.pane, f"-only-{pane}")
        self.fit_matrix()
        self.query_one(DigitDetail).enlarge(self.alone and self.pane == "digit")
        self.post_message(self.Changed(self.pane))

    def fit_matrix(self) -> None:
        """Make the matrix as wide as its figures are, and the gallery beside it as wide as some pictures."""
        left = self.query_one("#left")
        if self.alone or not self.size.width:
            left.styles.width = None
            return
        matrix = self.query_one(ConfusionMatrix)
        wanted = matrix.get_content_width(self.size, self.size) + AROUND_MATRIX
        room = self.size.width - BESIDE[self.size.width >= SPACIOUS]
        left.styles.width = min(room, max(wanted, self.size.width // 2))

    def _widget(self, pane: str) -> Widget:
        return self.query_one({"matrix": "ConfusionMatrix", "gallery": "#gallery", "digit": "DigitDetail"}[pane])
