"""What a redrawn digit costs on the wire, where the terminal has 256 colours."""

from __future__ import annotations

from rich.console import Console

from engine.data import Dataset
from tui.widgets.digit import halfblock_strips


def test_a_digit_costs_at_most_8_kb_at_256_colours(digits: Dataset) -> None:
    console = Console(color_system="256", force_terminal=True, _environ={})
    costs = [
        sum(len(strip.render(console).encode()) for strip in halfblock_strips(image))
        for image in digits.test_images[:300]
    ]
    assert max(costs) <= 8000
