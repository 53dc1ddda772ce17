"""Mistakes: the confusion matrix of the run on display, the digits behind it, one of them large, epoch by epoch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Static

from engine.selection import EVERYTHING, ORDERS
from tui import mistakes as work
from tui.background import OneAtATime, in_background
from tui.browsing import DOUBTED, diagonal_of, next_of
from tui.screens.answers_screen import AnswersScreen
from tui.terminal import clean
from tui.widgets.browsing_bar import BrowsingBar
from tui.widgets.chips import Chips
from tui.widgets.confusion_matrix import ConfusionMatrix
from tui.widgets.digit_detail import DigitDetail
from tui.widgets.epoch_slider import EpochSlider
from tui.widgets.gallery import Gallery
from tui.widgets.panes import PANES, Panes

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data import Dataset

NEIGHBOURS = 12
SECONDS_AT_REST = 0.2  # on an epoch or a digit, before its scores or neighbours are looked for: that takes a processor
EPOCH_KEYS = Binding.Group("Epoch", compact=True)
NEEDS_ANSWERS = {"pane", "group", "order", "diagonal", "lay_over", "export", "copy"}


class MistakesScreen(AnswersScreen):
    """Browses what the run on display answered."""

    MODE = "mistakes"
    ABOUT = (
        "The test digits that the network gets wrong. In the matrix (rows: the true digit, columns: what the network "
        "said) the arrows choose a cell, or at its edge a whole row or column; the gallery shows the digits behind it, "
        "each with true→predicted and how sure the network was. “Show” goes on to the images that were just learnt, "
        "just forgotten or never right, and to labels that may be errors; the line below says what each means. "
        "Tab goes from matrix to gallery to digit; in the digit, left and right go to the next. With another run laid "
        "over this one, a second line below a digit is what that one says."
    )
    CSS_PATH = "mistakes.tcss"
    BINDINGS = [
        Binding("escape", "back", "Back", tooltip="From the large digit, or to all of the matrix"),
        Binding("tab", "pane(1)", "Pane", key_display="tab", tooltip="The matrix, the digits, one of them large"),
        Binding("shift+tab", "pane(-1)", "Pane before", show=False),
        Binding("w", "group(1)", "Show", tooltip="Other kinds: just learnt, just forgotten …", id="show"),
        Binding("W", "group(-1)", "Show before", show=False, id="show_before"),
        Binding("greater_than_sign", "order(1)", "Sort", tooltip="Sort the digits by something else", id="sort"),
        Binding(
            "less_than_sign", "order(-1)", "Sort back", show=False, tooltip="Sort by the one before", id="sort_back"
        ),
        Binding("comma", "epoch(-1)", "Epoch before", key_display=",", group=EPOCH_KEYS, id="epoch_before"),
        Binding("full_stop", "epoch(1)", "Epoch after", key_display=".", group=EPOCH_KEYS, id="epoch_after"),
        Binding("equals_sign", "diagonal", "Right", tooltip="The right answers, and back", id="right"),
        Binding("m", "lay_over", "Compare", tooltip="Lay another run over this one", id="compare"),
        Binding("e", "export", "Save", tooltip="Write these digits as CSV or PNG", id="save"),
        Binding("c", "copy", "Copy", tooltip="Copy the index of the digit", id="copy"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._searcher = OneAtATime(self, "find neighbours")
        self._search = work.NeighbourSearch()
        self._resting = self._scoring = self.set_timer(0, lambda: None, pause=True)
        self._images: tuple[Dataset, int] | None = None
        """The dataset on display, and how many of its training images the run has seen."""
        self._portrayed: tuple[object, ...] = ()

    def compose_body(self) -> ComposeResult:
        """Lay out what is looked at above the panes, and what stands there while there is nothing to see."""
        yield BrowsingBar(ascii=self.lab.ascii)
        yield Static(classes="empty panel", id="no-mistakes", markup=False)
        yield Panes(mode=self.lab.picture_mode, ascii=self.lab.ascii)

    def on_mount(self) -> None:
        """Begin in the gallery."""
        self._gallery.focus()

    @property
    def _gallery(self) -> Gallery:
        return self.query_one("#gallery", Gallery)

    @property
    def _trained_on(self) -> int:
        """How many training images the run on display has seen; 0 where that is not known."""
        started = self.lab.snapshot.progress.started if self.lab.snapshot else None
        return started.dataset.train_examples if started else 0

    # Showing

    def say(self, text: str) -> None:
        """Say why there are no mistakes to show."""
        self.query_one("#no-mistakes", Static).update(Content("\n".join(clean(line) for line in text.split("\n"))))
        self.set_class(True, "-nothing")
        self._offer_panes()
        epoch = self.wanted_epoch if self.epochs else 0
        bar = self.query_one(BrowsingBar)
        bar.show_run(self.lab.snapshot, None, self.epochs, epoch)
        bar.show_groups(None)
        self.refresh_bindings()

    def show(self) -> None:
        """Show everything about the epoch."""
        browsing, panes = self.browsing, self.query_one(Panes)
        if browsing is None:
            return
        self.set_class(False, "-nothing")
        self._offer_panes()
        self._forget_other_images(browsing.dataset)
        self.query_one(ConfusionMatrix).show(browsing.now.confusion_matrix.tolist(), browsing.class_names)
        panes.fit_matrix()
        self._show_choice()
        self._scoring.stop()
        self._scoring = self.set_timer(SECONDS_AT_REST, self.ask_for_scores)
        if self.focused is None:
            panes.go_to(panes.pane)

    def _forget_other_images(self, dataset: Dataset) -> None:
        """Forget what is known by index of other images than those of `dataset` and of the run on display."""
        images = (dataset, self._trained_on)
        if images == self._images:
            return
        self._images = images
        for gallery in self.query(Gallery):
            gallery.forget_pictures()
        self.query_one(DigitDetail).forget_neighbours()

    def on_resize(self) -> None:
        """Name the kinds as there is room for."""
        self.show_groups()

    def _offer_panes(self) -> None:
        """Offer the panes to choose from, where not all are seen at once and there is something to see."""
        panes = self.query_one(Panes)
        offered = PANES if panes.small and not self.has_class("-nothing") else ()
        self.query_one(BrowsingBar).show_panes(offered, panes.pane)

    def show_groups(self) -> None:
        """Show how much there is of each kind, and what has been found out meanwhile."""
        browsing, bar = self.browsing, self.query_one(BrowsingBar)
        if browsing is None or self.has_class("-nothing"):
            return
        bar.show_run(self.lab.snapshot, browsing, self.epochs, browsing.epoch)
        bar.show_groups(browsing, self.other.label if self.other else "", self.verdict)
        self.query_one(ConfusionMatrix).scores = browsing.scores.get(browsing.epoch)
        self._show_one(self._gallery.chosen)

    def _show_choice(self) -> None:
        """Show the images that are chosen by group and cell."""
        browsing, gallery = self.browsing, self._gallery
        if browsing is None:
            return
        matrix = self.query_one(ConfusionMatrix)
        matrix.cell, matrix.words = browsing.cell, browsing.chosen_part
        indices = browsing.indices().tolist()
        gallery.border_title = Content(browsing.title())
        gallery.border_subtitle = Content(f"{len(indices):,}")
        gallery.empty = browsing.emptiness()
        gallery.show(indices, browsing.tile_maker(self.lab.ascii), gallery.chosen, browsing.caption_lines)
        self.show_groups()
        self.refresh_bindings()

    @on(Gallery.Highlighted)
    def _highlighted(self, event: Gallery.Highlighted) -> None:
        self._show_one(event.index)

    def _show_one(self, index: int | None) -> None:
        browsing, detail = self.browsing, self.query_one(DigitDetail)
        if browsing is None:
            return
        portrayed = (index, browsing.now, browsing.history, browsing.overlay)
        if portrayed != self._portrayed:
            self._portrayed = portrayed
            detail.show(None if index is None else browsing.portrait(index), browsing.class_names)
        if index is not None and index != detail.neighbours_of and self.query_one(Panes).shows_neighbours:
            detail.await_neighbours()
            self._resting.stop()
            self._resting = self.set_timer(SECONDS_AT_REST, partial(self._find_neighbours, index))

    def _find_neighbours(self, index: int) -> None:
        if self.browsing and self._trained_on and index == self._gallery.chosen:
            self._searcher.ask(partial(self._search.find, self.browsing.dataset, self._trained_on, index, NEIGHBOURS))

    @on(work.NeighboursFound)
    def _take_neighbours(self, message: work.NeighboursFound) -> None:
        browsing, found = self.browsing, (message.dataset, message.trained_on, message.index)
        if browsing and found == (browsing.dataset, self._trained_on, self._gallery.chosen):
            self._resting.stop()
            tile_of = browsing.training_tile_maker(self.lab.ascii)
            self.query_one(DigitDetail).show_neighbours(message.index, message.neighbours, tile_of)

    @on(work.Exported)
    def _tell_exported(self, message: work.Exported) -> None:
        self.notify(clean(message.text), title="Exported", markup=False)

    # Choosing

    @on(Panes.Changed)
    def _pane_changed(self) -> None:
        self._offer_panes()
        self._show_one(self._gallery.chosen)
        self.refresh_bindings()

    @on(Chips.Chosen)
    def _chip_chosen(self, event: Chips.Chosen) -> None:
        if event.name in PANES:
            self.query_one(Panes).go_to(event.name)
        else:
            self._choose_group(event.name)

    def _choose_group(self, name: str) -> None:
        browsing = self.browsing
        if browsing is None:
            return
        browsing.group = name
        if name == DOUBTED:
            self.ask_all_runs()
        self._show_choice()

    @on(ConfusionMatrix.Chosen)
    def _cell_chosen(self, event: ConfusionMatrix.Chosen) -> None:
        if self.browsing:
            self.browsing.cell = event.cell
            self._show_choice()

    @on(EpochSlider.Chosen)
    def _epoch_chosen(self, event: EpochSlider.Chosen) -> None:
        self.go_to_epoch(event.epoch)

    @on(Gallery.Opened)
    def _opened(self) -> None:
        self.query_one(Panes).go_to("digit", large=True)

    @on(DigitDetail.StepWanted)
    def _step_wanted(self, event: DigitDetail.StepWanted) -> None:
        self._gallery.action_move(event.step)

    def action_pane(self, step: int) -> None:
        """Go on to the next pane."""
        self.query_one(Panes).go_on(step)

    def action_group(self, step: int) -> None:
        """Go on to the next kind of images."""
        if self.browsing:
            names = [group.name for group in (*self.browsing.groups, *self.browsing.overlay_groups)]
            self._choose_group(next_of(names, self.browsing.chosen_group.name, step))

    def action_order(self, step: int) -> None:
        """Go on to the next order, or back to the one before, from its beginning."""
        if self.browsing:
            self.browsing.order = next_of(ORDERS, self.browsing.order, step)
            self._show_choice()
            self._gallery.action_go_to(0)

    def action_epoch(self, step: int) -> None:
        """Go to the epoch before or after; after the last one, the screen follows the run again."""
        if self.epochs:
            position = self.epochs.index(self.wanted_epoch) + step
            self.go_to_epoch(self.epochs[max(0, min(position, len(self.epochs) - 1))])

    def action_diagonal(self) -> None:
        """Choose the right answers, or everything again."""
        if self.browsing:
            self.browsing.cell = diagonal_of(self.browsing.cell)
            self._show_choice()

    def action_back(self) -> None:
        """Leave the large digit, else show all of the matrix again."""
        panes = self.query_one(Panes)
        if panes.pane == "digit" and panes.alone:
            panes.go_to("gallery")
        elif self.browsing:
            self.browsing.cell = EVERYTHING
            self._show_choice()

    def action_copy(self) -> None:
        """Put the chosen image's index on the clipboard."""
        if (index := self._gallery.chosen) is not None:
            self.app.copy_to_clipboard(str(index))
            self.notify(f"{index}: the index of the test image", title="Copied", markup=False)

    async def action_lay_over(self) -> None:
        """Ask which run to lay over this one."""
        from tui.screens.choose_run import ChooseRunScreen

        runs = self.comparable_runs
        if not runs:
            text = "No other run has predictions of these images. Train one on the Train screen."
            self.notify(text, title="Nothing to compare with", markup=False)
            return
        await self.app.push_screen(ChooseRunScreen(runs, can_be_none=self.other is not None), self._take_other)

    def _take_other(self, run_id: str | None) -> None:
        if run_id is not None:
            self.choose_other(next((s for s in self.lab.runs or () if s.run.id == run_id), None))

    async def action_export(self) -> None:
        """Ask where to write the images on display, and write those, whatever is on display by then."""
        from tui.screens.export import ExportScreen

        browsing = self.browsing
        if browsing is None:
            return
        dataset, answers, indices = browsing.dataset, browsing.now, browsing.indices()
        second = browsing.overlay.second if browsing.overlay else None

        def export(path: Path | None) -> None:
            if path:
                in_background(self, work.exporting(path, dataset, answers, indices, second), "export")

        what = f"{len(indices):,} images: {browsing.title()}"
        stem = f"mistakes-{browsing.run_id}-epoch-{browsing.epoch}"
        await self.app.push_screen(ExportScreen(what, stem), export)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what there is to choose from."""
        panes = self.query(Panes)
        if action in NEEDS_ANSWERS:
            return self.browsing is not None and not self.has_class("-nothing")
        if action == "epoch":
            return len(self.epochs) > 1
        if action == "back":
            alone = bool(panes) and panes.first().pane == "digit" and panes.first().alone
            return alone or (self.browsing is not None and self.browsing.cell != EVERYTHING)
        return True
