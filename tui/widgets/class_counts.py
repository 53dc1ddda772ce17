"""How many images each class has, as bars with their counts."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widgets import Static

from tui.cells import fitted
from tui.formats import count
from tui.terminal import clean


class ClassCounts(Static):
    """One bar a class, the longest as wide as there is room for."""

    counts: reactive[tuple[int, ...]] = reactive((), layout=True)
    class_names: reactive[tuple[str, ...]] = reactive(())

    DEFAULT_CSS = """
    ClassCounts { height: auto; min-height: 10; }
    """

    def show(self, counts: Sequence[int], class_names: Sequence[str]) -> None:
        """Show `counts`, one a class."""
        self.class_names = tuple(class_names) or tuple(str(digit) for digit in range(len(counts)))
        self.counts = tuple(counts)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return a line for each class: the bars are as long as there is room for, so they say nothing about it."""
        return len(self.counts)

    def render(self) -> Content:
        """Write a line a class: its name, its bar and its count."""
        names = [clean(name) for name in self.class_names]
        name_cells = min(max(map(cell_len, names), default=0), max(8, self.size.width // 3))
        figures = [count(number) for number in self.counts]
        figure_cells = max(map(len, figures), default=0)
        room = max(4, self.size.width - name_cells - figure_cells - 3)
        most = max(self.counts, default=1) or 1
        block = "#" if getattr(self.app, "ascii", False) else "▇"
        lines = []
        for name, number, figure in zip(names, self.counts, figures, strict=False):
            bar = block * round(room * number / most)
            lines.append(
                Content.assemble(
                    f"{fitted(name, name_cells, at_right=True)} ",
                    (f"{bar:<{room}}", "$primary"),
                    f" {figure:>{figure_cells}}",
                )
            )
        return Content("\n").join(lines)
