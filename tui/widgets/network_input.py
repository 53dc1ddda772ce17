"""One image on its way into the network: as stored, normalised, and as augmentation changes it epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.images import Figures, InputFound
from tui.keys import with_keys
from tui.recipe import AUGMENTATIONS
from tui.terminal import PictureMode
from tui.widgets.digit import PIXELS, Digit, shade
from tui.widgets.plates import Plate, Plates, sizes_of
from tui.widgets.signed import grey

if TYPE_CHECKING:
    from tui.widgets.digit import Image


MARGIN = 4
"""Cells between the pictures."""
LINES_BELOW = 3 + 2 + 2 * 16
"""The titles and figures of a picture, and two rows of pictures after augmentation."""


class NetworkInput(VerticalScroll, can_focus=True):
    """Shows an InputFound; the arrows ask for the image before or after."""

    DEFAULT_CSS = """
    NetworkInput {
        scrollbar-size-vertical: 1;
        & > Horizontal { height: auto; }
        & > Horizontal > Vertical { width: 34; height: auto; }
        & Digit { width: 28; height: 14; }
        & .figures { height: auto; color: $text-muted; }
        & > #draws-title { height: auto; margin-top: 1; }
    }
    """
    BINDINGS = [
        Binding("left,h", "step(-1)", "Image before", show=False),
        Binding("right,l", "step(1)", "Image after", show=False),
    ]

    @dataclass
    class StepWanted(Message):
        """The image `step` further on is wanted."""

        step: int

    def __init__(self, *, mode: PictureMode, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._mode = mode

    def compose(self) -> ComposeResult:
        """Lay out the two pictures above what augmentation makes of them."""
        with Horizontal():
            for name in ("stored", "normalised"):
                with Vertical():
                    yield Static(id=f"{name}-title", markup=False)
                    yield Digit(mode=self._mode, id=name, empty="")
                    yield Static(id=f"{name}-figures", classes="figures", markup=False)
        yield Static(id="draws-title", markup=False)
        yield Plates(rows=2)

    def on_resize(self) -> None:
        """Draw the two pictures as large as there is room for above what augmentation makes of them."""
        width, height = self.outer_size - self.styles.gutter.totals
        lines = min((width - 2 * MARGIN) // 4, height - LINES_BELOW)
        is_larger = lines > PIXELS // 2
        for digit in self.query(Digit):
            digit.styles.width, digit.styles.height = (2 * lines, lines) if is_larger else (None, None)
        for column in self.query("Horizontal > Vertical"):
            column.styles.width = 2 * lines + MARGIN if is_larger else None

    def show_image(self, title: str, image: Image) -> None:
        """Show the image as stored; the rest follows by `show_input` or `say`."""
        self.border_title = Content(title)
        self.query_one("#stored", Digit).image = image
        self._write("stored-title", Content("as stored"))

    def say(self, text: str) -> None:
        """Say why there is no more to show than the image."""
        self.query_one("#normalised", Digit).image = None
        for name in ("stored-figures", "normalised-title", "normalised-figures"):
            self._write(name, Content(""))
        self._write("draws-title", Content(text))
        self.query_one(Plates).plates = ()

    def show_input(self, found: InputFound) -> None:
        """Show what the network is fed."""
        self.set_class(found.draws is not None, "-draws")
        config, figures = found.config, found.normalised
        largest = max(abs(figures.least), abs(figures.greatest))
        self.query_one("#normalised", Digit).image = grey(found.pixels, largest)
        self._write("stored-figures", Content("\n".join(_figures(found.stored))))
        zero = "grey" if self._mode is PictureMode.HALFBLOCK else shade(128, 128)
        scheme = Content.assemble("normalised ", (config.normalisation, "bold"), (f", 0 is {zero}", "$text-muted"))
        self._write("normalised-title", scheme)
        self._write("normalised-figures", Content("\n".join(_figures(figures))))
        self._show_draws(found, largest)

    def _show_draws(self, found: InputFound, largest: float) -> None:
        config, draws = found.config, () if found.draws is None else found.draws
        words = (
            f". {with_keys(self.app, found.reason)}"
            if found.reason
            else f": {AUGMENTATIONS[config.augmentation]}, with seed {config.seed} so:"
        )
        self._write("draws-title", Content.assemble("augmented ", (config.augmentation, "bold"), words))
        self.query_one(Plates).plates = [
            Plate(sizes_of(grey(pixels, largest), self._mode), f"epoch {epoch}")
            for epoch, pixels in enumerate(draws, start=1)
        ]

    def _write(self, name: str, text: Content) -> None:
        self.query_one(f"#{name}", Static).update(text)

    def action_step(self, step: int) -> None:
        """Ask for another image."""
        self.post_message(self.StepWanted(step))


def _figures(figures: Figures) -> tuple[str, str]:
    return (
        f"least {figures.least:8.2f}  most {figures.greatest:7.2f}",
        f"mean  {figures.mean:8.2f}  dev. {figures.deviation:7.2f}",
    )
