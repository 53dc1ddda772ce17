"""Runs: every run of the store, the newest first; Enter opens one."""

from __future__ import annotations

from functools import partial

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.timer import Timer
from textual.widgets import DataTable, Static

from engine.backends import BACKENDS
from tui.control import is_resumable
from tui.formats import clock, count, percent
from tui.screens.mode_screen import ModeScreen
from tui.snapshot import RunSnapshot
from tui.status import status_cell
from tui.terminal import clean
from tui.widgets.repaint import entitle, say
from tui.widgets.run_notice import words_of

COLUMNS = (
    ("status", 14, False),
    ("run", 32, False),
    ("backend", 10, False),
    ("model", 7, False),
    ("epochs", 8, True),
    ("best acc", 9, True),
    ("time", 8, True),
)
NARROW_LEAVES_OUT = "backend"
ROWS_AT_ONCE = 200
PAUSE_FOR_KEYS = 0.02


class RunTable(DataTable[Text]):
    """The table of runs, with a cursor for rows."""

    BINDINGS = [Binding("enter", "select_cursor", "Open")]


class RunsScreen(ModeScreen):
    """Lists the runs, follows them, opens and deletes them."""

    MODE = "runs"
    ABOUT = (
        "Every training run, the newest first. Enter opens a run: the Train screen shows its curves and the "
        "Mistakes screen what it gets wrong; runs launched together open together. r goes on with a run that ended "
        "before its time. A run goes on without the app until its epochs are done."
    )
    CSS_PATH = "runs.tcss"
    BINDINGS = [
        Binding("r", "relaunch", "Resume"),
        Binding("delete,x", "delete", "Delete", key_display="x"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[RunSnapshot] = []
        """What the rows of the table show."""
        self._wanted: tuple[RunSnapshot, ...] = ()
        self._filling: Timer | None = None
        self._narrow: bool | None = None

    def compose_body(self) -> ComposeResult:
        """Lay out the table, and what stands there while it is empty."""
        yield Static(classes="empty panel", id="no-runs", markup=False)
        yield RunTable(cursor_type="row", cell_padding=0, id="runs", classes="panel")
        yield Static(id="told")

    @property
    def _table(self) -> RunTable:
        return self.query_one(RunTable)

    def on_mount(self) -> None:
        """Follow the store."""
        super().on_mount()
        self._lay_out(self.app.size.width)
        self.follow("runs", self._show)
        self.follow("store_problem", self._show)
        self._table.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Leave out a column where there is no room for it."""
        self._lay_out(event.size.width)

    def _lay_out(self, width: int) -> None:
        narrow = width < 92
        if narrow == self._narrow:
            return
        self._narrow = narrow
        self._table.clear(columns=True)
        self._shown = []
        for name, cells, is_figure in COLUMNS:
            if not (narrow and name == NARROW_LEAVES_OUT):
                self._table.add_column(
                    Text(f"{name:>{cells}}" if is_figure else f"{name:<{cells}}"), width=cells, key=name
                )
        self._show()

    def _show(self) -> None:
        runs = self.lab.runs
        empty = self.query_one("#no-runs", Static)
        empty.display, self._table.display = not runs, bool(runs)
        number = "1 run" if runs and len(runs) == 1 else f"{count(len(runs or ()))} runs"
        entitle(self._table, Content(f"{number} in {clean(str(self.lab.store.path))}"))
        if self.lab.store_problem:
            empty.update(clean(self.lab.store_problem))
        elif not runs:
            empty.update("No runs yet. Press 1, then t, to train the first." if runs is not None else "Looking …")
        if runs is not None:
            self._fill(runs)
        self.refresh_bindings()
        self._tell()

    def _fill(self, runs: tuple[RunSnapshot, ...]) -> None:
        """Show `runs`; where they begin with the same ones as before, only what changed is touched."""
        table, self._wanted = self._table, runs
        chosen = self._chosen_id
        begin_alike = all(new.run.id == old.run.id for new, old in zip(runs, self._shown, strict=False))
        if not begin_alike or len(runs) < len(self._shown):
            table.clear()
            self._shown = []
        for row, (snapshot, before) in enumerate(zip(runs, self._shown, strict=False)):
            if snapshot is not before:
                self._update(row, snapshot)
        place = next((row for row, snapshot in enumerate(runs) if snapshot.run.id == chosen), -1)
        self._add_rows(max(ROWS_AT_ONCE, place + 1 - len(self._shown)))
        if place >= 0 and place != table.cursor_row:
            table.move_cursor(row=place)

    def _update(self, row: int, snapshot: RunSnapshot) -> None:
        self._shown[row] = snapshot
        for name, cell in self._cells(snapshot).items():
            if self._table.get_cell(snapshot.run.id, name) != cell:
                self._table.update_cell(snapshot.run.id, name, cell)

    def _add_rows(self, count: int) -> None:
        """Add so many of the rows that are wanted, and the rest in turns with the keys: a thousand take 0.1 s."""
        if self._filling:
            self._filling.stop()
        for snapshot in self._wanted[len(self._shown) :][:count]:
            self._table.add_row(*self._cells(snapshot).values(), key=snapshot.run.id)
            self._shown.append(snapshot)
        if len(self._shown) < len(self._wanted):
            self._filling = self.set_timer(PAUSE_FOR_KEYS, partial(self._add_rows, ROWS_AT_ONCE))

    def _cells(self, snapshot: RunSnapshot) -> dict[str, Text]:
        progress = snapshot.progress
        backend = BACKENDS[snapshot.backend].label if snapshot.backend in BACKENDS else snapshot.backend
        done = f"{count(len(progress.epochs))}/{count(snapshot.epochs)}"
        figures = {
            "status": status_cell(snapshot.status, self.lab.ascii).append(
                f" #{snapshot.place.number}" if snapshot.place else ""
            ),
            "run": Text(clean(snapshot.label), overflow="ellipsis", no_wrap=True),
            "backend": Text(clean(backend)),
            "model": Text(clean(snapshot.model)),
            "epochs": Text(f"{done:>8}"),
            "best acc": Text(f"{percent(progress.best.test_accuracy):>9}" if progress.best else f"{'–':>9}"),
            "time": Text(f"{clock(progress.seconds) if progress.epochs else '–':>8}"),
        }
        if self._narrow:
            del figures[NARROW_LEAVES_OUT]
        return figures

    @property
    def _chosen_id(self) -> str:
        row = self._table.cursor_row
        return self._shown[row].run.id if 0 <= row < len(self._shown) else ""

    @property
    def _chosen(self) -> RunSnapshot | None:
        row = self._table.cursor_row
        return self._shown[row] if 0 <= row < len(self._shown) else None

    @on(DataTable.RowHighlighted)
    def _follow_cursor(self) -> None:
        self.refresh_bindings()
        self._tell()

    def _tell(self) -> None:
        """Say below the table what the chosen run has to say in words, if anything."""
        title, text, _ = words_of(self._chosen) if self._chosen else ("", Content(""), "")
        told = self.query_one("#told", Static)
        told.display = bool(title)
        say(told, Content.assemble((clean(title), "bold"), "  ", text))

    @on(DataTable.RowSelected)
    async def _open(self) -> None:
        """Show the chosen run on the Train screen."""
        if chosen := self._chosen:
            self.lab.open_run(chosen.run)
            await self.app.switch_mode("train")

    def action_relaunch(self) -> None:
        """Take up the chosen run again, which ended before its time."""
        if chosen := self._chosen:
            self.lab.relaunch(chosen.run)

    async def action_delete(self) -> None:
        """Delete the chosen run, after asking."""
        chosen = self._chosen
        if chosen is None:
            return
        if chosen.live:
            self.notify("It is being trained. Open it and press s to stop it first.", title="Run is live", markup=False)
            return
        from tui.screens.confirm import ConfirmScreen

        question = f"Delete run {chosen.run.id} with its checkpoints and predictions? There is no way back."
        screen = ConfirmScreen(question, yes="Delete", no="Keep")
        await self.app.push_screen(screen, partial(self._delete, chosen))

    def _delete(self, snapshot: RunSnapshot, yes: bool | None) -> None:
        if yes:
            self.lab.delete_runs([snapshot.run])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to delete only where there is a run, and to resume only one that ended before its time."""
        if action == "relaunch":
            return is_resumable(self._chosen)
        return bool(self.lab.runs) if action == "delete" else True
