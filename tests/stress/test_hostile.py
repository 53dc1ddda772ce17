"""Hostile texts in every place where a text can come from, on every screen and in every listing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from engine import data, events
from engine.config import TrainConfig
from engine.data import Dataset
from engine.eventlog import EventWriter
from engine.events import DatasetInfo, ErrorInfo
from engine.runs import Run, Store
from engine.turns import Ticket
from tests.conftest import write_idx
from tests.stress.hostile import ACTION, controls_in, got_through, texts
from tests.stress.terminals import Pty
from tests.stress.torture import Record, torture
from tests.tui.app_harness import WrittenRun, opened, shown, until, until_shown
from tui.app import MnistApp
from tui.cli import run as run_command
from tui.datasets import dataset_at
from tui.widgets.mode_bar import MODE_TITLES

pytestmark = torture

TEXTS = texts()


@pytest.fixture(autouse=True)
def _user(sketches_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))


def write_run(store: Store, text: str, ending: str) -> Run:
    """Put a run into the store that has `text` wherever its files can have one, and ended like that."""
    made, lock = store.create(TrainConfig.preset("pytorch-tutorial"))
    settings = msgspec.json.decode(made.config_path.read_bytes()) | {"name": text[:80], "data": f"/nowhere/{text}"}
    made.config_path.write_bytes(json.dumps(settings).encode())
    log = EventWriter(made.events_path)
    told: list[events.AnyEvent] = [
        events.DeviceAwaited(device=text),
        events.DownloadProgressed(file=text, received_bytes=1, total_bytes=2),
        events.RunStarted(
            run=made.id, backend=text, framework_version=text, device=text, device_name=text, model=text, parameters=1,
            dataset=DatasetInfo(
                name=text, source=text, fingerprint=text, train_examples=1, test_examples=1, class_names=(text,) * 10
            ),
            epochs=3,
        ),
        events.EpochFinished(
            epoch=1, train_loss=0.1, train_accuracy=0.9, test_loss=0.1, test_accuracy=0.9, learning_rate=0.1,
            seconds=1.0, images_per_second=1.0,
        ),
        events.CheckpointSaved(epoch=1, path=text, best=True),
        events.PredictionsSaved(epoch=1, path=text, mistakes=1),
        events.CommandApplied(command=text),
        events.Warned(message=text),
    ]  # fmt: skip
    if ending == "failed":
        error = ErrorInfo(title=text, message=text, hint=text)
        told.append(events.RunFinished(outcome="failed", epochs=1, error=error))
    for event in told:
        log.append(event)
    log.close()
    made.log_path.write_text(f"{text}\n{text}Error: {text}\n", errors="surrogatepass")
    lock.release()
    return made


@pytest.fixture
def runs(store: Store) -> list[Run]:
    """A failed and a crashed run for each of the texts."""
    return [write_run(store, text, ending) for text in TEXTS for ending in ("failed", "crashed")]


def test_no_listing_lets_a_control_character_out(
    store: Store, runs: list[Run], record: Record, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    commands: list[list[str]] = [["runs"], ["runs", "--json"]]
    for each in runs:
        commands += [["show", each.id], ["show", each.id, "--json"]]
        commands += [["attach", each.id, "--lines"], ["attach", each.id, "--json"]]
    for each in runs[::2]:
        commands += [["mistakes", each.id], ["show", each.id, runs[1].id]]
    for text in TEXTS:
        word = text[:200].replace("\0", "")
        commands += [
            ["data", "--", word],
            ["show", "--", word],
            ["train", "--name", word, "--data", f"/nowhere/{word}"],
        ]
        commands += [["runs", "--store", f"/nowhere/{word}"], ["train", "--model", word], ["devices", "--", word]]
    faults = []
    for command in commands:
        status = run_command(command)
        captured = capfdbinary.readouterr()
        told = (captured.out + captured.err).decode(errors="replace")
        if found := controls_in(told):
            faults.append((command, found))
        assert status in (0, 1, 2), command
        assert "Traceback" not in told, command
    record(
        f"{len(TEXTS)} hostile texts in runs, paths, logs and errors; {len(commands):,} listings",
        "no crash, no control character out",
        f"0 crashes, {len(faults)} listings with control characters",
    )
    assert not faults, faults[:5]


def test_a_listing_on_a_terminal_lets_none_out_either(store: Store, runs: list[Run], record: Record) -> None:
    """What is drawn live on a terminal has sequences of its own, so it is the texts' own that are looked for."""
    through: list[str] = []
    for each in runs[::20]:
        for command in (["attach", each.id, "--lines"], ["attach", each.id, "--json"], ["show", each.id], ["runs"]):
            terminal = Pty(*command)
            assert terminal.wait_for_end() in (0, 1, 2)
            through += got_through(terminal.raw)
    record("… on a terminal, for 20 of the runs", "no sequence out", f"{len(through)} sequences out")
    assert not through


def actions_in(app: MnistApp) -> list[str]:
    """Return the actions that a click anywhere on the screen would run and that a text has smuggled in."""
    strips = itertools.chain.from_iterable(app.screen._compositor.render_strips())
    metas = (segment.style.meta for segment in strips if segment.style)
    return [str(meta) for meta in metas if ACTION in str(meta) or "evil" in str(meta)]


async def look_at(app: MnistApp, press: Callable[..., object], *modes: str) -> tuple[set[str], list[str]]:
    """Open screens; return the control characters and the smuggled actions that are on them."""
    controls: set[str] = set()
    actions: list[str] = []
    for mode in modes:
        await press(str(list(MODE_TITLES).index(mode) + 1))  # type: ignore[misc]
        await until(lambda mode=mode: app.current_mode == mode, f"{mode} is open")  # type: ignore[misc]
        controls |= set(controls_in(shown(app)))
        actions += actions_in(app)
    return controls, actions


async def test_every_screen_shows_every_text_as_text(store: Store, runs: list[Run], record: Record) -> None:
    controls: set[str] = set()
    actions: list[str] = []
    async with opened(store) as (app, pilot):
        await until(lambda: app.runs and len(app.runs) == len(runs), "all runs are listed")
        for number, each in enumerate(runs):
            app.open_run(each)
            await until(lambda each=each: app.snapshot and app.snapshot.run.id == each.id, "it is on display")  # type: ignore[misc]
            modes = MODE_TITLES if number % 20 == 0 else ("mistakes", "train") if number % 2 else ("train",)
            found = await look_at(app, pilot.press, *modes)
            controls |= found[0]
            actions += found[1]
            app.clear_notifications()
        assert app.is_running
    record(
        f"{len(TEXTS)} hostile texts on all {len(MODE_TITLES)} screens of the app",
        "no crash, no action run, no control character out",
        f"0 crashes, {len(actions)} actions, {len(controls)} control characters",
    )
    assert not actions
    assert not controls


@pytest.fixture
def strange_datasets(tmp_path: Path, sketches: Dataset, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Twenty datasets whose classes have the texts as their names, in folders with such names as far as they may."""
    folders = []
    for start in range(0, len(TEXTS), 10):
        names, word = tuple(TEXTS[start : start + 10]), f"strange{start:03}"
        monkeypatch.setitem(data.RELATIVES, word, (names[0], names))
        ending = names[1].replace("/", "").replace("\0", "")[:20]
        folder = tmp_path / f"{word}{ending}"
        write_idx(folder, sketches)
        folders.append(folder)
    return folders


async def test_classes_with_such_names_are_only_names(
    store: Store, strange_datasets: list[Path], record: Record, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    controls: set[str] = set()
    actions: list[str] = []
    for folder in strange_datasets:
        assert run_command(["data", str(folder)]) in (0, 2)
        captured = capfdbinary.readouterr()
        controls |= set(controls_in((captured.out + captured.err).decode(errors="replace")))
    for folder in strange_datasets:
        written = WrittenRun(store)
        settings = msgspec.json.decode(written.run.config_path.read_bytes()) | {"data": str(folder)}
        written.run.config_path.write_bytes(json.dumps(settings).encode())
        written.start(dataset_at(str(folder)).info)
        written.epoch(1)
        run = written.finish()
        async with opened(store, settings={"data": str(folder)}, open_run=run) as (app, pilot):
            await until(lambda app=app: app.snapshot and app.dataset, "run and data are known")  # type: ignore[misc]
            await pilot.press("3")
            await until_shown(app, "of 50 wrong")
            await pilot.press("enter", "enter")
            for modes in ((), MODE_TITLES):
                controls |= set(controls_in(shown(app)))
                actions += actions_in(app)
                await pilot.press("escape", "escape")
                found = await look_at(app, pilot.press, *modes)
                controls |= found[0]
                actions += found[1]
    record(
        "… as the names of classes and of datasets' folders",
        "no crash, no action run, no control character out",
        f"0 crashes, {len(actions)} actions, {len(controls)} control characters",
    )
    assert not actions
    assert not controls


def test_the_run_ahead_in_the_line_may_be_called_anything(
    store: Store, record: Record, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    ahead, waiting = WrittenRun(store), WrittenRun(store)
    tickets = [Ticket.draw("cpu", each.run) for each in (ahead, waiting)]
    waiting.tell(events.DeviceAwaited(device="cpu"))
    settings = msgspec.json.decode(ahead.run.config_path.read_bytes())
    faults: list[str] = []
    for text in TEXTS:
        ahead.run.config_path.write_bytes(json.dumps(settings | {"name": text}).encode())
        for command in (["runs"], ["runs", "--json"], ["show", waiting.run.id]):
            assert run_command(command) in (0, 2)
            captured = capfdbinary.readouterr()
            faults += controls_in((captured.out + captured.err).decode(errors="replace"))
    for ticket, written in zip(tickets, (ahead, waiting), strict=True):
        ticket.release()
        written.vanish()
    record("… as the name of the run ahead in the line", "no control character out", f"{len(faults)} out")
    assert not faults


def test_clicking_on_a_name_that_is_an_action_runs_nothing(store: Store, record: Record) -> None:
    sequences = [text for text in TEXTS if "\x1b" in text or "\x9b" in text][:10]
    for text in sequences:
        write_run(store, text, "failed")
    write_run(store, "[@click=app.quit]CLICKME[/]", "failed")
    terminal = Pty()
    clicks = 0
    for key, words in (("1", "CLICKME"), ("2", "CLICKME"), ("3", "CLICKME"), ("4", "dataset"), ("5", "layer")):
        terminal.press(key)
        lines = terminal.wait_for(words).splitlines()
        for row, line in enumerate(lines, start=1):
            column = line.find("CLICKME") + 3
            if column > 2:
                terminal.press(f"\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m")
                clicks += 1
        terminal.wait_for("Mistakes")
    assert terminal.child.isalive()
    terminal.press("2")
    terminal.wait_for("test acc")
    through = got_through(terminal.raw)
    terminal.press("q")
    assert terminal.wait_for_end() == 0
    record(
        f"… clicked at {clicks} times on a terminal",
        "no action run, no sequence out",
        f"no action run, {len(through)} sequences out",
    )
    assert not through
    assert clicks
