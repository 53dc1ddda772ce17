"""Data: which dataset there is, where it comes from, and how many images of each class it has."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.formats import count
from tui.jobs import Dataset
from tui.screens.mode_screen import ModeScreen
from tui.terminal import clean
from tui.widgets.class_counts import ClassCounts


class DataScreen(ModeScreen):
    """Describes the dataset that the form's settings lead to."""

    MODE = "data"
    ABOUT = (
        "The images that the next run trains and tests on. MNIST is looked for in the folder given with --data or "
        "MNIST_TUI_DATA, in the app's cache, and where PyTorch and Keras keep it; else it is downloaded when "
        "training starts. Another dataset in the IDX format works too: set Data on the Train screen, behind More."
    )
    CSS_PATH = "data.tcss"

    def compose_body(self) -> ComposeResult:
        """Lay out the facts above the two sets' class counts."""
        yield Static("Looking for the dataset …", classes="empty panel", id="no-data", markup=False)
        with VerticalScroll(id="data"):
            yield Static(id="facts", classes="panel", markup=False)
            with Horizontal(id="counts"):
                with Vertical(classes="panel", id="train-set"):
                    yield ClassCounts(id="train-counts")
                with Vertical(classes="panel", id="test-set"):
                    yield ClassCounts(id="test-counts")

    def on_mount(self) -> None:
        """Follow what is found out about the dataset."""
        super().on_mount()
        self.query_one("#facts").border_title = Content("dataset")
        self.follow("dataset", self._show)

    def _show(self) -> None:
        dataset = self.lab.dataset
        found = dataset is not None and dataset.info is not None
        self.query_one("#no-data").display = not found
        self.query_one("#data").display = found
        if dataset is not None and dataset.error is not None:
            parts = [dataset.error.title + ".", dataset.error.message, dataset.error.hint]
            self.query_one("#no-data", Static).update(Content("\n\n".join(clean(part) for part in parts if part)))
        if dataset is not None and found:
            self._show_facts(dataset)

    def _show_facts(self, dataset: Dataset) -> None:
        info = dataset.info
        if info is None:
            return
        rows = {
            "name": info.name,
            "source": info.source,
            "images": f"{count(info.train_examples)} to train, {count(info.test_examples)} to test, 28×28 grey pixels",
            "fingerprint": info.fingerprint,
        }
        width = max(map(len, rows))
        lines = [Content.assemble((f"{name:<{width}}  ", "$text-muted"), clean(text)) for name, text in rows.items()]
        self.query_one("#facts", Static).update(Content("\n").join(lines))
        for part, counts in (("train", dataset.train_counts), ("test", dataset.test_counts)):
            self.query_one(f"#{part}-set").border_title = Content(f"{part} · {count(sum(counts))}")
            self.query_one(f"#{part}-counts", ClassCounts).show(counts, info.class_names)
