"""The chart: what it draws at every size, in ASCII, on a logarithmic scale, and how seldom it draws."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
import time

import pytest
from textual.app import App, ComposeResult

from tests.waiting import PATIENCE
from tui.terminal import CurveMode
from tui.widgets.chart import Chart, LineStyle, Mark, Series

EPOCHS = list(range(1, 11))
TRAIN = Series("train", EPOCHS, [0.2 * math.exp(-epoch / 3) + 0.06 for epoch in EPOCHS])
TEST = Series("test", EPOCHS, [0.15 * math.exp(-epoch / 3) + 0.08 for epoch in EPOCHS], LineStyle(1, dashed=True))


class ChartApp(App[None]):
    """One chart that fills the screen."""

    CSS = "Chart { width: 1fr; height: 1fr; }"

    def __init__(self, chart: Chart) -> None:
        super().__init__()
        self.chart = chart

    def compose(self) -> ComposeResult:
        yield self.chart


def screen(app: App[None]) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def styles_of(chart: Chart, character: str) -> set[str]:
    """The colours in which `character` is drawn, by name."""
    return {
        segment.style.color.name
        for y in range(chart.size.height)
        for segment in chart.render_line(y)
        if character in segment.text and segment.style is not None and segment.style.color is not None
    }


async def test_without_epochs_it_says_so_in_a_titled_box() -> None:
    app = ChartApp(Chart("loss"))
    async with app.run_test(size=(40, 10)):
        assert "No epochs yet" in screen(app)
        assert "loss" in screen(app).splitlines()[0]
        assert "epoch" in screen(app).splitlines()[-1]


async def test_curves_come_with_whole_epochs_formatted_values_and_a_legend() -> None:
    chart = Chart("accuracy", y_format=lambda share: f"{share:.1%}")
    app = ChartApp(chart)
    async with app.run_test(size=(60, 16)) as pilot:
        chart.show([TRAIN, TEST])
        await pilot.pause()
        text = screen(app)
        assert "10.0%┤" in text
        assert text.splitlines()[-2].strip("│ ").split() == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]
        assert text.splitlines()[1].strip("│ ") == "─●─ train 0.0671   ╌□╌ test 0.0854"
        assert "No epochs yet" not in text


def braille(chart: Chart, color: str) -> str:
    """The braille characters of that colour, row by row."""
    return "".join(
        "".join(filter("⠀".__lt__, segment.text))
        for y in range(1, chart.size.height)
        for segment in chart.render_line(y)
        if segment.style and segment.style.color and segment.style.color.name == color
    )


async def test_curves_are_thin_lines_of_dots_in_two_colours_one_of_them_dashed() -> None:
    chart = Chart("loss")
    async with ChartApp(chart).run_test(size=(60, 16)) as pilot:
        chart.show([Series("train", [1, 2], [1.0, 1.0]), Series("test", [1, 2], [2.0, 2.0], LineStyle(1, dashed=True))])
        await pilot.pause()
        solid, dashed = braille(chart, "#56b4e9"), braille(chart, "#e69f00")
        assert len(set(solid[1:-1])) == 1  # dot beside dot, in one row
        assert len(solid) > 40
        assert len(dashed) < len(solid)
        assert len(set(dashed)) > 1


async def test_where_an_epoch_ends_train_and_test_have_a_sign_of_their_own() -> None:
    chart = Chart("loss")
    app = ChartApp(chart)
    async with app.run_test(size=(60, 16)) as pilot:
        chart.show([TRAIN, TEST])
        await pilot.pause()
        assert screen(app).count("□") == 10 + 1  # each epoch, and the legend
        await pilot.resize_terminal(30, 16)
        await pilot.pause()
        assert screen(app).count("□") == 5 + 1  # there is no room for more
        assert styles_of(chart, "●") == {"#56b4e9"}
        assert styles_of(chart, "□") == {"#e69f00"}


async def test_a_curve_within_the_epochs_has_signs_at_their_ends_alone() -> None:
    chart = Chart("loss")
    app = ChartApp(chart)
    async with app.run_test(size=(60, 16)) as pilot:
        steps = [step / 20 for step in range(1, 41)]
        chart.show([Series("train", steps, [1 / (1 + x) for x in steps])])
        await pilot.pause()
        assert screen(app).count("●") == 2 + 1


async def test_the_first_steps_do_not_press_the_rest_of_the_curve_flat() -> None:
    chart = Chart("loss", y_format="{:.2f}".format)
    app = ChartApp(chart)
    async with app.run_test(size=(60, 16)) as pilot:
        steps = [step / 100 for step in range(1, 201)]
        chart.show([Series("train", steps, [2.3 if x < 0.05 else 0.3 - x / 10 for x in steps])])
        await pilot.pause()
        assert "0.25┤" in screen(app)
        assert "1.00┤" not in screen(app)


async def test_what_happened_on_the_way_is_marked_and_named() -> None:
    chart = Chart("loss")
    app = ChartApp(chart)
    async with app.run_test(size=(60, 16)) as pilot:
        chart.show([TRAIN], [Mark(3.5, "0.01 → 0.003"), Mark(99, "never")])
        await pilot.pause()
        assert "┊0.01 → 0.003" in screen(app)
        assert "never" not in screen(app)
        assert screen(app).count("┊") > 5


async def test_the_x_axis_goes_as_far_as_it_is_told() -> None:
    chart = Chart("loss")
    app = ChartApp(chart)
    async with app.run_test(size=(60, 16)) as pilot:
        chart.show([Series("train", [1, 2], [1.0, 0.5])], end=5)
        await pilot.pause()
        assert screen(app).splitlines()[-2].strip("│ ").split() == ["0", "1", "2", "3", "4", "5"]


async def test_where_there_is_no_braille_curves_are_blocks_and_dots() -> None:
    chart = Chart("loss", mode=CurveMode.BLOCKS)
    app = ChartApp(chart)
    async with app.run_test(size=(60, 16)) as pilot:
        chart.show([TRAIN, TEST])
        await pilot.pause()
        assert styles_of(chart, "•") == {"#e69f00"}
        assert styles_of(chart, "▄") == {"#56b4e9"}
        assert not set(screen(app)) & {chr(code) for code in range(0x2800, 0x2900)}


async def test_zoom_shows_the_last_epochs_and_scales_to_them() -> None:
    chart = Chart("loss", y_format="{:.1f}".format)
    app = ChartApp(chart)
    async with app.run_test(size=(60, 16)) as pilot:
        chart.show([Series("train", [*EPOCHS, 10.5], [9.0] * 6 + [0.5] * 5), Series("test", [1, 2], [9.0, 9.0])])
        chart.recent = 5
        await pilot.pause()
        assert "last 5 epochs" in screen(app)
        assert screen(app).splitlines()[-2].strip("│ ").split() == ["7", "8", "9", "10", "11"]
        assert "8.0┤" not in screen(app)
        chart.recent = 0
        await pilot.pause()
        assert "8.0┤" in screen(app)
        assert "last" not in screen(app)


@pytest.mark.parametrize("size", [(20, 5), (21, 6), (33, 9), (80, 24), (200, 60)])
async def test_it_fits_every_size_without_a_word_in_the_wrong_place(size: tuple[int, int]) -> None:
    chart = Chart("loss", y_format="{:.3f}".format)
    app = ChartApp(chart)
    async with app.run_test(size=size) as pilot:
        chart.show([TRAIN, TEST])
        await pilot.pause()
        assert [chart.render_line(y).cell_length for y in range(chart.size.height)] == [size[0] - 2] * (size[1] - 2)
        assert "0.1" in screen(app)
        assert "10" in screen(app).splitlines()[-2]


async def test_what_moves_is_painted_as_if_all_were() -> None:
    chart = Chart("loss")
    app = ChartApp(chart)
    async with app.run_test(size=(60, 16)) as pilot:
        chart.show([TRAIN, TEST])
        await pilot.pause()
        for change in (
            Series("train", EPOCHS, [*TRAIN.ys[:-1], 0.09]),
            Series("train", EPOCHS[:4], TRAIN.ys[:4]),
            TEST,
        ):
            chart.show([change])
            await wait_until_shown(chart)
            await pilot.pause()
            painted = screen(app)
            chart.refresh()
            await pilot.pause()
            assert painted == screen(app)


async def test_a_line_that_another_one_of_its_colour_goes_on_with_is_painted_as_one() -> None:
    """As in a pair, where training and test have one colour: the cells are the same ones, in other pieces."""
    chart = Chart("loss")
    app = ChartApp(chart)
    async with app.run_test(size=(60, 16)) as pilot:
        whole = Series("", [1, 2, 3], [1.0, 1.0, 1.0], has_marks=False)
        part = Series("", [2, 3], [1.0, 1.0], has_marks=False)
        chart.show([whole, whole])
        await pilot.pause()
        painted = screen(app)
        chart.show([whole, part])
        await wait_until_shown(chart)
        await pilot.pause()
        assert screen(app) == painted


async def wait_until_shown(chart: Chart) -> None:
    while chart._shown != chart._latest:
        await asyncio.sleep(0.01)


async def test_it_draws_again_for_a_new_size() -> None:
    chart = Chart("loss")
    app = ChartApp(chart)
    async with app.run_test(size=(80, 24)) as pilot:
        chart.show([TRAIN])
        await pilot.resize_terminal(40, 12)
        await pilot.pause()
        assert chart.size == (38, 10)
        assert screen(app).splitlines()[-2].rstrip("│").rstrip().endswith("10")


async def test_ascii_means_ascii_box_axes_curves_and_legend() -> None:
    chart = Chart("loss", mode=CurveMode.ASCII)
    app = ChartApp(chart)
    async with app.run_test(size=(60, 16)) as pilot:
        chart.show([TRAIN, TEST])
        await pilot.pause()
        assert screen(app).isascii()
        assert "*O* train 0.0671" in screen(app)
        assert ":x: test 0.0854" in screen(app)


async def test_a_logarithmic_scale_leaves_out_what_has_no_logarithm() -> None:
    chart = Chart("loss")
    app = ChartApp(chart)
    async with app.run_test(size=(60, 16)) as pilot:
        chart.show([Series("train", EPOCHS, [10.0**-epoch for epoch in EPOCHS[:-1]] + [0.0])])
        chart.log_scale = True
        await pilot.pause()
        assert "1e-06┤" in screen(app)
        chart.show([Series("train", [1, 2], [0.0, -1.0])])
        async with asyncio.timeout(PATIENCE):
            while "No values above zero" not in screen(app):
                await pilot.pause()


@pytest.mark.parametrize(
    "ys",
    [
        [math.nan, 0.5, math.inf, 0.4, -math.inf, 0.3],
        [0.5] * 6,
        [0.0] * 6,
        [1e308, -1e308, 5e-324, 0.0, 1e-300, 1e199],
        [1e199, -1e199, 1.0, 1.0, 1.0, 1.0],
    ],
    ids=["gaps", "flat", "zero", "beyond reach", "vast"],
)
@pytest.mark.parametrize("log_scale", [False, True])
async def test_no_value_is_too_strange(ys: list[float], log_scale: bool) -> None:
    chart = Chart("loss")
    async with ChartApp(chart).run_test(size=(50, 12)) as pilot:
        chart.log_scale = log_scale
        chart.show([Series("train", range(6), ys), Series("test", range(6), ys[::-1], LineStyle(1, True))])
        await pilot.pause()
        assert all(chart.render_line(y).cell_length == 48 for y in range(chart.size.height))


async def test_only_infinite_losses_are_called_by_their_name() -> None:
    chart = Chart("loss")
    app = ChartApp(chart)
    async with app.run_test(size=(50, 12)) as pilot:
        chart.show([Series("train", [1, 2], [math.nan, math.inf])])
        await pilot.pause()
        assert "No finite values" in screen(app)


async def test_a_single_epoch_and_a_gap_are_visible() -> None:
    chart = Chart("loss")
    app = ChartApp(chart)
    async with app.run_test(size=(50, 12)) as pilot:
        chart.show([Series("train", [1, 2, 3], [0.5, math.nan, 0.4])])
        await pilot.pause()
        assert screen(app).count("●") == 3  # one of them in the legend


async def test_thinning_keeps_a_spike_of_one_step_among_many() -> None:
    steps = 20_000
    ys = [0.1] * steps
    ys[12_345] = 9.0
    chart = Chart("loss")
    app = ChartApp(chart)
    async with app.run_test(size=(60, 16)) as pilot:
        chart.show([Series("", [step / 1000 for step in range(steps)], ys)])
        await pilot.pause()
        plotted = [chart.render_line(y).text for y in range(1, chart.size.height)]
        assert any("⠀" < character <= "⣿" for character in plotted[0] + plotted[1])


async def test_names_are_text_and_never_markup_or_control_characters() -> None:
    chart = Chart("[b]loss[/]\x1b[2J", y_format="[red]{:.2f}".format)
    app = ChartApp(chart)
    async with app.run_test(size=(60, 16)) as pilot:
        chart.show([Series("[@click=app.quit]x[/]\x9b1m 実験", EPOCHS, TRAIN.ys)])
        await pilot.pause()
        assert "[b]loss[/]" in screen(app)
        assert "[red]0.10┤" in screen(app)
        assert "[@click=app.quit]x[/]1m 実験" in screen(app)
        assert "\x1b" not in screen(app)


async def test_a_stream_of_values_is_drawn_ten_times_a_second_at_most_and_ends_with_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import plotext

    builds = []
    build = plotext.figure.build
    monkeypatch.setattr(plotext.figure, "build", lambda: builds.append(1) or build())
    chart = Chart("loss", y_format="{:.0f}".format)
    app = ChartApp(chart)
    async with app.run_test(size=(40, 10)) as pilot:
        begin = time.monotonic()
        for top in [*range(1, 100), 1000]:
            chart.show([Series("train", [1, 2], [0, top])])
            await pilot.pause()
        assert len(builds) <= (time.monotonic() - begin) / 0.1 + 1
        async with asyncio.timeout(PATIENCE):
            while "1000┤" not in screen(app):
                await pilot.pause()

        drawn = len(builds)
        chart.show([Series("train", [1, 2], [0, 1000])])
        chart.refresh()
        await pilot.pause()
        assert len(builds) == drawn


async def test_a_list_that_grows_after_it_was_shown_does_not_change_the_picture() -> None:
    xs, ys = [1.0, 2.0], [0.5, 0.4]
    series = Series("train", xs, ys)
    xs.append(3.0)
    ys.append(9.0)
    assert series == Series("train", [1.0, 2.0], [0.5, 0.4])
    with pytest.raises(ValueError, match="3 xs but 2 ys"):
        Series("train", [1, 2, 3], [1, 2])


async def test_the_colours_follow_the_theme() -> None:
    chart = Chart("loss")
    app = ChartApp(chart)
    async with app.run_test(size=(60, 16)) as pilot:
        chart.show([TRAIN])
        await pilot.pause()
        app.theme = "textual-light"
        await pilot.pause()
        assert styles_of(chart, "●") == {"#0072b2"}


def test_an_empty_chart_starts_without_the_plotting_library() -> None:
    program = """
import asyncio, sys
from textual.app import App
from tui.widgets.chart import Chart

class Empty(App):
    def compose(self):
        yield Chart("loss")

async def main():
    async with Empty().run_test() as pilot:
        await pilot.pause()
        print("No epochs" in "".join(strip.text for strip in pilot.app.screen._compositor.render_strips()))

asyncio.run(main())
print(sorted({"plotext", "numpy", "torch", "tensorflow"} & set(sys.modules)))
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert result.stdout.split("\n")[:2] == ["True", "[]"]
