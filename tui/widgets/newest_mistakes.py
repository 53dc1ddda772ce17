"""The test digits that a run got wrong after its newest epoch, as small pictures, while it trains and afterwards."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer

from tui.background import OneAtATime
from tui.formats import count
from tui.snapshot import RunSnapshot
from tui.terminal import PictureMode, clean
from tui.widgets.gallery import Gallery, Tile
from tui.widgets.repaint import entitle

if TYPE_CHECKING:
    from tui.widgets.digit import Image

MOST = 24
"""Pictures: more than fit beside each other into 300 cells."""
SECONDS_BETWEEN = 10.0
"""Five pictures are 10 kB, and a run may finish several epochs a second."""
NONE_YET = "The digits that it gets wrong are shown here after the first epoch"
NEVER_ANY = "This run ended before its first epoch, so there are no mistakes to show"
READING = "Reading the mistakes …"
NO_MISTAKES = "No mistakes"
TITLE = "newest mistakes"


@dataclass(frozen=True)
class Mistake:
    """A test image and what was said of it: `caption` is `4→9  98 %`."""

    index: int
    image: Image = field(compare=False)
    caption: str


@dataclass
class MistakesPicked(Message):
    """Some of the `wrong` mistakes of a run after `epoch`, of which `new` were right an epoch before.

    `problem` says why there are none.
    """

    run_id: str
    epoch: int
    wrong: int
    new: int = 0
    mistakes: tuple[Mistake, ...] = ()
    problem: str = ""


class NewestMistakes(Vertical):
    """Shows mistakes after the newest epoch of a run, those that are new first. Reading them is done on a thread."""

    @dataclass
    class Asked(Message):
        """All of them are wanted."""

    def __init__(self, *, mode: PictureMode, ascii: bool, id: str | None = None) -> None:
        super().__init__(id=id, classes="panel")
        self._mode, self._arrow = mode, "->" if ascii else "→"
        self._reader = OneAtATime(self, "newest mistakes")
        self._asked: tuple[str, int] | None = None
        self._snapshot: RunSnapshot | None = None
        self._shown: MistakesPicked | None = None
        self._timer: Timer | None = None
        self._last_asked = 0.0

    def compose(self) -> ComposeResult:
        """Lay out the pictures."""
        gallery = Gallery(mode=self._mode, has_cursor=False)
        gallery.empty = NONE_YET
        yield gallery

    def on_mount(self) -> None:
        """Say what this is going to be."""
        self.border_title = Content(TITLE)

    def show(self, snapshot: RunSnapshot | None) -> None:
        """Show the mistakes of that run: at once, or while it trains when the last ones have been there for a while."""
        self._snapshot = snapshot
        newest = (snapshot.run.id, snapshot.mistakes[-1][0]) if snapshot and snapshot.mistakes else None
        if newest is None:
            self._clear(NONE_YET if snapshot is None or snapshot.live else NEVER_ANY)
        elif newest != self._asked and self.display and self._timer is None:
            is_same_run = self._asked is not None and self._asked[0] == newest[0]
            wait = self._last_asked + SECONDS_BETWEEN - time.monotonic()
            if is_same_run and wait > 0 and snapshot and snapshot.live:
                self._timer = self.set_timer(wait, self._ask_later)
            else:
                self._ask(newest)

    def on_show(self) -> None:
        """Read what was not worth reading while nobody saw it."""
        self.show(self._snapshot)

    def _ask_later(self) -> None:
        self._timer = None
        self.show(self._snapshot)

    def _ask(self, newest: tuple[str, int]) -> None:
        assert self._snapshot
        if self._shown is None or self._shown.run_id != newest[0]:
            self._clear(READING)
        self._asked, self._last_asked = newest, time.monotonic()
        self._reader.ask(partial(pick_mistakes, self._snapshot, newest[1], self._arrow))

    @on(MistakesPicked)
    def _take(self, picked: MistakesPicked) -> None:
        picked_of = (picked.run_id, picked.epoch)
        if picked_of != self._asked or picked == self._shown:
            return
        gallery = self.query_one(Gallery)
        if self._shown is None or picked.run_id != self._shown.run_id:
            gallery.forget_pictures()  # they may be of another dataset
        self._shown = picked
        tiles = {mistake.index: Tile(mistake.image, (mistake.caption,)) for mistake in picked.mistakes}
        gallery.empty = clean(picked.problem) or NO_MISTAKES
        gallery.show(list(tiles), tiles.__getitem__)
        entitle(self, Content(_title(picked)))

    def _clear(self, why: str) -> None:
        """Show no mistakes, and say why."""
        self._asked = self._shown = None
        gallery = self.query_one(Gallery)
        if gallery.count:
            gallery.clear()
        gallery.empty = why
        entitle(self, Content(TITLE))

    def on_click(self) -> None:
        """Ask for all of them."""
        self.post_message(self.Asked())


def _title(picked: MistakesPicked) -> str:
    if picked.problem:
        return TITLE
    new = f", {count(picked.new)} of them new" if picked.new else ""
    return f"{TITLE}: {count(picked.wrong)} after epoch {count(picked.epoch)}{new}"


def pick_mistakes(snapshot: RunSnapshot, epoch: int, arrow: str) -> Message:
    """Read what the run got wrong after `epoch`: what is new since the epoch before first, and of each the surest."""
    from tui.mistakes import AnswersFound, AnswersMissing, find_answers

    found = find_answers(snapshot, epoch)
    if isinstance(found, AnswersMissing):
        return MistakesPicked(snapshot.run.id, epoch, 0, problem=found.error.message)
    assert isinstance(found, AnswersFound)
    answers, images = found.answers, found.dataset.test_images
    before = find_answers(snapshot, epoch - 1) if epoch > 1 else None
    was_right = ~before.answers.wrong if isinstance(before, AnswersFound) else answers.wrong & False
    ranked = sorted(answers.mistakes.tolist(), key=lambda index: (not was_right[index], -answers.confidence[index]))
    mistakes = (
        Mistake(
            index,
            images[index],
            f"{answers.labels[index]}{arrow}{answers.predicted[index]}  {100 * answers.confidence[index]:.0f} %",
        )
        for index in ranked[:MOST]
    )
    return MistakesPicked(
        snapshot.run.id, epoch, len(answers.mistakes), int((answers.wrong & was_right).sum()), tuple(mistakes)
    )
