"""Runs: every run of the store, to sort, to look through, to compare, to open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.activity import activity_of
from tui.background import OneAtATime
from tui.control import MORE_EPOCHS, is_extendable, is_resumable
from tui.duel import has_rival
from tui.formats import count, from_home
from tui.keys import with_keys
from tui.run_list import Listing, View
from tui.screens.mode_screen import ModeScreen
from tui.snapshot import RunSnapshot
from tui.terminal import clean
from tui.widgets.filter_line import FilterInput, FilterLine
from tui.widgets.repaint import entitle, say, undertitle
from tui.widgets.run_notice import words_of
from tui.widgets.run_table import RunTable

SECONDS = 1.0
COMPARED = 12
"""The most runs that are compared: so many curves can be told apart."""
MOST_LISTED = 6
"""So many runs are named in the question whether to delete them."""
EMPTY = "No runs yet. Press 1, then {train}, to train the first."


@dataclass
class RunsArranged(Message):
    """The runs that are to be listed, with what the list shows of them."""

    listing: Listing


class RunsScreen(ModeScreen):
    """Lists the runs and follows them; opens, compares, labels, repeats, resumes and deletes them."""

    MODE = "runs"
    ABOUT = (
        "Every training run, the newest first; < and > sort by another column, {invert} turns the order round. Enter "
        "opens a run: the Train screen shows its curves and the Mistakes screen what it gets wrong; runs launched "
        "together open together. Space marks runs: {compare} lays the curves of those marked over each other and "
        "tells which settings differ, {delete} deletes them. {filter} finds runs by name, id, dataset, backend, model, "
        "status or note. Of the settings, those that differ between the listed runs have a column, as many as fit. The "
        "small curves are test accuracies; all share the scale that stands above them, on which equal steps are equal "
        "ratios of the error. {resume} goes on with a run that ended before its time, and trains a complete one for "
        "more epochs; a + behind its epochs says so. A run goes on without the app until its epochs are done."
    )
    CSS_PATH = ["runs.tcss", "compare.tcss"]  # the latter too, so that it is read ahead of time
    AUTO_FOCUS = "RunTable"  # not the filter, which would take keys that come early for its words
    BINDINGS = [
        Binding("enter", "open", "Open", key_display="enter"),
        Binding("space", "mark", "Mark", key_display="space", tooltip="Mark the run, to compare or delete several"),
        Binding("m", "compare", "Compare", tooltip="Lay the marked runs' curves over each other", id="compare"),
        Binding("u", "duel", "Duel", tooltip="Both frameworks side by side", id="duel"),
        Binding("slash", "filter", "Filter", tooltip="List the runs with some words in them", id="filter"),
        Binding("x", "delete", "Delete", tooltip="Delete the run, or those that are marked", id="delete"),
        Binding("delete", "delete", "Delete", show=False),
        Binding("r", "relaunch", "Resume", tooltip="Go on with a run that ended before its time", id="resume"),
        Binding("r", "extend", "More epochs", tooltip=MORE_EPOCHS, id="resume"),
        Binding("N", "rename", "Name", tooltip="Give the run another name", id="rename"),
        Binding("a", "annotate", "Note", tooltip="Write a note on the run", id="note"),
        Binding("f", "duplicate", "To form", tooltip="Fill the form on Train with the run's settings", id="to_form"),
        Binding("greater_than_sign", "sort(1)", "Sort", tooltip="Sort by the next column", id="sort"),
        Binding(
            "less_than_sign", "sort(-1)", "Sort back", show=False, tooltip="Sort by the one before", id="sort_back"
        ),
        Binding("i", "invert", "Invert", tooltip="Turn the order of the runs round", id="invert"),
        Binding("escape", "clear", "Clear", show=False, key_display="esc", tooltip="Clear the filter, then the marks"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._view = View()
        self._marked: dict[str, None] = {}  # in the order in which they were marked
        self._arranging = OneAtATime(self, "arrange runs")
        self._table = RunTable(ascii=self.lab.ascii, id="runs", classes="panel")

    def compose_body(self) -> ComposeResult:
        """Lay out the filter, the table, and what stands there while it is empty."""
        yield FilterLine("name, id, dataset, backend, model, status or note", self._table)
        yield Static(classes="empty panel", id="no-runs", markup=False)
        yield self._table
        yield Static(id="told")

    @property
    def _chosen(self) -> RunSnapshot | None:
        return self._table.chosen

    def on_mount(self) -> None:
        """Follow the store."""
        self.follow("runs", self._show)
        self.follow("store_problem", self._show_empty)
        self._table.focus()
        self.set_interval(SECONDS, self._count_seconds)

    def _count_seconds(self) -> None:
        if self.is_current and self._chosen and activity_of(self._chosen):
            self._tell()

    # Which runs, in which order

    def _show(self) -> None:
        """Have the runs arranged, which takes 50 ms where there are ten thousand."""
        runs, view = self.lab.runs, self._view
        if runs is None:
            self._show_empty()
        else:
            self._arranging.ask(lambda: RunsArranged(Listing.of(runs, view)))

    def on_runs_arranged(self, message: RunsArranged) -> None:
        """List the runs."""
        known = {snapshot.run.id for snapshot in self.lab.runs or ()}
        self._marked = {run_id: None for run_id in self._marked if run_id in known}
        listing = message.listing
        self._table.show(listing)
        self._show_empty()
        self._show_marks()
        found = f"{count(len(listing.runs))} of {count(listing.total)} runs"
        self.query_one(FilterLine).tell(found)
        number = "1 run" if listing.total == 1 else f"{count(listing.total)} runs"
        number = found if listing.view.words.strip() else number
        entitle(self._table, Content(f"{number} in {clean(from_home(str(self.lab.store.path)))}"))

    def _show_empty(self) -> None:
        """Say what to do where there is nothing to list."""
        runs, problem = self.lab.runs, self.lab.store_problem
        empty = self.query_one("#no-runs", Static)
        text = "" if self._table.row_count and not problem else problem
        if not text and runs is None:
            text = "Looking …"
        elif not text and not self._table.row_count:
            words = self._view.words.strip()
            text = (
                f"No run has “{words}” in it. Escape clears the filter."
                if words and runs
                else with_keys(self.app, EMPTY)
            )
        self._table.display, empty.display = not text, bool(text)
        say(empty, Content(clean(text)))
        self._tell()

    def _show_marks(self) -> None:
        self._table.mark(self._marked.keys())
        marked = f"{count(len(self._marked))} marked · " if self._marked else ""
        undertitle(self._table, Content(f"{marked}{self._view.order}"))
        self.refresh_bindings()
        self._tell()

    @on(FilterLine.Changed)
    def _filter(self, event: FilterLine.Changed) -> None:
        self._arrange(replace(self._view, words=event.words))

    @on(RunTable.HeaderClicked)
    def _sort_by(self, event: RunTable.HeaderClicked) -> None:
        self._arrange(self._view.sorted_by(event.column))

    def _arrange(self, view: View) -> None:
        self._view = view
        self._show()

    def action_filter(self) -> None:
        """Go to the line in which one types what to look for."""
        self.query_one(FilterLine).open()

    def action_sort(self, steps: int) -> None:
        """Sort by a column to the right or to the left of the one in force."""
        self._arrange(self._view.after(steps, [column.name for column in self._table.columns]))

    def action_invert(self) -> None:
        """Turn the order round."""
        self._arrange(self._view.sorted_by(self._view.column))

    def action_clear(self) -> None:
        """Clear the filter; where there is none, the marks."""
        if self._view.words:
            self.query_one(FilterLine).clear()
        else:
            self._marked = {}
            self._show_marks()

    # The run under the cursor, and those that are marked

    @on(RunTable.Highlighted)
    def _follow_cursor(self) -> None:
        self.refresh_bindings()
        self._tell()

    def _tell(self) -> None:
        """Say below the table which run is chosen, by its id, what it has to say in words, and its note."""
        chosen = self._chosen if self._table.display else None
        title, text, _ = words_of(chosen, self.app) if chosen else ("", Content(""), "")
        lines = [Content.assemble((clean(chosen.short_name), "bold"), "  ", clean(chosen.run.id))] if chosen else []
        lines += [Content.assemble((clean(title), "bold"), "  ", text)] if title else []
        if chosen and chosen.labels.note:
            lines.append(Content.assemble(("Note", "bold"), "  ", clean(chosen.labels.note)))
        told = self.query_one("#told", Static)
        told.display = bool(lines)
        say(told, Content("\n").join(lines))

    @property
    def _marked_runs(self) -> list[RunSnapshot]:
        """The marked runs, also those that the filter hides, in the order in which they were marked."""
        runs = {snapshot.run.id: snapshot for snapshot in self.lab.runs or ()}
        return [runs[run_id] for run_id in self._marked if run_id in runs]

    @on(RunTable.Ticked)
    def _ticked(self) -> None:
        self.action_mark()

    def action_mark(self) -> None:
        """Mark the run, or take its mark away."""
        if chosen := self._chosen:
            if chosen.run.id in self._marked:
                del self._marked[chosen.run.id]
            else:
                self._marked[chosen.run.id] = None
            self._show_marks()

    @on(RunTable.Opened)
    async def action_open(self) -> None:
        """Show the chosen run on the Train screen."""
        if chosen := self._chosen:
            self.lab.open_run(chosen.run)
            await self.app.switch_mode("train")

    async def action_compare(self) -> None:
        """Compare the marked runs."""
        marked = self._marked_runs
        if not 2 <= len(marked) <= COMPARED:
            name = clean(marked[0].label) if marked else "None"
            told = f"{name} is marked. Mark another run with Space."
            if len(marked) > COMPARED:
                told = (
                    f"{len(marked)} runs are marked, and at most {COMPARED} can be told apart. Unmark some with Space."
                )
            self.notify(told, title="Comparing", markup=False)
            return
        from tui.screens.compare import CompareScreen

        await self.app.push_screen(CompareScreen([snapshot.run.id for snapshot in marked]))

    async def action_duel(self) -> None:
        """Show the chosen run beside its other half, which the other framework trained."""
        if chosen := self._chosen:
            self.lab.open_run(chosen.run)
            await self.lab.action_duel()

    def action_relaunch(self) -> None:
        """Take up the chosen run again, which ended before its time."""
        if chosen := self._chosen:
            self.lab.relaunch(chosen.run)

    async def action_extend(self) -> None:
        """Train the chosen run, which is complete, for more epochs."""
        if chosen := self._chosen:
            await self.lab.extend(chosen)

    async def action_duplicate(self) -> None:
        """Fill the form with the chosen run's settings, and go there."""
        if (chosen := self._chosen) and chosen.config:
            self.lab.template = chosen.config
            await self.app.switch_mode("train")

    async def action_rename(self) -> None:
        """Ask for another name."""
        from tui.screens.label import ask_for_name

        if chosen := self._chosen:
            await self.app.push_screen(
                ask_for_name(chosen, self.lab.runs or ()),
                lambda name: None if name is None else self.lab.label_run(chosen.run, name=name),
            )

    async def action_annotate(self) -> None:
        """Ask for a note."""
        from tui.screens.label import ask_for_note

        if chosen := self._chosen:
            await self.app.push_screen(
                ask_for_note(chosen),
                lambda note: None if note is None else self.lab.label_run(chosen.run, note=note),
            )

    async def action_delete(self) -> None:
        """Delete the marked runs, or else the chosen one, after asking; those that are live stay."""
        chosen = self._marked_runs or ([self._chosen] if self._chosen else [])
        ended, live = ([run for run in chosen if run.live is alive] for alive in (False, True))
        if not ended:
            told = "It is being trained. Open it and press {stop} to stop it first."
            if len(live) > 1:
                told = "They are being trained. Open each and press {stop} to stop it first."
            self.notify(
                with_keys(self.app, told), title="Run is live" if len(live) == 1 else "Runs are live", markup=False
            )
            return
        from tui.screens.confirm import ConfirmScreen

        which, their = (f"run {_identified(ended[0])}", "its") if len(ended) == 1 else (f"{len(ended)} runs", "their")
        kept = f" {len(live)} that {'is' if len(live) == 1 else 'are'} live will stay." if live else ""
        question = f"Delete {which} with {their} checkpoints and predictions? There is no way back.{kept}"
        listed = [_identified(snapshot) for snapshot in ended[:MOST_LISTED]] if len(ended) > 1 else []
        if len(ended) > MOST_LISTED:
            listed.append(f"and {len(ended) - MOST_LISTED} more")
        screen = ConfirmScreen(question, yes="Delete", no="Keep", listed=listed)
        await self.app.push_screen(screen, partial(self._delete, ended))

    def _delete(self, chosen: list[RunSnapshot], yes: bool | None) -> None:
        if yes:
            self.lab.delete_runs([snapshot.run for snapshot in chosen])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done with the runs that are listed, chosen and marked."""
        chosen = self._chosen
        match action:
            case "relaunch":
                return is_resumable(chosen)
            case "extend":
                return is_extendable(chosen)
            case "duel":
                return chosen is not None and has_rival(chosen, self.lab.runs or ())
            case "duplicate":
                return chosen is not None and chosen.config is not None
            case "compare":
                return bool(self._marked)
            case "open" | "mark" | "delete" | "rename" | "annotate":
                return chosen is not None
            case "clear":
                return bool(self._view.words or self._marked)
            case "filter":
                return bool(self.lab.runs) and not isinstance(self.focused, FilterInput)
            case "sort" | "invert":
                return bool(self.lab.runs)
        return True


def _identified(snapshot: RunSnapshot) -> str:
    """Return the run's id, behind its name if it has one: several may have the same."""
    return f"“{snapshot.name}” ({snapshot.run.id})" if snapshot.name else snapshot.run.id
