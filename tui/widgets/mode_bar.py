"""The line at the top of every screen: the five modes, the dataset, and below it the notice of sample data."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from engine.events import DatasetInfo
from tui.formats import count, examples
from tui.terminal import clean

MODE_TITLES: dict[str, str] = {
    "train": "Train",
    "runs": "Runs",
    "mistakes": "Mistakes",
    "data": "Data",
    "model": "Model",
}


class ModeTab(Static):
    """One mode's key and name; a click goes there."""

    DEFAULT_CSS = """
    ModeTab { width: auto; padding: 0 1; color: $text-muted; }
    ModeTab.-current { background: $primary; color: $background; text-style: bold; }
    ModeTab:hover { text-style: underline; }
    """

    def __init__(self, mode: str, number: int, current: bool) -> None:
        super().__init__(f"{number} {MODE_TITLES[mode]}", markup=False, classes="-current" if current else "")
        self.mode = mode

    def on_click(self, event: events.Click) -> None:
        """Go to the mode."""
        event.stop()
        self.app.switch_mode(self.mode)


class ModeBar(Vertical):
    """Shows where one is among the modes; `current` is this screen's."""

    DEFAULT_CSS = """
    ModeBar { height: auto; dock: top; }
    ModeBar > Horizontal { height: 1; background: $panel; }
    ModeBar .title { width: auto; padding: 0 1; text-style: bold; color: $primary; }
    ModeBar .dataset { width: 1fr; text-align: right; padding: 0 1; color: $text-muted; text-wrap: nowrap; }
    ModeBar .notice { display: none; height: auto; padding: 0 1; background: $warning 25%; color: $text-warning; }
    ModeBar .notice.-shown { display: block; }
    """

    dataset: reactive[DatasetInfo | None] = reactive(None)

    def __init__(self, current: str) -> None:
        super().__init__()
        self._current = current

    def compose(self) -> ComposeResult:
        """Lay out the title, the modes and the dataset's facts."""
        with Horizontal():
            yield Static("mnist-tui", classes="title")
            for number, mode in enumerate(MODE_TITLES, start=1):
                yield ModeTab(mode, number, mode == self._current)
            yield Static(classes="dataset")
        yield Static(classes="notice")

    def watch_dataset(self, dataset: DatasetInfo | None) -> None:
        """Show the dataset's name and counts, and say so when it is only the sample."""
        if not self.is_mounted:
            return
        facts, notice = "", ""
        if dataset:
            sizes = f"{examples(dataset.train_examples)}/{examples(dataset.test_examples)}"
            facts = f"{clean(dataset.name)} {sizes}"
        if dataset and dataset.sample:
            notice = (
                f"Sample data: {count(dataset.train_examples)} training and {count(dataset.test_examples)} test "
                "digits only. For all of MNIST: --data FOLDER, or go online once."
            )
        self.query_one(".dataset", Static).update(Content(facts))
        line = self.query_one(".notice", Static)
        line.update(Content(notice))
        line.set_class(bool(notice), "-shown")
