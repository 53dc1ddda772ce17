"""Train: the form beside the run on display, its curves, its epochs and its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from engine.changes import RateChange
from engine.config import TrainConfig
from tui.activity import activity_of
from tui.background import OneAtATime, in_background
from tui.change_words import change_text, changes_text
from tui.control import DETACH, MORE_EPOCHS, PAUSE, RESUME, STOP, is_extendable, is_resumable
from tui.family import Family
from tui.judging import result_of
from tui.keys import with_keys
from tui.last_trained import keep
from tui.recipe import in_a_line, training_loss_note
from tui.run_words import summary_of, title_of
from tui.screens.mode_screen import ModeScreen
from tui.snapshot import RunSnapshot
from tui.terminal import clean
from tui.widgets.chart import Chart
from tui.widgets.curve_charts import CurveCharts
from tui.widgets.epoch_table import EpochTable
from tui.widgets.inside_run import InsideRun
from tui.widgets.log_pane import LogPane
from tui.widgets.newest_mistakes import NewestMistakes
from tui.widgets.progress_row import ProgressRow
from tui.widgets.readings import ReadingsBox
from tui.widgets.repaint import entitle, say, undertitle
from tui.widgets.run_notice import RunNotice
from tui.widgets.setup_form import SetupForm

if TYPE_CHECKING:
    from tui.command_line import CommandsWritten

RECENT = (50, 10, 5)  # epochs
COMPARING = "Comparing what they came to …"
MEDIUM, TALL = 100, 32
"""Columns and lines of the terminal; where it has fewer of both, there is room for one chart at a time."""
SECONDS = 1.0
EMPTY = (
    "No run yet. Press {train} to train with the settings on the left.\n\n"
    "Down or Tab goes to them; in a field, Enter or ctrl+t trains."
)


@dataclass
class ResultFound(Message):
    """What the members of `family` came to."""

    family: Family
    lines: list[str]


class TrainScreen(ModeScreen):
    """Trains with the form's settings and shows the run on display, live or from its files alike."""

    MODE = "train"
    ABOUT = (
        "Choose a preset or any settings on the left, then press {train}: the network trains in a process of its own. "
        "The curves and the table follow it. {both} trains the same recipe on both frameworks, matched, one after the "
        "other, and lays their curves over each other; {duel} shows both side by side. Repeats, under More, trains "
        "over several seeds. {other_run} shows another run of those launched together. Leaving with {detach} lets them "
        "train on. In the charts, solid lines with filled signs are training, averaged over the last steps, and "
        "dashed ones with hollow signs the test, after each epoch; {zoom} shows the last epochs alone. In a small "
        "terminal, {show} changes loss for accuracy. {output} shows what the run's worker printed, {copy} the "
        "command that trains the same without the app. Arrows or Tab go from field to field. In the form, letters and "
        "digits belong to the field: there Enter trains, ctrl+t does so from anywhere, and Escape leaves the form."
    )
    CSS_PATH = "train.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (MEDIUM, "-medium"), (150, "-wide"), (180, "-vast")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (TALL, "-tall"), (50, "-high")]
    AUTO_FOCUS = ""  # not the form, which would take letters for its fields: the first key may well be the one to train
    BINDINGS = [
        Binding("t", "train", "Train", tooltip="Train as the form says", id="train"),
        Binding("b", "both", "Both", tooltip="Train it on both frameworks, matched, and compare", id="both"),
        Binding("down", "form", "Form", key_display="down", tooltip="Go to the settings"),
        Binding("u", "app.duel", "Duel", tooltip="Both frameworks side by side", id="duel"),
        Binding("s", "app.stop", "Stop", tooltip=STOP, id="stop"),
        Binding("p", "app.pause", "Pause", tooltip=PAUSE, id="pause"),
        Binding("p", "app.resume", "Go on", tooltip=RESUME, id="pause"),
        Binding("R", "rate", "Rate", tooltip="Change the learning rate of the run on display", id="rate"),
        Binding("d", "app.detach", "Detach", tooltip=DETACH, id="detach"),
        Binding("r", "relaunch", "Resume", tooltip="Go on with the run that ended before its time", id="resume"),
        Binding("r", "extend", "More epochs", tooltip=MORE_EPOCHS, id="resume"),
        Binding("v", "other", "Other run", tooltip="Another run of those that were started together", id="other_run"),
        Binding(
            "z",
            "zoom",
            "Zoom",
            tooltip="Show the last 50, 10 or 5 epochs in the charts, or all of them again",
            id="zoom",
        ),
        Binding("L", "log_scale", "Log scale", tooltip="Show the loss on a logarithmic scale", id="log_scale"),
        Binding("w", "other_chart", "Show", tooltip="The accuracy in place of the loss, and back", id="show"),
        Binding("o", "output", "Output", tooltip="Show what the run's worker printed, or hide it", id="output"),
        Binding("c", "command", "Copy", tooltip="Copy the command that trains the same without the app", id="copy"),
        Binding(
            "S",
            "app.stop(True)",
            "Stop now",
            show=False,
            tooltip="Stop at once, without testing and saving",
            id="stop_now",
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rate_told: tuple[str, RateChange | None] = ("", None)
        self._judge = OneAtATime(self, "judge")
        self._result_asked: Family | None = None
        self._result: ResultFound | None = None

    def compose_body(self) -> ComposeResult:
        """Lay out the form on the left and the run on the right."""
        with Horizontal(id="train-body"):
            yield SetupForm(self.lab.form_settings, self.lab.settings)
            with Vertical(id="run"):
                yield CurveCharts(mode=self.lab.curve_mode, id="charts")
                yield LogPane(id="log")
                yield RunNotice()
                with Horizontal(id="below"):
                    with Vertical(id="history"):
                        yield Static(with_keys(self.app, EMPTY), id="empty", markup=False)
                        yield Static(id="run-recipe", markup=False)
                        yield EpochTable(ascii=self.lab.ascii)
                        yield ProgressRow(id="progress")
                        yield ReadingsBox(id="readings")
                        yield Static(id="summary", markup=False)
                        yield Static(id="result", markup=False)
                    yield InsideRun(curves=self.lab.curve_mode, pictures=self.lab.picture_mode, id="inside-run")
                yield NewestMistakes(mode=self.lab.picture_mode, ascii=self.lab.ascii, id="newest")

    def on_mount(self) -> None:
        """Follow the run on display and what is found out about this machine."""
        self.follow("family", self._show_run)
        self.follow("reports", self._show_reports)
        self.follow("dataset", self._pass_dataset)
        self.follow("template", self._take_over)
        self.set_interval(SECONDS, self._count_seconds)

    def _count_seconds(self) -> None:
        """Tell for how long already the run on display has been loading, or has been asked to stop."""
        if self.is_current and self.lab.snapshot and activity_of(self.lab.snapshot):
            self.query_one(RunNotice).show(self.lab.snapshot)

    def _show_reports(self) -> None:
        self.query_one(SetupForm).reports = self.lab.reports

    def _pass_dataset(self) -> None:
        self.query_one(SetupForm).dataset = self.lab.dataset

    def _take_over(self) -> None:
        """Fill the form with another run's settings."""
        if config := self.lab.template:
            self.lab.template = None
            self.query_one(SetupForm).take_over(config)
            self.set_focus(None)  # inside the form, the key named below would be a letter
            told = "The form has that run's settings now. Change what you like, then press {train}."
            self.notify(with_keys(self.app, told), markup=False)

    def on_resize(self) -> None:
        """Show as much as there is room for."""
        self._show_run()
        self.refresh_bindings()

    def _show_run(self) -> None:
        family = self.lab.family
        self.query_one("#run").set_class(family is None, "-nothing")
        self.query_one(CurveCharts).show(family)
        self.query_one(InsideRun).show(family)
        self.query_one(NewestMistakes).show(family.display if family else None)
        self.query_one(LogPane).follow(family.display.run if family else None)
        self.query_one(RunNotice).show(family.display if family else None)
        self.query_one(EpochTable).show(family)
        self.query_one("#empty").display = family is None
        self.query_one(EpochTable).display = family is not None
        self._tell("#run-recipe", Content(clean(_recipe(family.display)) if family else ""))
        title = title_of(family, self.lab.ascii, self.app.size.width) if family else Content("run")
        entitle(self.query_one("#history"), title)
        is_pair = family is not None and bool(family.pair)
        config = family.display.config if family else None
        hints = (
            changes_text(config, family.display.progress) if family and config else "",
            with_keys(self.app, "{duel} shows both side by side") if is_pair else "",
        )
        undertitle(self.query_one("#history"), Content(clean(" · ".join(hint for hint in hints if hint))))
        self._show_end(family)
        self._tell_rate(family.display if family else None)

    def _tell_rate(self, snapshot: RunSnapshot | None) -> None:
        """Say when a change of the learning rate has come into force, where it happens before one's eyes."""
        change = snapshot.progress.rate_change if snapshot else None
        now = (snapshot.run.id if snapshot else "", change)
        if change and snapshot and snapshot.live and self._rate_told[0] == now[0] and self._rate_told[1] != change:
            self.notify(f"{change_text(change).capitalize()}.", markup=False)
        self._rate_told = now

    def _show_end(self, family: Family | None) -> None:
        """Show how the run in training gets on; when none is, what the one on display and its family came to."""
        training = family.training if family else None
        row = self.query_one(ProgressRow)
        row.label = family.name_of(training) if family and training else ""
        row.snapshot = training
        row.display = training is not None
        self.query_one(ReadingsBox).follow(training.run if training else None)
        summary = summary_of(family, with_keys(self.app, "{resume}")) if family else Content("")
        self._tell("#summary", summary)
        self._ask_for_result(family if family and family.has_result else None)
        result = self._result.lines if self._result and self._result.family is self._result_asked else [COMPARING]
        result = result if self._result_asked else []
        self._tell("#result", Content("\n".join(map(clean, result))))
        self.query_one("#history").set_class(bool(result), "-result")

    def _ask_for_result(self, family: Family | None) -> None:
        """Have found out what `family` came to, unless that is done."""
        if family is not self._result_asked:
            self._result_asked = family
            if family:
                self._judge.ask(lambda: ResultFound(family, result_of(family)))

    @on(ResultFound)
    def _take_result(self, message: ResultFound) -> None:
        self._result = message
        self._show_end(self.lab.family)

    def _tell(self, selector: str, text: Content) -> None:
        """Write `text`, which takes no room where there is none."""
        say(self.query_one(selector, Static), text)
        self.query_one(selector).set_class(not text.plain, "-empty")

    @on(SetupForm.Changed)
    def _config_changed(self, event: SetupForm.Changed) -> None:
        self.lab.config = event.config
        self.refresh_bindings()

    @on(SetupForm.DataChosen)
    def _data_chosen(self, event: SetupForm.DataChosen) -> None:
        self.lab.examine_data(event.data)

    @on(SetupForm.Submitted)
    async def _submitted(self, event: SetupForm.Submitted) -> None:
        await (self.action_both() if event.both else self.action_train())

    def action_form(self) -> None:
        """Go to the form, from nowhere."""
        self.query_one(SetupForm).focus_first()

    async def action_train(self) -> None:
        """Train with the form's settings, as often as it says."""
        await self._train(lambda config: [config])

    async def action_both(self) -> None:
        """Train the form's recipe on both backends, matched."""
        from engine.families import matched

        await self._train(matched)

    async def _train(self, recipes: Callable[[TrainConfig], list[TrainConfig]]) -> None:
        """Train what `recipes` makes of the form's settings; go to the field that does not fit if one does not."""
        from engine.families import repeated

        form = self.query_one(SetupForm)
        wanted, repeats = form.wanted  # the form's news of what was typed last may still be on its way
        if wanted is None:
            await form.focus_problem()
            return
        configs = [config for one in repeated(wanted, repeats) for config in recipes(one)]
        live = [snapshot.run.id for snapshot in self.lab.live_runs()]
        if not live:
            self._launch(wanted, configs)
            return
        from tui.screens.confirm import ConfirmScreen

        more, waits = (
            ("another", "it waits for its") if len(configs) == 1 else (f"{len(configs)} more", "they wait for their")
        )
        question = f"Run {live[0]} is live. Start {more}? On the same device {waits} turn."
        await self.app.push_screen(
            ConfirmScreen(question, yes=f"Start {more}", no="Do not"),
            lambda yes: self._launch(wanted, configs) if yes else None,
        )

    def _launch(self, wanted: TrainConfig, configs: list[TrainConfig]) -> None:
        """Start runs of what the form has, and leave it, so that letters and digits are commands again."""
        self.lab.train(configs)
        if self.lab.memory:
            keep(self.lab.memory, wanted)
        self.set_focus(None)
        self.query_one(EpochTable).focus()

    async def action_command(self) -> None:
        """Write the form's settings as a command; go to the field that does not fit if one does not."""
        from tui.command_line import write_commands

        form = self.query_one(SetupForm)
        wanted, repeats = form.wanted
        if wanted is None:
            await form.focus_problem()
            return
        in_background(self, partial(write_commands, wanted, repeats, self.lab.store.path), "write command")

    async def on_commands_written(self, message: CommandsWritten) -> None:
        """Show the commands, to be copied."""
        from tui.screens.command import CommandScreen

        if self.is_current:
            await self.app.push_screen(CommandScreen(message, self.query_one(SetupForm).both_problem))

    def action_relaunch(self) -> None:
        """Take up the run on display again, which ended before its time."""
        if self.lab.snapshot:
            self.lab.relaunch(self.lab.snapshot.run)

    async def action_extend(self) -> None:
        """Train the run on display, which is complete, for more epochs."""
        if self.lab.snapshot:
            await self.lab.extend(self.lab.snapshot)

    async def action_rate(self) -> None:
        """Ask for another learning rate for the run on display."""
        from tui.screens.rate import RateScreen

        if (snapshot := self.lab.snapshot) and snapshot.config:
            await self.app.push_screen(
                RateScreen(snapshot), lambda rate: self.lab.set_learning_rate(snapshot.run, rate) if rate else None
            )

    def action_other(self) -> None:
        """Show the next one of the runs that were launched together."""
        if self.lab.family:
            self.lab.open_run(self.lab.family.after_display.run)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done with the form and with the run on display."""
        match action:
            case "both":
                return not self.query_one(SetupForm).both_problem or None
            case "relaunch":
                return is_resumable(self.lab.snapshot)
            case "extend":
                return is_extendable(self.lab.snapshot)
            case "rate":
                return self.lab.snapshot is not None and self.lab.snapshot.live
            case "output":
                return self.lab.snapshot is not None
            case "zoom":
                return len(self._zooms()) > 1 and self.query_one("#charts").display
            case "log_scale":
                return self.query_one("#charts").display
            case "other_chart":
                return self.app.size.width < MEDIUM and self.app.size.height < TALL
            case "other":
                return bool(self.lab.family and len(self.lab.family.members) > 1)
        return True

    def action_output(self) -> None:
        """Show what the worker of the run on display printed, or hide it again."""
        log, run = self.query_one(LogPane), self.query_one("#run")
        run.toggle_class("-log")
        self.refresh_bindings()
        if run.has_class("-log"):
            log.focus()
        elif log.has_focus:
            self.query_one(EpochTable).focus()

    def action_zoom(self) -> None:
        """Show fewer of the last epochs; after the fewest, all of them again."""
        zooms = self._zooms()
        for chart in self.query(Chart):
            chart.recent = zooms[(zooms.index(chart.recent) + 1) % len(zooms)] if chart.recent in zooms else 0

    def _zooms(self) -> list[int]:
        """Return of how many epochs the charts can show the last; 0 stands for all."""
        epochs = max((member.epochs for member in self.lab.family.members), default=0) if self.lab.family else 0
        return [0, *(recent for recent in RECENT if recent < epochs)]

    def action_other_chart(self) -> None:
        """Show the accuracy in place of the loss, or the loss again, where there is room for one of them."""
        self.query_one(CurveCharts).toggle_class("-accuracy")

    @on(NewestMistakes.Asked)
    async def _show_mistakes(self) -> None:
        await self.app.switch_mode("mistakes")

    def action_log_scale(self) -> None:
        """Show the loss on a logarithmic scale, or on a plain one again."""
        chart = self.query_one("#loss", Chart)
        chart.log_scale = not chart.log_scale


def _recipe(snapshot: RunSnapshot) -> str:
    """Return what was trained, in a line, and below it why training and test loss do not compare, where they do not."""
    if snapshot.config is None:
        return ""
    lines = (in_a_line(snapshot.config, snapshot.progress), training_loss_note(snapshot.config))
    return "\n".join(line for line in lines if line)
