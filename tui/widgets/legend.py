"""The line above curves: whose is whose, and what each came to, with as many words as there is room for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby

from rich.cells import cell_len

from tui.terminal import CurveMode, clean
from tui.widgets.plot import AXIS, Series, Stretch, epoch_marker, line_sample


def legend(
    series: Sequence[Series],
    width: int,
    mode: CurveMode,
    value_format: Callable[[float], str],
) -> list[Stretch]:
    """Return the names of the curves with their marks and last values in at most `width` cells, [] for no room."""
    drawn = [(number, one) for number, one in enumerate(series) if one.xs]
    for write in (_in_full, _in_short, _names, _marks):
        line = write(drawn, mode, value_format)
        if sum(cell_len(text) for text, _ in line) <= width:
            return line
    return []


Numbered = Sequence[tuple[int, Series]]


def _in_full(drawn: Numbered, mode: CurveMode, value_format: Callable[[float], str]) -> list[Stretch]:
    """`─●─ train 0.0612   ╌○╌ test 0.0701`."""
    line: list[Stretch] = []
    for number, one in drawn:
        sample = line_sample(one.style, mode)
        name = f"{one.run} {one.name}" if one.run else one.name
        line += [(sample + _mark(one, mode) + sample, number), (_words(name, one, value_format) + "   ", AXIS)]
    return _ended(line)


def _in_short(drawn: Numbered, mode: CurveMode, value_format: Callable[[float], str]) -> list[Stretch]:
    """`● train 0.0612  ○ test 0.0701`, and of two runs `torch ● 0.0612 ○ 0.0701  tf ■ 0.0598 □ 0.0689`."""
    line: list[Stretch] = []
    for run, curves in groupby(drawn, key=lambda item: item[1].run):
        if run:
            line.append((f"{clean(run)} ", AXIS))
        gap = " " if run else "  "
        for number, one in curves:
            line += [(_mark(one, mode), number), (_words("" if run else one.name, one, value_format) + gap, AXIS)]
        line[-1] = (line[-1][0].rstrip() + "  ", AXIS)
    return _ended(line)


def _names(drawn: Numbered, mode: CurveMode, value_format: Callable[[float], str]) -> list[Stretch]:
    """`● train ○ test`, and of two runs `torch ●○ tf ■□`."""
    line: list[Stretch] = []
    for run, curves in groupby(drawn, key=lambda item: item[1].run):
        if run:
            line.append((f"{clean(run)} ", AXIS))
        for number, one in curves:
            line.append((_mark(one, mode), number))
            if not run:
                line.append((f" {clean(one.name)} ", AXIS))
        if run:
            line.append((" ", AXIS))
    return _ended(line)


def _marks(drawn: Numbered, mode: CurveMode, value_format: Callable[[float], str]) -> list[Stretch]:
    """`●A ■B ▲C`: the first letter of each name."""
    line: list[Stretch] = []
    for number, one in drawn:
        line += [(_mark(one, mode), number), (f"{clean(one.run or one.name)[:1]} ", AXIS)]
    return _ended(line)


def _mark(one: Series, mode: CurveMode) -> str:
    return epoch_marker(one.style, mode is CurveMode.ASCII) if one.has_marks else line_sample(one.style, mode)


def _words(name: str, one: Series, value_format: Callable[[float], str]) -> str:
    last = one.stated
    if last is None:
        last = next((y for y in reversed(one.ys) if math.isfinite(y)), None)
    parts = [name, "" if last is None else value_format(last)]
    return clean("".join(f" {part}" for part in parts if part))


def _ended(line: list[Stretch]) -> list[Stretch]:
    """Return `line` without the blanks at its end."""
    if line:
        line[-1] = (line[-1][0].rstrip(), line[-1][1])
    return line
