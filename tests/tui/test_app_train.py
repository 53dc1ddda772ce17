"""The Train screen: replaying an old run and following a live one are the same."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from textual._xterm_parser import XTermParser
from textual.events import Key
from textual.widgets import Input

from engine import commands, events
from engine.runs import Store
from tests.tui.app_harness import WrittenRun, completed, is_locked, opened, shown, until, until_shown
from tui.app import MnistApp
from tui.datasets import dataset_at
from tui.farewell import farewell
from tui.screens.confirm import ConfirmScreen
from tui.screens.help import HelpScreen
from tui.screens.quit import QuitScreen
from tui.widgets.chart import Chart
from tui.widgets.epoch_table import EpochTable
from tui.widgets.gallery import Gallery
from tui.widgets.mode_bar import MODE_TITLES

MODES = {"1": "Train", "2": "Runs", "3": "Mistakes", "4": "Data", "5": "Model"}


@pytest.fixture
def store(store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store of a user whose dataset has 120 images to train and 50 to test."""
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    return store


def epochs_listed(app: MnistApp) -> int:
    return int(app.screen.query_one(EpochTable).row_count)


async def test_without_a_run_it_says_how_to_begin(store: Store) -> None:
    async with opened(store) as (app, _):
        await until_shown(app, "Press t to train")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_an_old_run_shows_its_epochs_and_what_it_came_to(store: Store, size: tuple[int, int]) -> None:
    run = completed(store)
    async with opened(store, size=size, open_run=run) as (app, _):
        await until_shown(app, "✓ completed", run.id[:20], "0.1000", "0.9600", "★", "0.9800", "98.00 %", "2.9 s")
        assert "after epoch 3 · 8.7 s" in shown(app)


async def test_a_live_run_is_opened_and_followed_to_its_end(store: Store) -> None:
    completed(store)
    written = WrittenRun(store)
    written.start()
    written.step(1, 5)
    async with opened(store) as (app, _):
        await until_shown(app, "● running", written.run.id, "epoch 1/3", "5/8", "20,600 images/s", "ETA")
        written.epoch(1)
        await until(lambda: epochs_listed(app) == 1, "the first epoch is listed")
        written.epoch(2)
        await until(lambda: epochs_listed(app) == 2, "the second epoch is listed")
        written.epoch(3)
        written.finish()
        await until_shown(app, "✓ completed", "98.00 %")
        assert epochs_listed(app) == 3


async def test_where_several_are_live_it_says_where_to_find_them(store: Store) -> None:
    members = [WrittenRun(store, name=name, epochs=epochs) for name, epochs in (("one", 3), ("two", 5))]
    members[0].start()
    async with opened(store) as (app, _):
        await until_shown(app, "● running", "2 runs are live: 2 Runs")
    for written in members:
        written.vanish()


async def test_a_viewer_that_comes_late_shows_the_same_as_one_from_the_beginning(store: Store) -> None:
    written = WrittenRun(store)
    async with opened(store) as (app, _):
        written.start()
        written.step(1, 5)
        written.epoch(1)
        written.step(2, 3)
        await until_shown(app, "epoch 2/3", "3/8")
        early = app.snapshot
        async with opened(store) as (late_app, _):
            await until(
                lambda: late_app.snapshot and late_app.snapshot.progress.last_step, "the late viewer has it too"
            )
            assert late_app.snapshot is not None
            assert early is not None
            assert late_app.snapshot.progress == early.progress
            assert late_app.snapshot.mistakes == early.mistakes
    written.vanish()


async def test_waiting_for_the_device_and_downloading_are_told(store: Store) -> None:
    written = WrittenRun(store)
    async with opened(store) as (app, _):
        await until_shown(app, "◌ waiting", "Starting")
        written.tell(events.DeviceAwaited(device="cuda:0"))
        await until_shown(app, "Waiting for its turn", "training on cuda:0")
        written.tell(events.DownloadProgressed(file="train-images", received_bytes=2_500_000, total_bytes=10_000_000))
        await until_shown(app, "Downloading", "2.5 MB of 10.0 MB (25%)")
    written.vanish()


async def test_a_failed_run_says_what_happened_and_what_to_do(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    error = events.ErrorInfo(title="Loss is not finite", message="At epoch 1, step 3.", hint="Lower the learning rate.")
    written.finish("failed", error)
    async with opened(store) as (app, _):
        await until_shown(app, "✗ failed", "Loss is not finite", "At epoch 1, step 3.", "Lower the learning rate.")


async def test_a_crashed_run_shows_the_last_lines_of_its_log(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    written.run.log_path.write_text("Loading\nCUDA error: an illegal memory access\n")
    async with opened(store) as (app, _):
        await until_shown(app, "● running")
        written.vanish()
        await until_shown(app, "! crashed", "CUDA error: an illegal memory access")


async def test_stop_is_offered_only_to_a_live_run_and_asks_its_worker(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    async with opened(store) as (app, pilot):
        await until_shown(app, "● running", "s Stop")
        await pilot.press("s")
        await until(written.run.commands_path.exists, "the command is written")
        command = commands.decode(written.run.commands_path.read_bytes().splitlines()[0])
        assert isinstance(command, commands.Stop)
        written.epoch(1)
        written.finish("stopped")
        await until_shown(app, "■ stopped", ": press r to go on")
        await until(lambda: "s Stop" not in shown(app), "stop is not offered any more")


async def test_quitting_asks_about_a_live_run_and_leaves_it_running_by_default(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    async with opened(store) as (app, pilot):
        await until_shown(app, "● running")
        await pilot.press("q")
        await until(lambda: isinstance(app.screen, QuitScreen), "it asks")
        await pilot.press("escape")
        await until(lambda: not isinstance(app.screen, QuitScreen), "one may stay")
        await pilot.press("q")
        await until(lambda: isinstance(app.screen, QuitScreen), "it asks again")
        await pilot.press("enter")
        await until(lambda: app._exit, "the app ends")
        told = str(app._exit_renderables[0])
    assert f"mnist-tui attach {written.run.id}" in told
    assert is_locked(written.run)
    assert not written.run.commands_path.exists()
    written.vanish()


def test_what_is_told_in_the_end_finds_the_run_also_in_another_store(tmp_path: Path, cli_store: Path) -> None:
    there = WrittenRun(Store(tmp_path / "my runs")).run
    assert str(farewell([there])).endswith(f"mnist-tui attach {there.id} --store '{tmp_path}/my runs'")
    assert str(farewell([WrittenRun(Store(cli_store)).run])).count("--store") == 0


async def test_quitting_without_a_live_run_does_not_ask(store: Store) -> None:
    completed(store)
    async with opened(store) as (app, pilot):
        await until_shown(app, "✓ completed")
        await pilot.press("q")
        await until(lambda: app._exit, "the app ends")


async def test_another_run_beside_a_live_one_is_only_started_when_asked_for(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    async with opened(store) as (app, pilot):
        await until_shown(app, "● running")
        await pilot.press("t")
        await until(lambda: isinstance(app.screen, ConfirmScreen), "it asks")
        await pilot.press("enter")
        await until(lambda: not isinstance(app.screen, ConfirmScreen), "the answer is no")
        assert len(store.runs()) == 1
    written.vanish()


async def test_a_digit_right_after_escape_changes_the_screen(store: Store) -> None:
    """A terminal sends both as one sequence, as it does for alt and the digit."""
    async with opened(store) as (app, _):
        parser = XTermParser()
        for number, mode in enumerate(MODE_TITLES, start=1):
            (key,) = parser.feed(f"\x1b{number}")
            app.post_message(key)
            await until(lambda mode=mode: app.current_mode == mode, f"{mode} is on display")  # type: ignore[misc]


async def test_a_letter_right_after_escape_leaves_the_field_and_does_what_it_does(store: Store) -> None:
    """Over a slow line both come at once, which looks like alt and the letter."""
    completed(store)
    async with opened(store) as (app, pilot):
        await until_shown(app, "✓ completed")
        field = app.screen.query_one("#set-epochs", Input)
        app.screen.set_focus(field)
        before = field.value
        app.post_message(Key("alt+L", "L"))
        await until(lambda: app.screen.query_one("#loss", Chart).log_scale, "the loss is on a log scale")
        assert app.focused is None
        assert field.value == before
        await pilot.press("question_mark")
        await until(lambda: isinstance(app.screen, HelpScreen), "the help is open")
        app.post_message(Key("alt+L", "L"))
        await until(lambda: not isinstance(app.screen, HelpScreen), "the help is closed")
        assert app.screen.query_one("#loss", Chart).log_scale


async def test_the_log_scale_is_switched_by_its_key(store: Store) -> None:
    completed(store)
    async with opened(store) as (app, pilot):
        await until_shown(app, "✓ completed")
        await pilot.press("L")
        await until(lambda: app.screen.query_one("#loss", Chart).log_scale, "the loss is on a log scale")


@pytest.mark.parametrize("key", MODES)
async def test_sample_data_is_announced_on_every_screen(store: Store, key: str) -> None:
    written = WrittenRun(store)
    written.start(msgspec.structs.replace(dataset_at("").info, name="MNIST sample", sample=True))
    written.finish("stopped")
    async with opened(store) as (app, pilot):
        await until_shown(app, "■ stopped")
        await pilot.press(key)
        await until_shown(app, "Sample data")


async def test_every_screen_says_what_it_is_for_and_names_its_keys(store: Store) -> None:
    completed(store)
    async with opened(store, size=(80, 24)) as (app, pilot):
        await until_shown(app, "✓ completed")
        for key, title in MODES.items():
            await pilot.press(key)
            await until(lambda title=title: app.current_mode == title.lower(), f"{title} is shown")
            await pilot.press("question_mark")
            await until_shown(app, "Esc closes")
            await pilot.press("end")
            await until_shown(app, "Search all commands")
            await pilot.press("escape")
            await until(lambda: "Esc closes" not in shown(app), "the help is closed")


HOSTILE = ["[@click=app.exit]x[/] [red", "[/] \x1b[2J\x1b]0;title\x07 a\nb\r\tc \u202egnp " + "🧨" * 40]


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_shown_as_text(store: Store, text: str) -> None:
    name = "".join(character for character in text if character.isprintable())[:80]
    written = WrittenRun(store, name=name)
    written.start(msgspec.structs.replace(dataset_at("").info, name=text, source=text))
    written.tell(events.Warned(message=text))
    written.epoch(1)
    written.finish("failed", events.ErrorInfo(title=text, message=text, hint=text))
    crashed = WrittenRun(store, name=name)
    crashed.run.log_path.write_text(text)
    crashed.vanish()
    async with opened(store, open_run=written.run) as (app, pilot):
        await until_shown(app, "✗ failed")
        for key in (*MODES, "question_mark"):
            await pilot.press(key)
            await pilot.pause()
            assert not set("\x1b\x07\r\u202e") & set(shown(app))
        await pilot.press("escape", "1")
        app.open_run(crashed.run)
        await until_shown(app, "! crashed")
        assert not set("\x1b\x07\r\u202e") & set(shown(app))


@pytest.mark.parametrize("key", MODES)
@pytest.mark.parametrize("width", [80, 100])
async def test_no_key_is_cut_off_in_the_footer(store: Store, key: str, width: int) -> None:
    """With a live run there are more keys than fit; help and quit are never among those left out."""
    run = WrittenRun(store)
    run.start()
    run.epoch(1)
    async with opened(store, size=(width, 24)) as (app, pilot):
        await until_shown(app, "● running")
        await pilot.press(key)
        await until(lambda: "? Help  q Quit " in shown(app).splitlines()[-1], "help and quit are there")


async def test_zoom_goes_from_all_epochs_to_the_last_ones_and_back(store: Store) -> None:
    completed(store, epochs=11)
    async with opened(store) as (app, pilot):
        await until_shown(app, "✓ completed", "z Zoom")
        for recent in (10, 5, 0):
            await pilot.press("z")
            assert {chart.recent for chart in app.screen.query(Chart)} == {recent}


async def test_the_last_epoch_stays_in_sight_when_there_is_less_room(store: Store) -> None:
    completed(store, epochs=12)
    async with opened(store, size=(120, 40)) as (app, pilot):
        await until_shown(app, "✓ completed")
        table = app.screen.query_one(EpochTable)
        await until(lambda: table.cursor == 11, "the cursor is on the last epoch")
        await pilot.resize_terminal(120, 24)
        await until(lambda: table.size.height < 12, "the table is lower than its rows")
        await pilot.pause()
        assert table.scroll_y + table.size.height >= 13  # twelve rows and the heading


async def test_a_table_that_is_out_of_sight_keeps_the_columns_it_has_room_for(store: Store) -> None:
    completed(store)
    async with opened(store) as (app, pilot):
        await until_shown(app, "✓ completed", "images/s")
        table = app.screen.query_one(EpochTable)
        table.display = False
        await pilot.pause()
        await until(lambda: not table.size, "the table is gone")
        table.show(app.family)  # what comes into sight with the size that it had is not told of it
        assert "images/s" in table.heading()[0].text


async def test_of_a_run_it_says_what_was_trained_what_the_end_came_to_and_where_it_was_stopped(store: Store) -> None:
    written = WrittenRun(store, model="cnn", learning_rate=0.25)
    written.start()
    written.epoch(1, wrong=9, accuracy=0.98)
    written.epoch(2, wrong=4, accuracy=0.96)
    written.tell(events.RunFinished(outcome="stopped", epochs=2, test_accuracy=0.9512))
    written.vanish()
    async with opened(store) as (app, _):
        await until_shown(
            app,
            "cnn · Adam 0.25 · batch 64",
            "96.00 % after epoch 2 (best 98.00 % after 1)",
            "4 mistakes: press 3",
        )
        await until_shown(app, "stopped in epoch 3 at 95.12 %: press r to go on")


async def test_the_question_what_is_to_become_of_a_run_follows_it(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    async with opened(store) as (app, pilot):
        await until_shown(app, "● running")
        await pilot.press("q")
        await until_shown(app, f"Run {written.run.id} is running.")
        written.finish()
        await until_shown(app, "It has ended meanwhile.")


async def test_of_a_run_that_never_began_it_says_so(store: Store) -> None:
    WrittenRun(store).finish("stopped")
    async with opened(store) as (app, _):
        await until_shown(app, "■ stopped", "stopped before it began: press r to go on")


async def test_a_run_that_is_starting_does_not_come_after_itself(store: Store) -> None:
    written = WrittenRun(store)
    async with opened(store) as (app, _):
        await until_shown(app, "◌ waiting", "Starting the worker")
        assert "comes next" not in shown(app)
    written.vanish()


async def test_the_charts_and_what_is_around_them_use_the_room_that_there_is(store: Store) -> None:
    """Larger terminals have larger charts, the mistakes, and at last the learning rate and the filters."""
    written = WrittenRun(store, epochs=2)
    written.start()
    for epoch in (1, 2):
        written.epoch(epoch, wrong=12 - epoch)
    written.save_checkpoint(2)
    run = written.finish()
    seen: dict[tuple[int, int], set[str]] = {}
    areas: dict[tuple[int, int], int] = {}
    async with opened(store, size=(80, 24), open_run=run) as (app, pilot):
        await until_shown(app, "✓ completed")
        for size in ((80, 24), (120, 40), (200, 60)):
            await pilot.resize_terminal(*size)
            await until(lambda size=size: app.screen.size == size, "it is laid out anew")  # type: ignore[misc]
            await pilot.pause()
            parts = ("loss", "accuracy", "newest", "rate", "forming")
            seen[size] = {part for part in parts if app.screen.query_one(f"#{part}").region}
            areas[size] = app.screen.query_one("#loss").region.area
        await until_shown(app, "newest mistakes: 10 after epoch 2", "filter 1", "0→1  ", "after epoch 2")
    assert seen == {
        (80, 24): {"loss"},
        (120, 40): {"loss", "accuracy", "newest"},
        (200, 60): {"loss", "accuracy", "newest", "rate", "forming"},
    }
    assert areas[80, 24] < areas[120, 40] < areas[200, 60] / 3


async def test_in_a_small_terminal_a_key_changes_loss_for_accuracy(store: Store) -> None:
    completed(store)
    async with opened(store, size=(80, 24)) as (app, pilot):
        await until_shown(app, "✓ completed", "w Show", "─ loss ─")
        await pilot.press("w")
        await until_shown(app, "─ accuracy, % ─")
        assert "─ loss ─" not in shown(app)
        await pilot.press("w")
        await until_shown(app, "─ loss ─")
    async with opened(store, size=(120, 40)) as (app, _):
        await until_shown(app, "─ loss ─", "─ accuracy, % ─")
        assert "w Show" not in shown(app)


async def test_of_a_training_loss_that_is_not_the_test_s_it_says_why(store: Store) -> None:
    written = WrittenRun(store, label_smoothing=0.1, augmentation="shift")
    written.start()
    written.epoch(1)
    async with opened(store) as (app, _):
        await until_shown(app, "train: smoothed, augmented · epoch")
    written.vanish()


async def test_mistakes_are_those_of_the_newest_epoch_and_the_new_ones_first(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    written.epoch(1, wrong=3)
    async with opened(store) as (app, _):
        await until_shown(app, "newest mistakes: 3 after epoch 1")
        written.epoch(2, wrong=5)
        await until(lambda: "5 after epoch 2, 2 of them new" in shown(app), "the next ones follow")
        assert app.screen.query_one("#newest Gallery", Gallery).count == 5
    written.vanish()


async def test_where_there_are_no_mistakes_to_show_it_says_why(store: Store) -> None:
    ended = WrittenRun(store)
    ended.start()
    ended.finish("stopped")
    live = WrittenRun(store)
    live.start()
    async with opened(store, open_run=ended.run) as (app, _):
        await until_shown(app, "ended before its first epoch, so there are no mistakes")
        app.open_run(live.run)
        await until_shown(app, "shown here after the first epoch")
        live.epoch(1, wrong=0)
        await until_shown(app, "No mistakes", "newest mistakes: 0 after epoch 1")
    live.vanish()


async def test_a_learning_rate_that_was_changed_is_marked_on_the_charts_and_has_its_own(store: Store) -> None:
    written = WrittenRun(store)
    written.start()
    written.step(1, 4)
    written.epoch(1)
    written.tell(events.CommandApplied(command="set_learning_rate", epoch=2, step=1, learning_rate=0.003))
    written.step(2, 4)
    written.epoch(2)
    async with opened(store, size=(200, 60)) as (app, _):
        await until_shown(app, "┊rate 0.003", "─ learning rate ─", "── now 0.01")
    written.vanish()
