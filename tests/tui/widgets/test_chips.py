"""A line of chips shows where some are cut off."""

from __future__ import annotations

from textual.app import App, ComposeResult

from tui.widgets.chips import Chips, chips_of

NAMES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "漢字", "Ankle boot")


class Line(App[None]):
    """Chips in 30 cells."""

    def compose(self) -> ComposeResult:
        """Lay out the chips."""
        chips = Chips()
        chips.styles.width = 30
        chips.chips = chips_of((name, name) for name in NAMES)
        yield chips


async def test_chips_that_are_cut_end_in_an_ellipsis_and_the_chosen_one_is_whole() -> None:
    app = Line()
    async with app.run_test() as pilot:
        chips = app.query_one(Chips)
        for number, name in enumerate(NAMES):
            chips.chosen = name
            await pilot.pause()
            line = chips.render_line(0)
            assert line.cell_length == 30
            assert f" {name} " in line.text
            assert line.text.startswith("…") or " T-shirt/top " in line.text
            assert line.text.endswith("…") == (number < len(NAMES) - 1)
