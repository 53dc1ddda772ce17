"""Train: the form beside the run on display, its curves, its epochs and its progress."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from engine.config import TrainConfig
from tui.curves import accuracy_curves, loss_curves
from tui.formats import count, duration, percent
from tui.screens.mode_screen import ModeScreen
from tui.snapshot import RunSnapshot
from tui.status import status_text
from tui.terminal import clean
from tui.widgets.chart import Chart
from tui.widgets.epoch_table import EpochTable
from tui.widgets.progress_row import ProgressRow
from tui.widgets.run_notice import RunNotice
from tui.widgets.setup_form import SetupForm

EMPTY = "No run yet. Choose the settings on the left, or keep the tutorial's, and press t to train."


class TrainScreen(ModeScreen):
    """Trains with the form's settings and shows the run on display, live or from its files alike."""

    MODE = "train"
    ABOUT = (
        "Choose a preset or any settings on the left, then press t: the network trains in a process of its own. "
        "The curves and the table follow it. Leaving with d lets it train on. "
        "Arrows or Tab go from field to field, Enter opens a list, Escape leaves the form."
    )
    CSS_PATH = "train.tcss"
    BINDINGS = [
        Binding("t", "train", "Train"),
        Binding("ctrl+t,f5", "train", "Train", show=False),
        Binding("l", "log_scale", "Log scale"),
    ]

    def compose_body(self) -> ComposeResult:
        """Lay out the form on the left and the run on the right."""
        with Horizontal(id="train-body"):
            yield SetupForm(self.lab.settings)
            with Vertical(id="run"):
                with Horizontal(id="charts"):
                    yield Chart("loss", id="loss")
                    yield Chart("accuracy", id="accuracy")
                yield RunNotice()
                with Vertical(id="history"):
                    yield Static(EMPTY, id="empty", markup=False)
                    yield EpochTable(ascii=self.lab.ascii)
                    yield ProgressRow(id="progress")
                    yield Static(id="summary", markup=False)

    def on_mount(self) -> None:
        """Follow the run on display and what is found out about this machine."""
        super().on_mount()
        for chart in self.query(Chart):
            chart.ascii = self.lab.ascii
        self.follow("snapshot", self._show_run)
        self.follow("reports", self._show_reports)
        self.follow("dataset", self._pass_dataset)
        self.query_one(SetupForm).focus_first()

    def _show_reports(self) -> None:
        self.query_one(SetupForm).reports = self.lab.reports

    def _pass_dataset(self) -> None:
        self.query_one(SetupForm).dataset = self.lab.dataset

    def _show_run(self) -> None:
        snapshot = self.lab.snapshot
        self.query_one("#loss", Chart).show(loss_curves(snapshot) if snapshot else ())
        self.query_one("#accuracy", Chart).show(accuracy_curves(snapshot) if snapshot else ())
        self.query_one(RunNotice).show(snapshot)
        self.query_one(EpochTable).show(snapshot)
        self.query_one(ProgressRow).snapshot = snapshot
        self.query_one("#empty").display = snapshot is None
        self.query_one(EpochTable).display = snapshot is not None
        self.query_one("#history").border_title = (
            _title(snapshot, self.lab.ascii, self.app.size.width < 100) if snapshot else Content("run")
        )
        summary = _summary(snapshot) if snapshot else Content("")
        self.query_one("#summary", Static).update(summary)
        self.query_one("#summary").display = bool(summary.plain)
        self.query_one("#progress").display = not summary.plain

    @on(SetupForm.Changed)
    def _config_changed(self, event: SetupForm.Changed) -> None:
        self.lab.config = event.config

    @on(SetupForm.DataChosen)
    def _data_chosen(self, event: SetupForm.DataChosen) -> None:
        self.lab.examine_data(event.data)

    @on(SetupForm.Submitted)
    async def action_train(self) -> None:
        """Start a run with the form's settings; go to the field that does not fit if one does not."""
        config = self.lab.config
        if config is None:
            await self.query_one(SetupForm).focus_problem()
            return
        live = [snapshot.run.id for snapshot in self.lab.live_runs()]
        if not live:
            self._train(config)
            return
        from tui.screens.confirm import ConfirmScreen

        question = f"Run {live[0]} is live. Start another? On the same device it waits for its turn."
        await self.app.push_screen(
            ConfirmScreen(question, yes="Start another", no="Do not"),
            lambda yes: self._train(config) if yes else None,
        )

    def _train(self, config: TrainConfig) -> None:
        """Start a run, and take the focus out of the form, so that digits go to the other screens again."""
        self.lab.train(config)
        self.query_one(EpochTable).focus()

    def action_log_scale(self) -> None:
        """Show the loss on a logarithmic scale, or on a plain one again."""
        chart = self.query_one("#loss", Chart)
        chart.log_scale = not chart.log_scale
        chart.border_title = Content("loss (log scale)" if chart.log_scale else "loss")


def _title(snapshot: RunSnapshot, ascii_only: bool, narrow: bool) -> Content:
    """Return the run's status, name and framework."""
    name = snapshot.config.name if snapshot.config and snapshot.config.name else snapshot.run.id
    parts = [status_text(snapshot.status, ascii_only), Content(clean(name))]
    if (started := snapshot.progress.started) and not narrow:
        parts.append(Content(clean(f"{started.backend} {started.framework_version}")))
        parts.append(Content(clean(started.device)))
    return Content(" · ").join(parts)


def _summary(snapshot: RunSnapshot) -> Content:
    """Return what a run that has ended came to."""
    best = snapshot.progress.best
    if snapshot.live or best is None:
        return Content("")
    mistakes = dict(snapshot.mistakes).get(best.epoch)
    took = f" after epoch {best.epoch}; {duration(snapshot.progress.seconds)} in all"
    parts = [Content.assemble("best ", (percent(best.test_accuracy), "bold $success"), took)]
    if mistakes is not None:
        parts.append(Content.assemble(f"{count(mistakes)} mistakes: ", ("3", "bold $primary"), " shows them"))
    return Content("   ").join(parts)
