"""All screens, seen once in each of our themes: what holds on every one of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.pilot import Pilot
from textual.widgets._footer import FooterKey

from engine.runs import Store
from tests.tui.app_harness import completed, opened, shown, until, until_shown
from tui.app import MnistApp
from tui.widgets.mode_bar import MODE_TITLES

ENOUGH = 4.5
"""WCAG's level AA for text of ordinary size."""
DIMMED = 0.66
"""How much of the foreground a terminal leaves of dim text, as Textual assumes it."""
DRAWINGS = set("█▇▆▅▄▃▂▁▉▊▋▌▍▎▏▐▔▕▀▗▖▘▝▚▞▙▛▜▟─│╭╮╰╯┌┐└┘├┤┬┴┼━●•■▼▲▸▾·|+-#○□△╌┈┊")
DRAWINGS |= {chr(code) for code in range(0x2800, 0x2900)}
"""Borders, bars, curves, pictures and arrows: they are no text, and none is the only sign of what it tells."""


@dataclass
class Tour:
    """What was seen: texts, those that hardly stand out, and what is offered in footer, palette and help, by screen."""

    texts: dict[str, str] = field(default_factory=dict)
    faint: dict[str, list[str]] = field(default_factory=dict)
    footer: dict[str, dict[str, str]] = field(default_factory=dict)
    """What each shown key does, by what the help says of it."""
    palette: dict[str, set[str]] = field(default_factory=dict)

    def look(self, app: MnistApp, name: str) -> None:
        """Note what is on the screen."""
        self.texts[name] = shown(app)
        self.faint[name] = list(faint(app))


@pytest.fixture(scope="module")
def dark(tmp_path_factory: pytest.TempPathFactory) -> Tour:
    """All screens and their help in the dark theme."""
    return asyncio.run(walk(Store(tmp_path_factory.mktemp("dark")), "mnist-dark"))


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Tour:
    """All screens in the light theme and in ASCII."""
    return asyncio.run(walk(Store(tmp_path_factory.mktemp("light")), "mnist-light", ascii=True))


async def walk(store: Store, theme: str, ascii: bool = False) -> Tour:
    """Go to every screen, with a run that has ended."""
    completed(store, name="a run")
    tour = Tour()
    async with opened(store, size=(120, 40), settings={"theme": theme}, ascii=ascii) as (app, pilot):
        await until(lambda: app.snapshot and app.dataset and len(app.reports) == 2, "the app has looked around")
        for number, mode in enumerate(MODE_TITLES, start=1):
            await pilot.press("escape", str(number))
            await until(lambda mode=mode: app.current_mode == mode, f"{mode} is on display")  # type: ignore[misc]
            if mode == "mistakes":
                await until_shown(app, "wrong 7")
            await until(lambda: app.screen.query(FooterKey), "the footer has its keys")
            await pilot.pause()
            tour.look(app, mode)
            if not ascii:
                await ask_for_help(app, pilot, tour, mode)
        for key in ("question_mark", "f2", "ctrl+p"):
            await pilot.press(key)
            await pilot.pause()
            tour.look(app, key)
            await pilot.press("escape")
    return tour


async def ask_for_help(app: MnistApp, pilot: Pilot[None], tour: Tour, mode: str) -> None:
    """Note what the footer, the palette and the help offer on the screen of `mode`."""
    actions = {key.action for key in app.screen.query(FooterKey)} - {"app.command_palette"}
    active = [one.binding for one in app.screen.active_bindings.values() if one.enabled and one.binding.show]
    offered = [binding for binding in active if any(action.endswith(binding.action) for action in actions)]
    told = {f"{app.get_key_display(one)} {one.tooltip or one.description}": one.description for one in offered}
    tour.footer[mode] = told
    tour.palette[mode] = {command.title for command in app.get_system_commands(app.screen)}
    await pilot.press("question_mark")
    await pilot.pause()
    dialog = app.screen.query(".dialog").first()
    while dialog.max_scroll_y and dialog.scroll_y < dialog.max_scroll_y:
        tour.texts[f"help of {mode}"] = tour.texts.get(f"help of {mode}", "") + shown(app)
        dialog.scroll_relative(y=10, animate=False, immediate=True)
        await pilot.pause()
    tour.texts[f"help of {mode}"] = tour.texts.get(f"help of {mode}", "") + shown(app)
    await pilot.press("escape")


def faint(app: MnistApp) -> Iterator[str]:
    """Yield the texts that do not stand out enough; what cannot be used now may be faint, or lies below a dialog."""
    dialog = app.screen.query(".dialog, #--container")
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


def test_every_text_stands_out_in_both_themes(dark: Tour, light: Tour) -> None:
    for tour in (dark, light):
        assert len(tour.faint) >= len(MODE_TITLES) + 3
        assert not any(tour.faint.values()), "\n".join(line for lines in tour.faint.values() for line in lines)


def test_in_ascii_nothing_else_is_drawn(light: Tour) -> None:
    for name, text in light.texts.items():
        assert text.isascii(), f"{name}: {sorted(set(re.sub(r'[ -~]', '', text)))}"


def test_what_the_footer_offers_is_in_the_palette_and_in_the_help(dark: Tour) -> None:
    for mode in MODE_TITLES:
        told = re.sub(r"[\s│▁-█]+", " ", dark.texts[f"help of {mode}"])
        assert len(dark.footer[mode]) >= 2
        assert set(dark.footer[mode].values()) <= dark.palette[mode], mode
        assert not [line for line in dark.footer[mode] if line not in told], mode
