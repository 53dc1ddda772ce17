"""The screen beneath Mistakes: reads what the run on display answered, and one laid over it, as they come."""

from __future__ import annotations

from functools import partial

from textual import on

from engine.overlay import Overlay
from tui import mistakes as work
from tui.background import OneAtATime, in_background
from tui.browsing import Browsing
from tui.keys import with_keys
from tui.screens.mode_screen import ModeScreen
from tui.snapshot import RunSnapshot

NO_RUN = "No run on display.\n\nPress 1 and then {train} to train one, or 2 to choose one."
NO_PREDICTIONS = "No predictions yet.\n\nThey are saved after every epoch, so the first mistakes appear in a moment."
NEVER_ANY = (
    "This run ended before its first epoch did, so it has no predictions.\n\n"
    "Press 2 to choose another run, or {resume} there to go on with it."
)


class AnswersScreen(ModeScreen):
    """Keeps `browsing` and `other` up to date and says what changed by calling `say`, `show` and `show_groups`."""

    def __init__(self) -> None:
        super().__init__()
        self.browsing: Browsing | None = None
        self.other: RunSnapshot | None = None
        self.verdict = ""
        self._other_chosen = False
        self._epoch: int | None = None
        self._run_id = ""
        """The run that was last looked at."""
        self._asked: tuple[str, int] | None = None
        self._seen: list[int] = []
        self._reader = OneAtATime(self, "read answers")
        self._scorer = OneAtATime(self, "score classes")
        self._tester = OneAtATime(self, "compare runs")

    def on_mount(self) -> None:
        """Follow the run on display, and the one laid over it."""
        self.follow("snapshot", self._look)
        self.follow("runs", self._look_at_other)
        self.follow("family", self._look_at_other)

    def say(self, text: str) -> None:
        """Say why there are no answers."""
        raise NotImplementedError

    def show(self) -> None:
        """Show what `browsing` looks at."""
        raise NotImplementedError

    def show_groups(self) -> None:
        """Show which kinds of images there are now, and what was found out about the other run."""
        raise NotImplementedError

    @property
    def epochs(self) -> list[int]:
        """The epochs that have predictions."""
        return [epoch for epoch, _ in self.lab.snapshot.mistakes] if self.lab.snapshot else []

    @property
    def wanted_epoch(self) -> int:
        """The epoch to show: the chosen one, else the last."""
        epochs = self.epochs
        return self._epoch if self._epoch in epochs else epochs[-1]

    def _look(self) -> None:
        """Show what is to be shown, or ask for it, unless that is done already."""
        snapshot = self.lab.snapshot
        run_id = snapshot.run.id if snapshot else ""
        if run_id != self._run_id:
            self._begin(run_id)
        browsing = self.browsing
        if snapshot is None or not self.epochs:
            self._asked = None
            why = NO_RUN if snapshot is None else NO_PREDICTIONS if snapshot.live else NEVER_ANY
            self.say(with_keys(self.app, why))
            return
        if browsing and self.epochs != self._seen:
            browsing.keep(self.epochs)
            self._look_back()
        self._seen = self.epochs
        wanted = (snapshot.run.id, self.wanted_epoch)
        if wanted == self._asked:
            return
        self._asked = wanted
        if browsing and wanted[1] in browsing.answers:
            browsing.go_to(wanted[1])
            self.show()
        else:
            self._reader.ask(partial(work.find_answers, snapshot, wanted[1]))

    def _begin(self, run_id: str) -> None:
        """Forget the run before, and what was laid over it."""
        self._run_id = run_id
        self.browsing = self._epoch = self.other = None
        self._other_chosen, self.verdict = False, ""
        self._look_at_other()

    @on(work.AnswersFound)
    def _take_answers(self, message: work.AnswersFound) -> None:
        """Show what was wanted, unless something else is wanted by now."""
        if (message.run_id, message.epoch) != self._asked:
            return
        if self.browsing is None:
            self.browsing = Browsing(message.run_id, message.dataset, message.epoch)
            self._find_overlay()
        self.browsing.take({message.epoch: message.answers})
        self.browsing.go_to(message.epoch)
        self.show()
        self._look_back()

    @on(work.AnswersMissing)
    def _tell_missing(self, message: work.AnswersMissing) -> None:
        if (message.run_id, message.epoch) == self._asked:
            error = message.error
            self.say("\n\n".join(part for part in (f"{error.title}.", error.message, error.hint) if part))

    def _look_back(self) -> None:
        """Look back over the whole run, once the answers after all its epochs are read."""
        browsing, snapshot = self.browsing, self.lab.snapshot
        if browsing is None or snapshot is None:
            return
        if missing := browsing.missing(self.epochs):
            self._reader.ask(partial(work.find_other_epochs, snapshot.run, missing, browsing.dataset))
        else:
            browsing.complete(self.epochs)
            self.show_groups()

    @on(work.OtherEpochsFound)
    def _take_other_epochs(self, message: work.OtherEpochsFound) -> None:
        browsing = self.browsing
        if browsing and browsing.run_id == message.run_id:
            browsing.take(message.answers)
            browsing.unreadable |= message.unreadable
            self._look_back()

    @on(work.WorkRefused)
    def _tell_refused(self, message: work.WorkRefused) -> None:
        self.lab.show_error(message.error)

    def go_to_epoch(self, epoch: int) -> None:
        """Look at another epoch; at the last one, the screen follows the run."""
        self._epoch = None if epoch == self.epochs[-1] else epoch
        self._look()

    def ask_for_scores(self) -> None:
        """Have the classes scored, and the overlay tested, unless that is done."""
        browsing = self.browsing
        if browsing and browsing.epoch not in browsing.scores:
            self._scorer.ask(partial(work.find_scores, browsing.run_id, browsing.epoch, browsing.now))
        if browsing and browsing.overlay:
            self._ask_for_verdict(browsing, browsing.overlay)

    def _ask_for_verdict(self, browsing: Browsing, overlay: Overlay) -> None:
        """Have the two tested where they have come as far as each other, or both as far as they are going to."""
        snapshot, other = self.lab.snapshot, self.other
        if snapshot is None or other is None or not other.mistakes:
            return
        theirs = other.mistakes[-1][0]
        have_ended = not (snapshot.live or other.live)
        if browsing.epoch == theirs or (have_ended and browsing.epoch == self.epochs[-1]):
            self._tester.ask(partial(work.find_verdict, overlay))
        else:
            self.verdict = f"epoch {browsing.epoch} beside the other's {theirs}"
            self.show_groups()

    @on(work.ScoresFound)
    def _take_scores(self, message: work.ScoresFound) -> None:
        if self.browsing and self.browsing.run_id == message.run_id:
            self.browsing.scores[message.epoch] = message.scores
            self.show_groups()

    def ask_all_runs(self) -> None:
        """Have all runs asked which labels they doubt."""
        if self.browsing:
            runs = [snapshot.run for snapshot in self.lab.runs or ()]
            find = partial(work.find_doubtful_labels, self.browsing.run_id, runs, self.browsing.dataset)
            in_background(self, find, "ask all runs")

    @on(work.SuspectsFound)
    def _take_suspects(self, message: work.SuspectsFound) -> None:
        if self.browsing and self.browsing.run_id == message.run_id:
            self.browsing.inquest = message.inquest
            self.show()

    # Another run laid over it

    @property
    def comparable_runs(self) -> list[RunSnapshot]:
        """The other runs that have predictions of the same images, the newest first."""
        return [snapshot for snapshot in self.lab.runs or () if self._is_comparable(snapshot)]

    def _is_comparable(self, other: RunSnapshot) -> bool:
        started = other.progress.started
        if self.browsing is None or started is None or not other.mistakes or other.run.id == self.browsing.run_id:
            return False
        return started.dataset.fingerprint == self.browsing.dataset.info.fingerprint

    def choose_other(self, other: RunSnapshot | None) -> None:
        """Lay `other` over the run on display, or nothing any more, as the user wants it."""
        self._other_chosen = True
        self._lay_over(other)

    def lay_over_partner(self) -> None:
        """Lay the run that was trained to match over this one, whatever was chosen before."""
        if self._other_chosen:
            self._other_chosen, self.other = False, None
            self._look_at_other()

    def _lay_over(self, other: RunSnapshot | None) -> None:
        self.other, self.verdict = other, ""
        if other:
            self._find_overlay()
        elif self.browsing:
            self.browsing.overlay = None
            self.show()

    def _find_overlay(self) -> None:
        browsing = self.browsing
        if browsing and self.other:
            find = partial(work.find_overlay, browsing.run_id, self.other, browsing.dataset)
            in_background(self, find, "read the other run")

    def _look_at_other(self) -> None:
        """Follow the other run where it is live; without the user's word it is the one that was trained to match."""
        family = self.lab.family
        if self._other_chosen:
            found = next((s for s in self.lab.runs or () if self.other and s.run.id == self.other.run.id), None)
        elif family and family.display.run.id == self._run_id:
            found = family.partner
        else:  # the app has changed either the family or the run, and is about to change both
            found = None
        known = (self.other.run.id, self.other.mistakes) if self.other else None
        if found and found.mistakes and (found.run.id, found.mistakes) != known:
            self._lay_over(found)

    @on(work.OverlayFound)
    def _take_overlay(self, message: work.OverlayFound) -> None:
        browsing = self.browsing
        if browsing and self.other and (browsing.run_id, self.other.run.id) == (message.run_id, message.other_id):
            browsing.overlay = Overlay(browsing.now, message.answers)
            self.show()

    @on(work.VerdictFound)
    def _take_verdict(self, message: work.VerdictFound) -> None:
        if self.browsing and self.browsing.overlay is message.overlay:
            self.verdict = message.verdict
            self.show_groups()
