"""The readings: what they say at every width, for how many GPUs, and that bars alone are not painted."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.containers import Vertical

from engine.readings import GpuLoad, Load, Reading
from engine.runs import Run
from tui.widgets.readings import ReadingsBox

GB = 2**30
GPU = GpuLoad(0, 0.63, 2 * GB + GB // 10, 80 * GB, 54, 120.4)
READING = Reading(Load(3.72, 24 * GB, 128 * GB), 4, Load(1.87, GB + GB // 5, 128 * GB), (GPU,))


class ReadingsApp(App[None]):
    """The readings in a column, as on the Train screen."""

    CSS = "ReadingsBox { height: auto; padding: 0 1; }"

    def __init__(self, ascii: bool = False) -> None:
        super().__init__()
        self.ascii = ascii
        self.box = ReadingsBox()

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self.box

    def take(self, *readings: Reading | None) -> None:
        """Have readings shown, as if they had been taken of a run."""
        self.box.follow(Run(Path("the-run")))
        for reading in readings:
            self.box.post_message(ReadingsBox.Taken("the-run", reading))


def lines(app: ReadingsApp) -> list[str]:
    return [strip.text.strip() for strip in app.screen._compositor.render_strips() if strip.text.strip()]


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (44, ["cpu   █  187 %  1.2 GB  machine   █  93 %", "gpu0   ▅  63 %  2.1/80 GB  54 °C  120 W"]),
        (78, ["cpu        █  187 %  rss 1.2 GB   machine        █  93 %  24.0/128 GB",
              "gpu0        ▅  63 %  2.1/80 GB  54 °C  120 W"]),
    ],
)  # fmt: skip
async def test_worker_machine_and_gpu_are_told_with_units(width: int, said: list[str]) -> None:
    app = ReadingsApp()
    async with app.run_test(size=(width, 10)) as pilot:
        app.take(READING)
        await pilot.pause()
        assert lines(app) == said


async def test_with_ascii_there_is_nothing_else() -> None:
    app = ReadingsApp(ascii=True)
    async with app.run_test(size=(78, 10)) as pilot:
        app.take(READING)
        await pilot.pause()
        assert "".join(lines(app)).isascii()
        assert "54 C" in lines(app)[-1]


async def test_the_gpu_that_the_run_uses_comes_first_and_what_a_driver_does_not_tell_is_left_out() -> None:
    silent = GpuLoad(1, None, None, None, None, 31.0, is_ours=True)
    app = ReadingsApp()
    async with app.run_test(size=(44, 10)) as pilot:
        app.take(Reading(READING.machine, 4, None, (GPU, silent)))
        await pilot.pause()
        assert lines(app)[0].split()[4:] == ["gpu1", "31", "W"]
        assert lines(app)[1].startswith("gpu0")


async def test_it_is_painted_only_when_a_figure_reads_otherwise_and_gone_after_the_run() -> None:
    app = ReadingsApp()
    async with app.run_test(size=(78, 10)) as pilot:
        app.take(None, READING)
        await pilot.pause()
        before = app.box.content
        app.take(Reading(Load(3.721, 24 * GB, 128 * GB), 4, READING.worker, (GPU,)))
        await pilot.pause()
        assert app.box.content is before
        app.take(Reading(Load(2.0, 24 * GB, 128 * GB), 4, READING.worker, (GPU,)))
        await pilot.pause()
        assert "50 %" in lines(app)[0]
        app.box.follow(None)
        await pilot.pause()
        assert lines(app) == []
