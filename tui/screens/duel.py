"""Duel: one recipe on both frameworks, side by side, live or from their files; and a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from engine.duel import Duel
from engine.errors import EngineError
from engine.overlay import Agreement
from tui.background import OneAtATime
from tui.control import PAUSE, RESUME, STOP, is_resumable
from tui.duel import agreed_epochs, agreement_rows, duel_of, find_agreement, rows
from tui.duel_verdict import conclude, is_final
from tui.family import SHORT_NAMES, Family
from tui.formats import count
from tui.keys import with_keys
from tui.recipe import in_a_line
from tui.screens.mode_screen import ModeScreen
from tui.snapshot import RunSnapshot
from tui.terminal import clean
from tui.widgets.chart import Chart
from tui.widgets.curve_charts import CurveCharts
from tui.widgets.figure_table import FigureTable
from tui.widgets.repaint import entitle, say

MEDIUM, BESIDE = 100, 112  # columns of the terminal
NO_PAIR = (
    "The run on display was not trained on both frameworks.\n\n"
    "Press 1 and then {both} to train the form's recipe on both, or 2 to choose a run of a pair."
)
LOOKING = "Looking …"
COMPARING = "Comparing their answers …"
NO_ANSWERS = "Their answers are compared as soon as both have finished an epoch."

Asked = tuple[str, int, str, int]
"""The ids of two runs, and after which epoch each of them is asked."""


@dataclass
class AgreementFound(Message):
    """How far two runs agree, or in `problem` why that cannot be told."""

    asked: Asked
    agreement: Agreement | None
    problem: str = ""


@dataclass
class VerdictFound(Message):
    """What came of `duel` with this `agreement`, in sentences."""

    duel: Duel
    agreement: Agreement | None
    sentences: tuple[str, ...]


class DuelScreen(ModeScreen):
    """Follows the pair on display. It has no number of its own: `u` leads to it, and Escape back."""

    MODE = "duel"
    ABOUT = (
        "The same recipe on both frameworks, side by side: the curves over each other, what each needed and came to, "
        "and how far their answers to the test images agree. Curves in the same place share it. Over "
        "several seeds the figures are mean ± standard deviation; all completed runs of the store that repeat the two "
        "count. While they train, the figures are those after the last epoch that both have finished. Times are those "
        "of training alone, and whatever else the machine did meanwhile is in them; images/s is the median of the "
        "epochs; fused kernels are mnist-tui's own, so their times do not compare the frameworks; memory is the "
        "worker's, without a GPU's own. With several seeds a t test judges the recipes; with one, McNemar's test "
        "judges the two networks alone. Either calls a difference chance where p is 0.05 or more. Enter shows the "
        "digits on which they differ."
    )
    CSS_PATH = "duel.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (MEDIUM, "-medium"), (BESIDE, "-beside")]
    BINDINGS = [
        Binding("escape", "back", "Back", tooltip="The screen before"),
        Binding("enter", "mistakes", "Mistakes", key_display="enter", tooltip="Their mistakes, laid over each other"),
        Binding("v", "other_seed", "Other run", tooltip="The pair of another seed", id="other_run"),
        Binding("r", "relaunch", "Resume", tooltip="Go on with the run that ended before its time", id="resume"),
        Binding("s", "app.stop", "Stop", tooltip=STOP, id="stop"),
        Binding("p", "app.pause", "Pause", tooltip=PAUSE, id="pause"),
        Binding("p", "app.resume", "Go on", tooltip=RESUME, id="pause"),
        Binding("L", "log_scale", "Log scale", tooltip="Show the loss on a logarithmic scale", id="log_scale"),
        Binding("u", "back", "Duel", show=False, tooltip="Back from the duel", id="duel"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._reader = OneAtATime(self, "compare answers")
        self._asked: Asked | None = None
        self._found: AgreementFound | None = None
        self._judge = OneAtATime(self, "judge")
        self._judged: VerdictFound | None = None

    def compose_body(self) -> ComposeResult:
        """Lay out the recipe, the curves, both sides, and what came of it."""
        yield Static(classes="empty panel", id="no-duel", markup=False)
        yield Static(id="recipe", markup=False)
        with VerticalScroll(id="duel"):
            yield CurveCharts(mode=self.lab.curve_mode, id="duel-charts")
            with Vertical(id="sides"):
                yield FigureTable(id="figures", classes="panel")
                yield FigureTable(id="answers", classes="panel")
        yield Static(id="answers-line", markup=False)
        yield Static(id="verdict", classes="panel", markup=False)

    def on_mount(self) -> None:
        """Follow the pair on display."""
        self.query_one("#figures").border_title = Content("side by side")
        self.query_one("#verdict").border_title = Content("verdict")
        self.follow("family", self._show)
        self.follow("restyled", self._show, at_once=False)

    def _show(self) -> None:
        family = self.lab.family
        duel = duel_of(family) if family else None
        self.set_class(duel is None, "-nothing")
        if family and duel:
            say(
                self.query_one("#recipe", Static),
                Content(clean(in_a_line(duel.first.lead.config, duel.first.lead.progress))),
            )
            self.query_one(CurveCharts).show(family)
            self.query_one("#figures", FigureTable).show(self._headings(duel), rows(duel))
            self._ask(*family.pair.values())
            self._show_agreement(duel)
        else:
            say(self.query_one("#no-duel", Static), Content(with_keys(self.app, NO_PAIR) if family else LOOKING))
        self.refresh_bindings()

    def _headings(self, duel: Duel) -> list[tuple[str, str]]:
        """Return the sides' names in the colours of their curves."""
        chart = self.query_one("#loss", Chart)
        colors = (chart.get_component_styles(f"chart--curve-{number}").color.hex for number in (0, 1))
        return [(side.name, color) for side, color in zip(duel.sides, colors, strict=True)]

    # How far they agree

    def _ask(self, first: RunSnapshot, second: RunSnapshot) -> None:
        """Have the answers of both compared, unless that is done or there are none yet."""
        epochs = agreed_epochs(first, second)
        asked = (first.run.id, epochs[0], second.run.id, epochs[1]) if epochs else None
        if epochs and asked and asked != self._asked:
            self._reader.ask(partial(_compare, asked, first, second, epochs))
        self._asked = asked

    @on(AgreementFound)
    def _take_agreement(self, message: AgreementFound) -> None:
        if message.asked == self._asked:
            self._found = message
            if self.lab.family and (duel := duel_of(self.lab.family)):
                self._show_agreement(duel)

    def _show_agreement(self, duel: Duel) -> None:
        """Show how far they agree, if only after an epoch ago, and the verdict."""
        found = self._found
        runs = duel.first.lead.run_id, duel.second.lead.run_id
        if found is None or (found.asked[0], found.asked[2]) != runs:
            found = None
        agreement = found.agreement if found else None
        problem = found.problem if found else COMPARING if self._asked else NO_ANSWERS
        table, line = self.query_one("#answers", FigureTable), self.query_one("#answers-line", Static)
        table.show([("images", ""), ("share", "")], agreement_rows(duel, agreement) if agreement else [])
        self.set_class(agreement is None, "-unanswered")
        entitle(table, Content(_title(agreement)))
        say(line, Content(_in_a_line(agreement) if agreement else clean(problem)))
        self._show_verdict(duel, agreement, found.problem if found else "")

    def _show_verdict(self, duel: Duel, agreement: Agreement | None, problem: str) -> None:
        """Show the verdict; where the two have finished, once their last answers are compared."""
        are_done = all(lead.status == "completed" for lead in duel.leads)
        is_awaited = self._asked and not problem and not (agreement and is_final(duel, agreement))
        if is_awaited and are_done:
            self._say((COMPARING,))
        elif not duel.is_decided:
            self._say(conclude(duel, agreement, problem).sentences)
        elif self._judged is None or (self._judged.duel, self._judged.agreement) != (duel, agreement):
            self._say((COMPARING,))
            self._judge.ask(lambda: VerdictFound(duel, agreement, conclude(duel, agreement, problem).sentences))
        else:
            self._say(self._judged.sentences)

    @on(VerdictFound)
    def _take_verdict(self, message: VerdictFound) -> None:
        self._judged = message
        if self.lab.family and (duel := duel_of(self.lab.family)):
            self._show_agreement(duel)

    def _say(self, sentences: tuple[str, ...]) -> None:
        first, *rest = (clean(sentence) for sentence in sentences)
        say(self.query_one("#verdict", Static), Content.assemble((first, "bold"), *(f" {one}" for one in rest)))

    # What can be done

    async def action_mistakes(self) -> None:
        """Show the mistakes of the run on display, with its other half's laid over them."""
        from tui.screens.answers_screen import AnswersScreen

        await self.app.switch_mode("mistakes")
        if isinstance(mistakes := self.app.screen, AnswersScreen):
            mistakes.lay_over_partner()

    async def action_back(self) -> None:
        """Go back to where this was opened."""
        await self.app.switch_mode(self.lab.duel_opened_in)

    def action_other_seed(self) -> None:
        """Show the pair with the next seed."""
        if self.lab.family and (others := _with_other_seeds(self.lab.family)):
            self.lab.open_run(others[0].run)

    def action_relaunch(self) -> None:
        """Go on with the one of the two that ended before its time."""
        if self.lab.family:
            for snapshot in self.lab.family.pair.values():
                if is_resumable(snapshot):
                    self.lab.relaunch(snapshot.run)
                    return

    def action_log_scale(self) -> None:
        """Show the loss on a logarithmic scale, or on a plain one again."""
        chart = self.query_one("#loss", Chart)
        chart.log_scale = not chart.log_scale

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done with the pair on display."""
        family = self.lab.family
        match action:
            case "mistakes":
                return bool(family and family.display.mistakes)
            case "other_seed":
                return bool(family and family.has_seeds)
            case "relaunch":
                return bool(family and any(map(is_resumable, family.pair.values())))
        return True


def _compare(asked: Asked, first: RunSnapshot, second: RunSnapshot, epochs: tuple[int, int]) -> Message:
    try:
        return AgreementFound(asked, find_agreement(first, second, epochs))
    except EngineError as error:
        return AgreementFound(asked, None, f"{error.message} {error.hint}".strip())


def _with_other_seeds(family: Family) -> list[RunSnapshot]:
    """Return the runs with the backend of the one on display and other seeds, from the next seed on, around the end."""
    display = family.display
    alike = [one for one in family.members if one.config and one.backend == display.backend]
    place = next((number for number, one in enumerate(alike) if one.run.id == display.run.id), 0)
    return alike[place + 1 :] + alike[:place]


def _title(agreement: Agreement | None) -> str:
    """`10,000 answers after epoch 3`: that of both."""
    if agreement is None:
        return "answers"
    return f"{count(agreement.tested)} answers after epoch {count(agreement.epochs[0])}"


def _in_a_line(agreement: Agreement) -> str:
    """Return the agreement for where there is no room for a table."""
    one, other = SHORT_NAMES.values()
    return (
        f"Epoch {count(agreement.epochs[0])}: {count(agreement.alike)} of {count(agreement.tested)} alike · wrong: "
        f"both {count(agreement.both_wrong)}, only {one} {count(agreement.only_first_wrong)}, "
        f"only {other} {count(agreement.only_second_wrong)}"
    )
