"""Every text stands out from what it is written on, in both of our themes, and all colours come from the theme."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.segment import Segment
from textual.color import Color

from engine.runs import Store
from tests.tui.app_harness import completed, opened, until, until_shown
from tui.app import MnistApp
from tui.theme import OURS
from tui.widgets.mode_bar import MODE_TITLES

ENOUGH = 4.5
"""WCAG's level AA for text of ordinary size."""
DIMMED = 0.66
"""How much of the foreground a terminal leaves of dim text, as Textual assumes it."""
DRAWINGS = set("█▇▆▅▄▃▂▁▉▊▋▌▍▎▏▐▔▕▀▗▖▘▝▚▞▙▛▜▟─│╭╮╰╯┌┐└┘├┤┬┴┼━●•■▼▲▸▾·")
"""Borders, bars, curves, pictures and arrows: they are no text, and none is the only sign of what it tells."""


def contrast(segment: Segment) -> float:
    """Return the contrast of a segment's text with its background."""
    style = segment.style
    assert style
    assert style.color
    assert style.bgcolor
    foreground, background = Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
    if style.dim:
        foreground = background.blend(foreground, DIMMED)
    if style.reverse:
        foreground, background = background, foreground
    light, dark = sorted((luminance(foreground), luminance(background)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: Color) -> float:
    """Return WCAG's relative luminance."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized]
    return sum(weight * channel for weight, channel in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def faint(app: MnistApp) -> Iterator[str]:
    """Yield the texts that do not stand out enough; what cannot be used now may be faint, or lies below a dialog."""
    dialog = app.screen.query(".dialog")
    seen = dialog.first().region if dialog else app.screen.region
    unusable = app.screen.query("FooterKey.-disabled, Widget:disabled")
    disabled = {widget.region for widget in unusable}
    for y, strip in enumerate(app.screen._compositor.render_strips()):
        x = 0
        for segment in strip:
            text = segment.text.strip()
            is_text = bool(set(text) - DRAWINGS - {" "})
            is_usable = seen.contains(x, y) and not any(region.contains(x, y) for region in disabled)
            if is_text and is_usable and (ratio := contrast(segment)) < ENOUGH:
                yield f"{text!r} at {x},{y}: {ratio:.2f}, {segment.style}"
            x += segment.cell_length


@pytest.mark.parametrize("theme", [theme.name for theme in OURS])
async def test_every_text_stands_out(store: Store, theme: str) -> None:
    completed(store, name="a run")
    async with opened(store, size=(120, 40), settings={"theme": theme}) as (app, pilot):
        await until(lambda: app.snapshot and app.dataset and len(app.reports) == 2, "the app has looked around")
        assert app.theme == theme
        found = {}
        for number, mode in enumerate(MODE_TITLES, start=1):
            await pilot.press("escape", str(number))
            await until(lambda mode=mode: app.current_mode == mode, f"{mode} is on display")  # type: ignore[misc]
            if mode == "mistakes":
                await until_shown(app, "wrong 7")
            await pilot.pause()
            found[mode] = list(faint(app))
        await pilot.press("question_mark")
        await pilot.pause()
        found["help"] = list(faint(app))
    assert not any(found.values()), "\n".join(line for lines in found.values() for line in lines)
