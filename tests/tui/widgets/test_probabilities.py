"""The probabilities: bars, percentages, and which row is the label and which the answer."""

from __future__ import annotations

import math

import pytest
from textual.app import App, ComposeResult

from tui.widgets.probabilities import Probabilities

SIX_FOR_A_FOUR = [0.001, 0.02, 0.0001, 0.05, 0.31, 0.004, 0.55, 0.03, 0.0349, 0.0]


class ProbabilitiesApp(App[None]):
    """The bars alone."""

    def __init__(self, bars: Probabilities) -> None:
        super().__init__()
        self.bars = bars

    def compose(self) -> ComposeResult:
        yield self.bars


def rows(bars: Probabilities) -> list[str]:
    return [bars.render_line(y).text.rstrip() for y in range(bars.size.height)]


async def test_every_class_has_a_row_with_a_bar_and_its_percentage() -> None:
    bars = Probabilities()
    async with ProbabilitiesApp(bars).run_test(size=(60, 24)):
        bars.show(SIX_FOR_A_FOUR)
        assert [row[0] for row in rows(bars)] == list("0123456789")
        assert [row.rstrip(" ▸answer").split("  ")[-1].strip() for row in rows(bars)][1:4] == [
            "2.0 %",
            "<0.1 %",
            "5.0 %",
        ]
        assert len({row.index("%") for row in rows(bars)}) == 1
        lengths = [row.count("█") for row in rows(bars)]
        assert lengths.index(max(lengths)) == 6
        assert lengths[9] == 0


async def test_a_wrong_answer_and_the_label_are_marked_without_colour() -> None:
    bars = Probabilities()
    async with ProbabilitiesApp(bars).run_test(size=(60, 24)):
        bars.show(SIX_FOR_A_FOUR, label=4)
        assert rows(bars)[4].endswith("◂ label")
        assert rows(bars)[6].endswith("✗ answer")
        assert [row for row in rows(bars) if not row.endswith("%")] == [rows(bars)[4], rows(bars)[6]]


async def test_a_right_answer_and_one_without_a_label_are_marked_too() -> None:
    bars = Probabilities()
    async with ProbabilitiesApp(bars).run_test(size=(60, 24)):
        bars.show(SIX_FOR_A_FOUR, label=6)
        assert rows(bars)[6].endswith("✓ right")
        bars.show(SIX_FOR_A_FOUR)
        assert rows(bars)[6].endswith("▸ answer")
        assert bars.answer == 6


async def test_bars_are_filled_to_the_eighth_of_a_cell() -> None:
    bars = Probabilities(["a", "b", "c"])
    async with ProbabilitiesApp(bars).run_test(size=(30, 5)):
        bars.show([1.0, 0.5, 1 / 144])
        cells = rows(bars)[0].count("█")
        assert cells == 18
        assert rows(bars)[1].count("█") == 9
        assert rows(bars)[2][2] == "▏"


async def test_a_narrow_widget_keeps_the_signs_and_drops_the_words() -> None:
    bars = Probabilities()
    async with ProbabilitiesApp(bars).run_test(size=(24, 12)):
        bars.show(SIX_FOR_A_FOUR, label=4)
        assert rows(bars)[4].endswith("31.0 % ◂")
        assert rows(bars)[6].endswith("55.0 % ✗")


async def test_ascii_means_ascii() -> None:
    bars = Probabilities(ascii=True)
    async with ProbabilitiesApp(bars).run_test(size=(60, 24)):
        bars.show(SIX_FOR_A_FOUR, label=4)
        assert "".join(rows(bars)).isascii()
        assert "#####" in rows(bars)[6]
        assert rows(bars)[6].endswith("x answer")
        assert rows(bars)[4].endswith("< label")


async def test_class_names_are_text_cut_to_a_third_of_the_width() -> None:
    bars = Probabilities(["T-shirt/top", "[red]x[/]\x1b[2J", "実験", "a name that is far too long for this"])
    async with ProbabilitiesApp(bars).run_test(size=(36, 6)):
        bars.show([0.25] * 4, label=1)
        assert rows(bars)[0].startswith("T-shirt/top ")
        assert rows(bars)[1].startswith("[red]x[/][2J")
        assert "\x1b" not in "".join(rows(bars))
        assert [bars.render_line(y).cell_length for y in range(4)] == [36] * 4
        assert len({bars.render_line(y).text.replace("実験", "    ").index("%") for y in range(4)}) == 1


@pytest.mark.parametrize("probabilities", [[], [math.nan] * 10, [0.5, 0.5], [1.5, -1.0] * 5])
async def test_strange_probabilities_are_shown_as_far_as_they_can_be(probabilities: list[float]) -> None:
    bars = Probabilities()
    async with ProbabilitiesApp(bars).run_test(size=(40, 12)):
        bars.show(probabilities, label=3)
        assert [row[0] for row in rows(bars)] == list("0123456789")
        assert rows(bars)[3].endswith("label") or rows(bars)[3].endswith("right")
