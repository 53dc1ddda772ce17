"""Mistakes: the test digits that the run on display gets wrong after an epoch, one of them large."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from engine.evaluation import Mistake
from tui.background import WorkFailed, in_background
from tui.formats import count, percent
from tui.mistakes import MistakesFound, MistakesMissing, load_mistakes
from tui.screens.mode_screen import ModeScreen
from tui.terminal import clean
from tui.widgets.digit import Digit
from tui.widgets.mistake_list import MistakeList
from tui.widgets.probabilities import Probabilities

ORDERS: dict[str, Callable[[Mistake], float]] = {
    "most wrong first": lambda mistake: -mistake.loss,
    "most sure first": lambda mistake: -mistake.confidence,
    "by image": lambda mistake: mistake.index,
}
NO_RUN = "No run on display.\n\nPress 1 and then t to train one, or 2 to choose one."
NO_PREDICTIONS = "No predictions yet.\n\nThey are saved after every epoch, so the first mistakes appear in a moment."
NEVER_ANY = "This run ended before its first epoch did, so it has no predictions.\n\nPress 2 to choose another run."


class MistakesScreen(ModeScreen):
    """Browses the mistakes of the run on display."""

    MODE = "mistakes"
    ABOUT = (
        "The test digits that the network gets wrong: which digit it is, what the network said, how sure it was, and "
        "the loss, which is high where it was sure and wrong. Up and down choose a digit, left and right an epoch."
    )
    CSS_PATH = "mistakes.tcss"
    BINDINGS = [
        Binding("o", "order", "Order"),
        Binding("left", "epoch(-1)", "Epoch before", key_display="←"),
        Binding("right", "epoch(1)", "Epoch after", key_display="→"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._order = next(iter(ORDERS))
        self._epoch: int | None = None
        self._asked: tuple[str, int] | None = None
        self._found: MistakesFound | None = None

    def compose_body(self) -> ComposeResult:
        """Lay out the list, the digit and its probabilities, and what stands there while there are none."""
        yield Static(id="caption", markup=False)
        yield Static(classes="empty panel", id="no-mistakes", markup=False)
        with Horizontal(id="mistakes"):
            yield MistakeList(ascii=self.lab.ascii, classes="panel")
            with Horizontal(id="one"):
                with Vertical(id="picture", classes="panel"):
                    yield Digit(mode=self.lab.picture_mode)
                with Vertical(id="answer", classes="panel"):
                    yield Static(id="words", markup=False)
                    yield Probabilities(ascii=self.lab.ascii)

    def on_mount(self) -> None:
        """Follow the run on display."""
        super().on_mount()
        self.query_one("#answer").border_title = Content("probabilities")
        self.follow("snapshot", self._look)
        self.query_one(MistakeList).focus()

    @property
    def _epochs(self) -> list[int]:
        """The epochs that have predictions."""
        return [epoch for epoch, _ in self.lab.snapshot.mistakes] if self.lab.snapshot else []

    @property
    def _shown_epoch(self) -> int:
        """The epoch to show: the chosen one, else the last."""
        epochs = self._epochs
        return self._epoch if self._epoch in epochs else epochs[-1]

    def _look(self) -> None:
        """Ask for the mistakes to show, unless they are shown or asked for already."""
        snapshot = self.lab.snapshot
        if snapshot is None or not self._epochs:
            self._asked = self._found = None
            live = snapshot is not None and snapshot.live
            self._say(NO_RUN if snapshot is None else NO_PREDICTIONS if live else NEVER_ANY)
            return
        wanted = (snapshot.run.id, self._shown_epoch)
        if wanted == self._asked:
            return
        if self._asked and self._asked[0] != wanted[0]:
            self._epoch, self._found = None, None
            wanted = (snapshot.run.id, self._shown_epoch)
        self._asked = wanted
        in_background(self, partial(load_mistakes, snapshot, wanted[1]), "load mistakes")

    @on(MistakesFound)
    @on(MistakesMissing)
    def _take(self, message: MistakesFound | MistakesMissing) -> None:
        """Show what the background found, unless something else is wanted by now."""
        if (message.run_id, message.epoch) != self._asked:
            return
        if isinstance(message, MistakesFound):
            self._found = message
            self._show()
        else:
            self._found = None
            error = message.error
            self._say("\n\n".join(part for part in (f"{error.title}.", error.message, error.hint) if part))

    def on_work_failed(self, message: WorkFailed) -> None:
        """Leave it to the app."""
        self.app.post_message(message)

    def _say(self, text: str) -> None:
        """Say why there are no mistakes to show."""
        self.query_one("#no-mistakes", Static).update(Content("\n".join(clean(line) for line in text.split("\n"))))
        self.query_one("#no-mistakes").display = True
        self.query_one("#mistakes").display = False
        self._caption()

    def _show(self) -> None:
        found = self._found
        if found is None:
            return
        if not found.mistakes:
            self._say("Not a single mistake on the test set.")
            return
        self.refresh_bindings()
        self.query_one("#no-mistakes").display = False
        self.query_one("#mistakes").display = True
        self._caption()
        mistakes = self.query_one(MistakeList)
        mistakes.border_title = Content(self._order)
        chosen = mistakes.chosen
        mistakes.show(sorted(found.mistakes, key=ORDERS[self._order]), keep_index=chosen.index if chosen else None)

    def _caption(self) -> None:
        snapshot, found = self.lab.snapshot, self._found
        parts: list[Content | str] = []
        if snapshot:
            name = snapshot.config.name if snapshot.config and snapshot.config.name else snapshot.run.id
            parts.append(Content.styled(clean(name), "bold"))
        if snapshot and self._epochs:
            parts.append(f"after epoch {self._shown_epoch} of {self._epochs[-1]}")
        if found:
            share = percent(len(found.mistakes) / len(found.images))
            parts.append(f"{count(len(found.mistakes))} of {count(len(found.images))} wrong ({share})")
        self.query_one("#caption", Static).update(Content(" · ").join(parts))

    @on(MistakeList.Highlighted)
    def _show_one(self, event: MistakeList.Highlighted) -> None:
        mistake, found = event.mistake, self._found
        if mistake is None or found is None:
            return
        names = found.class_names or tuple("0123456789")
        label, predicted = clean(names[mistake.label]), clean(names[mistake.predicted])
        self.query_one(Digit).image = found.images[mistake.index]
        self.query_one("#picture").border_title = Content(f"test image {mistake.index:,}")
        self.query_one("#words", Static).update(
            Content.assemble(
                ("It is ", "$text-muted"), (label, "bold"), ("; the network says ", "$text-muted"), (predicted, "bold"),
                (f", {mistake.confidence:.1%} sure. Loss {mistake.loss:.2f}.", "$text-muted"),
            )
        )  # fmt: skip
        self.query_one(Probabilities).show(mistake.probabilities, label=mistake.label)

    def action_order(self) -> None:
        """Go on to the next order."""
        orders = list(ORDERS)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        self._show()

    def action_epoch(self, step: int) -> None:
        """Go to the epoch before or after; after the last one, the screen follows the run again."""
        epochs = self._epochs
        if not epochs:
            return
        position = max(0, min(epochs.index(self._shown_epoch) + step, len(epochs) - 1))
        self._epoch = None if position == len(epochs) - 1 else epochs[position]
        self._look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what there is to choose from."""
        if action == "order":
            return self._found is not None
        if action == "epoch":
            return len(self._epochs) > 1
        return True
