"""What the worker, the machine and its GPUs are busy with while a run trains, in a line or some."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from textual import on
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from engine.readings import GpuLoad, Load, Reading, Readings
from engine.runs import Run
from tui.background import OneAtATime
from tui.formats import count, memory_size
from tui.sparkline import ASCII_BARS, BARS

SECONDS = 1.0
BARS_SHOWN, BARS_IN_A_NARROW_LINE = 8, 3
WIDE, VERY_WIDE = 70, 100  # cells


@dataclass(frozen=True)
class Gauge:
    """A figure's name, its latest values from 0 to 1, and what it reads."""

    name: str
    shares: tuple[float, ...]
    text: str


class ReadingsBox(Static):
    """Takes readings about once a second while a run trains and is seen; it is painted when they differ."""

    @dataclass
    class Taken(Message):
        """A reading was taken for the run of this id."""

        run_id: str
        reading: Reading | None

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._readings = Readings()
        self._taker = OneAtATime(self, "readings")
        self._timer: Timer | None = None
        self._run: Run | None = None
        self._past: deque[Reading] = deque(maxlen=BARS_SHOWN)
        self._shown: list[tuple[str, str]] = []
        self.display = False

    def follow(self, run: Run | None) -> None:
        """Take readings of the worker of `run`; None when nothing trains."""
        if (run and run.id) == (self._run and self._run.id):
            return
        self._run = run
        self._past.clear()
        self._shown = []
        self.display = False
        self._wait()

    def _wait(self) -> None:
        """Take the next reading in a second, counted from the last: over less, a busy machine's says nothing."""
        if self._timer:
            self._timer.stop()
        self._timer = self.set_timer(SECONDS, self._ask) if self._run else None

    def _ask(self) -> None:
        if self._run and self.screen.is_current:
            self._taker.ask(partial(self._take, self._run))
        else:
            self._wait()

    def _take(self, run: Run) -> Message:
        return self.Taken(run.id, self._readings.take(run))

    @on(Taken)
    def show(self, event: Taken) -> None:
        """Show the reading, unless another run is on display by now."""
        event.stop()
        if event.reading and self._run and event.run_id == self._run.id:
            self._past.append(event.reading)
            self._paint()
        self._wait()

    def on_resize(self) -> None:
        """Tell as much as there is room for."""
        self._shown = []
        self._paint()

    def _paint(self) -> None:
        """Write the figures, unless they read the same as they do already: bars alone are not worth the bytes."""
        if not self._past:
            return
        self.display = True
        width = self._room
        gauges = list(_gauges(self._past, width))
        figures = [(gauge.name, gauge.text) for gauge in gauges]
        if figures == self._shown:
            return
        self._shown = figures
        content = self._content(gauges, width)
        self.update(content, layout=content.plain.count("\n") != str(self.content).count("\n"))

    @property
    def _room(self) -> int:
        """The cells of a line; by the box around it, for as long as it is hidden it has no size of its own."""
        return self.parent.size.width - 2 if isinstance(self.parent, Widget) else 0

    def _content(self, gauges: Sequence[Gauge], width: int) -> Content:
        """Return the gauges in as many lines as they take; each GPU's stays in one."""
        ascii_only = bool(getattr(self.app, "ascii", False))
        most, gap = (BARS_SHOWN, 3) if width >= WIDE else (BARS_IN_A_NARROW_LINE, 2)
        lines: list[Content] = []
        for gauge in gauges:
            bars = _bars(gauge.shares[-most:], most, ascii_only)
            text = gauge.text.replace("°", "") if ascii_only else gauge.text
            part = Content.assemble((f"{gauge.name} ", "$text-muted"), (bars, "$primary"), text)
            if lines and lines[-1].cell_length + gap + part.cell_length <= width:
                lines[-1] = Content(" " * gap).join([lines[-1], part])
            else:
                lines.append(part)
        return Content("\n").join(lines)


def _gauges(past: Sequence[Reading], width: int) -> Iterator[Gauge]:
    """Yield what the last of the readings says, with the course of those before; what is not known is left out."""
    now = past[-1]
    if now.worker:
        cores = [reading.worker.cores for reading in past if reading.worker]
        shares = [one / max(1.0, *cores) for one in cores]
        rss = "  rss " if width >= WIDE else "  "
        yield Gauge("cpu", tuple(shares), f"{_percent(now.worker.cores, 4)}{rss}{memory_size(now.worker.memory)}")
    machine = [reading.machine.cores / reading.cores for reading in past]
    of_cores = f" of {count(now.cores)} cores" if width >= VERY_WIDE else ""
    memory = f"  {_of_total(now.machine)}" if width >= WIDE else ""
    text = _percent(machine[-1], 3) + of_cores + memory
    yield Gauge("machine", tuple(machine), text)
    for number, gpu in sorted(enumerate(now.gpus), key=lambda item: (not item[1].is_ours, item[0])):
        course = [reading.gpus[number].utilisation for reading in past if number < len(reading.gpus)]
        yield Gauge(f"gpu{gpu.index}", tuple(share for share in course if share is not None), _gpu_text(gpu))


def _gpu_text(gpu: GpuLoad) -> str:
    parts = []
    if gpu.utilisation is not None:
        parts.append(_percent(gpu.utilisation, 3))
    if gpu.memory is not None and gpu.total_memory:
        parts.append(_of_total(Load(0, gpu.memory, gpu.total_memory)))
    if gpu.temperature is not None:
        parts.append(f"{gpu.temperature:.0f} °C")
    if gpu.power is not None:
        parts.append(f"{gpu.power:.0f} W")
    return "  ".join(parts)


def _percent(share: float, width: int) -> str:
    return f" {share * 100:{width}.0f} %"


def _of_total(load: Load) -> str:
    """`2.1/80 GB`."""
    return f"{load.memory / 2**30:.1f}/{memory_size(load.total_memory, 0)}"


def _bars(shares: Sequence[float], width: int, ascii_only: bool) -> str:
    bars = ASCII_BARS if ascii_only else BARS
    drawn = "".join(bars[round(min(max(share, 0.0), 1.0) * (len(bars) - 1))] for share in shares)
    return f"{drawn:>{width}}"
