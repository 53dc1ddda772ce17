"""Runs on disk: their status from locks and events alone, how they are found, made and deleted."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine import commands, events
from engine.commands import Pause, Stop
from engine.config import TrainConfig
from engine.control import Control
from engine.errors import RunError, StoreError
from engine.eventlog import EventWriter
from engine.events import AnyEvent, CommandApplied, EpochFinished, RunFinished, RunRelaunched, RunStarted
from engine.locks import FileLock
from engine.run_index import INDEX_FILE
from engine.runs import LIVE, Progress, Run, Store, open_run

STARTED = RunStarted(
    run="r",
    backend="torch",
    framework_version="1",
    device="cpu",
    device_name="",
    model="cnn",
    parameters=1198,
    dataset=events.DatasetInfo(name="MNIST", source="", fingerprint="", train_examples=6, test_examples=1),
    epochs=3,
)
PAUSED, GONE_ON = CommandApplied(command="pause"), CommandApplied(command="resume")
AWAITED = events.DeviceAwaited(device="cpu")
COMPLETED, STOPPED = RunFinished(outcome="completed", epochs=3), RunFinished(outcome="stopped", epochs=1)
FAILED = RunFinished(outcome="failed", epochs=1, error=events.ErrorInfo(title="t", message="m"))


@pytest.fixture
def locks() -> Iterator[list[FileLock]]:
    """The locks that a test holds; they are given up in the end."""
    held: list[FileLock] = []
    yield held
    for lock in held:
        lock.release()


@pytest.fixture
def make_run(store: Store, locks: list[FileLock]) -> Callable[..., Run]:
    """Makes a run that told these events and is locked, as by its worker, when it is `live`."""

    def make(*told: AnyEvent, live: bool = False, **settings: Any) -> Run:
        run, lock = store.create(TrainConfig.create(**settings))
        locks.append(lock)
        if not live:
            lock.release()
        tell(run, *told)
        return run

    return make


def tell(run: Run, *told: AnyEvent) -> None:
    writer = EventWriter(run.events_path)
    for event in told:
        writer.append(event)
    writer.close()


def epoch(number: int, test_accuracy: float = 0.9, seconds: float = 2.0) -> EpochFinished:
    return EpochFinished(
        epoch=number,
        train_loss=0.1,
        train_accuracy=0.9,
        test_loss=0.1,
        test_accuracy=test_accuracy,
        learning_rate=0.01,
        seconds=seconds,
        images_per_second=1e4,
    )


def step(number: int, epoch: int = 1) -> events.Step:
    return events.Step(
        epoch=epoch, step=number, steps=9, loss=0.5, accuracy=0.9, learning_rate=0.01, images_per_second=1e4
    )


class TestStatus:
    @pytest.mark.parametrize(
        ("live", "told", "status"),
        [
            (True, [], "waiting"),
            (True, [AWAITED], "waiting"),
            (True, [STARTED], "running"),
            (True, [STARTED, PAUSED], "paused"),
            (True, [STARTED, PAUSED, GONE_ON], "running"),
            (True, [STARTED, COMPLETED], "completed"),
            (False, [STARTED, COMPLETED], "completed"),
            (False, [STARTED, STOPPED], "stopped"),
            (False, [STARTED, FAILED], "failed"),
            (False, [FAILED], "failed"),
            (False, [], "crashed"),
            (False, [AWAITED], "crashed"),
            (False, [STARTED, epoch(1)], "crashed"),
            (False, [STARTED, PAUSED], "crashed"),
            (True, [STARTED, STOPPED, RunRelaunched()], "waiting"),
            (True, [STARTED, STOPPED, RunRelaunched(), AWAITED], "waiting"),
            (True, [STARTED, PAUSED, STOPPED, RunRelaunched(), STARTED], "running"),
            (False, [STARTED, STOPPED, RunRelaunched()], "crashed"),
            (False, [STARTED, STOPPED, RunRelaunched(), STARTED, COMPLETED], "completed"),
        ],
        ids=lambda value: " ".join(type(event).__name__ for event in value) if isinstance(value, list) else None,
    )
    def test_it_follows_from_the_lock_and_the_events(
        self, make_run: Callable[..., Run], live: bool, told: list[AnyEvent], status: str
    ) -> None:
        run = make_run(*told, live=live)
        assert run.status() == status
        assert run.status(run.progress()) == status

    def test_a_run_whose_lock_falls_free_without_an_end_has_crashed(
        self, make_run: Callable[..., Run], locks: list[FileLock]
    ) -> None:
        run = make_run(STARTED, live=True)
        assert run.status() == "running"
        locks[0].release()
        assert run.status() == "crashed"

    def test_of_a_long_log_only_the_end_is_read(self, make_run: Callable[..., Run]) -> None:
        """Here the beginning is a terabyte of nothing."""
        run = make_run(STARTED, live=True)
        with run.events_path.open("r+b") as log:
            log.seek(2**40)
            log.write(b"\n" + events.encode(step(7)))
            log.flush()
            assert run.status() == "running"
            log.write(events.encode(PAUSED))
            log.flush()
            assert run.status() == "paused"
            log.write(events.encode(RunRelaunched()) + events.encode(AWAITED))
            log.flush()
            assert run.status() == "waiting"
            log.write(events.encode(STOPPED) + events.encode(events.Warned(message="m")) + b'{"type":"st')
            log.flush()
            assert run.status() == "stopped"

    def test_live_is_what_a_worker_can_be_in(self) -> None:
        assert {"waiting", "running", "paused"} == LIVE


class TestProgress:
    def test_it_adds_up_what_was_told(self) -> None:
        progress = Progress.of([STARTED, step(1), epoch(1, 0.9), step(1, 2), epoch(2, 0.95), epoch(3, 0.95), COMPLETED])
        assert progress.started == STARTED
        assert [one.epoch for one in progress.epochs] == [1, 2, 3]
        assert progress.best is not None
        assert progress.best.epoch == 2
        assert progress.seconds == 6.0
        assert progress.finished == COMPLETED
        assert not progress.waiting

    def test_only_a_finished_epoch_gives_it_an_accuracy(self) -> None:
        tested = RunFinished(outcome="stopped", epochs=0, test_accuracy=0.95, tested=10_000)
        assert Progress.of([STARTED, step(1), tested]).test_accuracy is None
        assert Progress.of([STARTED, epoch(1, 0.9), step(1, 2), tested]).test_accuracy == 0.9

    def test_before_anything_was_told_it_waits(self) -> None:
        progress = Progress.of([])
        assert progress.waiting
        assert (progress.best, progress.epochs, progress.seconds, progress.finished) == (None, (), 0, None)

    def test_epochs_after_the_checkpoint_that_it_resumed_from_are_told_again(self) -> None:
        """A worker that is killed between an epoch's end and its checkpoint repeats the epoch."""
        again = RunStarted(**{name: getattr(STARTED, name) for name in STARTED.__struct_fields__} | {"resumed_from": 1})
        progress = Progress.of([STARTED, epoch(1, 0.9), epoch(2, 0.8), RunRelaunched(), again, epoch(2, 0.85)])
        assert [(one.epoch, one.test_accuracy) for one in progress.epochs] == [(1, 0.9), (2, 0.85)]

    def test_a_run_that_starts_anew_starts_without_epochs(self) -> None:
        assert Progress.of([STARTED, epoch(1), RunRelaunched(), STARTED]).epochs == ()


class TestFinding:
    @pytest.fixture
    def runs(self, make_run: Callable[..., Run]) -> list[Run]:
        return [
            make_run(name="first"),
            make_run(name="second try"),
            make_run(backend="tensorflow", name="twice"),
            make_run(name="twice"),
        ]

    def test_runs_are_listed_the_oldest_first(self, store: Store, runs: list[Run]) -> None:
        assert [run.id for run in store.runs()] == [run.id for run in runs]

    def test_an_id_a_unique_beginning_a_name_and_last_mean_a_run(self, store: Store, runs: list[Run]) -> None:
        assert store.find(runs[0].id).id == runs[0].id
        shortest = next(runs[2].id[:n] for n in range(1, 99) if sum(r.id.startswith(runs[2].id[:n]) for r in runs) == 1)
        assert store.find(shortest).id == runs[2].id
        assert store.find("second try").id == runs[1].id
        assert store.find("last").id == runs[3].id

    def test_an_id_is_meant_before_what_begins_with_it(self, store: Store, runs: list[Run]) -> None:
        runs[0].path.rename(store.path / "20240101-000000-torch-1234")
        runs[1].path.rename(store.path / "20240101-000000-torch-12345")
        assert store.find("20240101-000000-torch-1234").id == "20240101-000000-torch-1234"

    @pytest.mark.parametrize("reference", ["20", "twice"])
    def test_what_means_several_runs_is_refused_with_their_ids(
        self, store: Store, runs: list[Run], reference: str
    ) -> None:
        with pytest.raises(RunError, match=rf"“{reference}” means \d runs") as caught:
            store.find(reference)
        assert runs[3].id in caught.value.message

    @pytest.mark.parametrize("reference", ["nobody", "", "../" + "x", "*", "/"])
    def test_what_means_no_run_is_refused(self, store: Store, runs: list[Run], reference: str) -> None:
        with pytest.raises(RunError, match=re.escape(f"no run “{reference}” in {store.path}")) as caught:
            store.find(reference)
        assert "mnist-tui runs" in caught.value.hint

    def test_where_there_are_no_runs_it_says_how_to_make_one(self, store: Store) -> None:
        assert store.runs() == []
        with pytest.raises(RunError) as caught:
            store.find("last")
        assert "mnist-tui train" in caught.value.hint

    def test_a_run_is_opened_from_the_store_in_force(self, runs: list[Run], store: Store) -> None:
        assert open_run("first").path == runs[0].path
        assert open_run("first", store.path).path == runs[0].path

    def test_what_is_no_run_is_passed_over(self, store: Store, runs: list[Run], tmp_path: Path) -> None:
        (store.path / "notes.txt").write_text("mine")
        (store.path / "empty").mkdir()
        (store.path / ".new-draft").mkdir()
        (store.path / ".new-draft" / "config.json").write_text("{}")
        (store.path / "link").symlink_to(runs[0].path)
        assert [run.id for run in store.runs()] == [run.id for run in runs]

    def test_a_run_with_damaged_settings_is_listed_and_the_others_found(self, store: Store, runs: list[Run]) -> None:
        runs[0].config_path.write_bytes(b"\xff{")
        assert len(store.runs()) == 4
        assert store.find("second try").id == runs[1].id
        with pytest.raises(RunError, match=f"settings of run {runs[0].id} cannot be read"):
            _ = runs[0].config


class TestLocating:
    def test_what_is_given_goes_before_the_environment(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("MNIST_TUI_STORE", str(tmp_path / "environment"))
        assert Store.locate(tmp_path / "given").path == tmp_path / "given"
        assert Store.locate().path == tmp_path / "environment"

    def test_else_it_is_the_checkpoints_folder_here_and_else_the_user_s(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert Store.locate().path.parts[-2:] == ("mnist-tui", "runs")
        (tmp_path / "checkpoints").mkdir()
        assert Store.locate().path == tmp_path / "checkpoints"

    def test_a_tilde_is_the_user_s_home(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        assert Store.locate("~/runs").path == tmp_path / "runs"


class TestCreating:
    def test_a_new_run_has_its_settings_and_is_locked(self, store: Store, locks: list[FileLock]) -> None:
        config = TrainConfig.create(backend="tensorflow", epochs=3, name="mine")
        run, lock = store.create(config)
        locks.append(lock)
        assert run.config == config
        assert json.loads(run.config_path.read_text())["name"] == "mine"
        assert run.status() == "waiting"
        lock.release()
        assert run.status() == "crashed"
        assert sorted(path.name for path in run.path.iterdir()) == ["config.json", "run.lock"]

    def test_its_id_tells_when_and_with_what(self, make_run: Callable[..., Run]) -> None:
        run = make_run(backend="tensorflow")
        assert re.fullmatch(r"\d{8}-\d{6}Z-tensorflow-[0-9a-f]{4}", run.id)
        assert run.created is not None
        assert timedelta(0) <= datetime.now().astimezone() - run.created < timedelta(minutes=1)

    def test_many_at_once_have_ids_of_their_own_in_the_order_they_were_made(
        self, store: Store, make_run: Callable[..., Run]
    ) -> None:
        made = [make_run(backend=("torch", "tensorflow")[n % 2]).id for n in range(50)]
        assert [run.id for run in store.runs()] == made
        assert len(set(made)) == 50

    def test_a_directory_of_another_name_has_no_date(self, tmp_path: Path) -> None:
        assert Run(tmp_path / "my-run").created is None

    def test_a_store_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StoreError, match=re.escape(f"{tmp_path}/file is a file")) as caught:
            Store(tmp_path / "file" / "runs").create(TrainConfig())
        assert "--store" in caught.value.hint

    def test_a_full_disk_leaves_nothing_behind(
        self, store: Store, file_size_limit: Callable[[int], AbstractContextManager[None]]
    ) -> None:
        with file_size_limit(10), pytest.raises(StoreError, match="10 bytes, ulimit -f"):
            store.create(TrainConfig())
        assert list(store.path.iterdir()) == []

    def test_a_store_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StoreError, match=re.escape(f"{tmp_path}/file cannot be read: it is a file")):
            Store(tmp_path / "file").runs()

    def test_one_that_could_not_be_made_leaves_no_file_open(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: Path, target: Path) -> Path:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

        monkeypatch.setattr(Path, "rename", refuse)
        before = psutil.Process().num_fds()
        with pytest.raises(StoreError, match="disk is full"):
            store.create(TrainConfig.create())
        assert psutil.Process().num_fds() == before
        assert list(store.path.glob(".new-*")) == []


class TestDeleting:
    def test_a_run_is_gone_with_everything_in_it(self, store: Store, make_run: Callable[..., Run]) -> None:
        run = make_run(STARTED, COMPLETED)
        run.predictions_path.mkdir()
        (run.predictions_path / "epoch-0001.npz").touch()
        store.delete(run)
        assert store.runs() == []
        assert [path.name for path in store.path.iterdir()] == [INDEX_FILE]

    def test_a_live_run_is_not_deleted(self, store: Store, make_run: Callable[..., Run]) -> None:
        run = make_run(STARTED, live=True)
        with pytest.raises(RunError, match="is being trained") as caught:
            store.delete(run)
        assert f"mnist-tui stop {run.id}" in caught.value.hint
        assert run.config_path.exists()

    def test_links_are_removed_and_not_followed(
        self, store: Store, make_run: Callable[..., Run], tmp_path: Path
    ) -> None:
        run = make_run()
        (tmp_path / "precious").mkdir()
        (tmp_path / "precious" / "thesis.txt").touch()
        (run.path / "link").symlink_to(tmp_path / "precious")
        store.delete(run)
        assert (tmp_path / "precious" / "thesis.txt").exists()

    def test_a_run_that_is_a_link_to_elsewhere_is_left_alone(
        self, store: Store, make_run: Callable[..., Run], tmp_path: Path
    ) -> None:
        elsewhere = make_run().path.rename(tmp_path / "elsewhere")
        (elsewhere / "run.lock").unlink()
        (store.path / "20240101-000000-torch-1234").symlink_to(elsewhere)
        assert store.runs() == []
        with pytest.raises(RunError, match="leads to"):
            store.delete(Run(store.path / "20240101-000000-torch-1234"))
        assert sorted(path.name for path in elsewhere.iterdir()) == ["config.json", "events.jsonl"]

    def test_a_lock_that_leads_elsewhere_writes_nothing_there(
        self, store: Store, make_run: Callable[..., Run], tmp_path: Path
    ) -> None:
        run = make_run()
        run.predictions_path.symlink_to(tmp_path)
        run.lock_path.unlink()
        run.lock_path.symlink_to(tmp_path / "made by mistake")
        before = sorted(tmp_path.iterdir())
        store.delete(run)
        assert store.runs() == []
        assert sorted(tmp_path.iterdir()) == before

    def test_one_that_is_gone_already_is_an_error_to_show(self, store: Store, make_run: Callable[..., Run]) -> None:
        run = make_run()
        store.delete(run)
        with pytest.raises(RunError, match=f"{run.path} is gone already"):
            store.delete(run)


class TestSharing:
    """A store that several people write to: their group and their umask decide who may read and write what."""

    @pytest.fixture
    def run(self, store: Store) -> Iterator[Run]:
        """A live run with each kind of file that this process writes, in a store of another group."""
        store.path.mkdir()
        if os.geteuid() == 0:
            os.chown(store.path, -1, 54321)
        store.path.chmod(0o2775)
        before = os.umask(0o002)
        run, lock = store.create(TrainConfig())
        tell(run, STARTED)
        run.send(Pause())
        store.annotate(run, "first")
        yield run
        lock.release()
        os.umask(before)

    @staticmethod
    def modes(folder: Path) -> dict[str, tuple[str, int]]:
        return {
            path.name: (f"{path.stat().st_mode & 0o777:o}", path.stat().st_gid)
            for path in folder.rglob("*")
            if path.is_file()
        }

    def test_the_group_may_write_what_the_umask_lets_it(self, run: Run) -> None:
        group = run.path.parent.stat().st_gid
        names = {INDEX_FILE, "config.json", "run.lock", "events.jsonl", "commands.jsonl", "labels.json"}
        assert self.modes(run.path.parent) == dict.fromkeys(names, ("664", group))

    def test_a_file_that_is_replaced_keeps_its_mode_and_group(self, run: Run, store: Store) -> None:
        before = self.modes(run.path)["labels.json"]
        os.umask(0o077)
        store.annotate(run, "second")
        assert self.modes(run.path)["labels.json"] == before

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root changes groups at will")
    def test_so_it_does_in_a_folder_that_does_not_hand_its_group_down(self, run: Run, store: Store) -> None:
        os.chown(run.path, -1, 0)
        run.path.chmod(0o775)
        store.annotate(run, "second")
        assert self.modes(run.path)["labels.json"] == ("664", 54321)


class TestSending:
    def test_a_live_run_s_worker_hears_what_is_asked_in_order(self, make_run: Callable[..., Run]) -> None:
        run = make_run(STARTED, live=True)
        control = Control(run.commands_path)
        assert control.pending() == []
        run.send(Pause())
        run.send(commands.SetLearningRate(learning_rate=0.5))
        run.send(Stop(now=True))
        pause, rate, stop = control.pending()
        assert isinstance(pause, Pause)
        assert isinstance(rate, commands.SetLearningRate)
        assert rate.learning_rate == 0.5
        assert stop == Stop(now=True, time=stop.time)
        assert control.pending() == []

    def test_a_run_that_is_over_hears_nothing(self, make_run: Callable[..., Run]) -> None:
        run = make_run(STARTED, COMPLETED)
        with pytest.raises(RunError, match=f"{run.id} has finished"):
            run.send(Stop())
        assert not run.commands_path.exists()

    def test_a_later_worker_does_not_hear_what_an_earlier_one_was_asked(self, make_run: Callable[..., Run]) -> None:
        run = make_run(STARTED, live=True)
        run.send(Stop())
        later = Control(run.commands_path, offset=run.commands_path.stat().st_size)
        run.send(Pause())
        assert [type(command) for command in later.pending()] == [Pause]

    def test_lines_that_ask_for_nothing_known_are_left_out(
        self, make_run: Callable[..., Run], capfd: pytest.CaptureFixture[str]
    ) -> None:
        run = make_run(STARTED, live=True)
        run.commands_path.write_bytes(b'nonsense\n{"type": "dance"}\n[]\n' + commands.encode(Pause()) + b'{"type": "st')
        assert [type(command) for command in Control(run.commands_path).pending()] == [Pause]
        assert capfd.readouterr().out.count("Unknown command") == 3

    def test_who_cannot_be_asked_any_more_is_to_stop(self, make_run: Callable[..., Run]) -> None:
        run = make_run(STARTED, live=True)
        control = Control(run.commands_path, needed=run.config_path)
        assert control.pending() == []
        run.config_path.unlink()
        (stop,) = control.pending()
        assert isinstance(stop, Stop)
        assert stop.now

    def test_what_this_process_asks_comes_first(self, make_run: Callable[..., Run]) -> None:
        run = make_run(STARTED, live=True)
        control = Control(run.commands_path)
        run.send(Pause())
        control.put(Stop())
        assert [type(command) for command in control.pending()] == [Stop, Pause]


def test_a_run_is_followed_from_its_first_event_on(make_run: Callable[..., Run]) -> None:
    run = make_run(STARTED)
    follower = run.follow()
    assert follower.read() == [STARTED]
    tell(run, epoch(1))
    assert [type(event) for event in follower.read()] == [EpochFinished]
    assert [type(event) for event in run.events()] == [RunStarted, EpochFinished]
