"""Worker processes, real ones with real frameworks: they train, are killed, stopped and started again."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from engine import checkpoint, events
from engine.backends import BACKENDS
from engine.changes import BackendChange, Extension
from engine.checkpoint import LAST
from engine.commands import Pause, Stop
from engine.config import TrainConfig
from engine.data import Dataset
from engine.errors import ConfigError, RunError
from engine.evaluation import load_predictions
from engine.events import CheckpointSaved, CommandApplied, DeviceAwaited, Preparing, RunFinished, RunStarted, Step
from engine.launcher import continued, launch, relaunch
from engine.locks import FileLock, device_lock_path, is_held
from engine.models import ARCHITECTURES
from engine.process import python_command, python_environment
from engine.runs import Run, Store
from tests.conftest import write_idx
from tests.engine.test_runs import STARTED, STOPPED, epoch, tell
from tests.waiting import wait_for_event, wait_until

Start = Callable[..., subprocess.Popen[bytes]]

ENDLESS = 10_000


def require(name: str) -> None:
    if not BACKENDS[name].installed:
        pytest.skip(f"{BACKENDS[name].label} is not installed")


@pytest.fixture(scope="module")
def folder(digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,000 training and 200 test digits as IDX files."""
    few = Dataset(
        digits.train_images[:1000],
        digits.train_labels[:1000],
        digits.test_images[:200],
        digits.test_labels[:200],
        digits.info,
    )
    return write_idx(tmp_path_factory.mktemp("data") / "digits", few)


@pytest.fixture(scope="module", params=BACKENDS)
def config(request: pytest.FixtureRequest, folder: Path) -> TrainConfig:
    """Eight epochs of many small steps: long enough to be interrupted, on each backend."""
    require(request.param)
    return settings(folder, backend=request.param)


@pytest.fixture
def torch_config(folder: Path) -> TrainConfig:
    """The same on PyTorch alone, for what does not depend on the framework."""
    require("torch")
    return settings(folder, backend="torch")


def settings(folder: Path, backend: str) -> TrainConfig:
    return TrainConfig.create(
        backend=backend,
        device="cpu",
        model="cnn-bn",
        batch_size=2,
        learning_rate=0.002,
        epochs=8,
        validation=100,
        data=str(folder),
    )


@pytest.fixture(scope="module")
def uninterrupted(config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that was launched and left alone, not to wait for its turn although the device was taken."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        lock = FileLock(device_lock_path("cpu"))
        assert lock.acquire()
        run = launch(Store(tmp_path_factory.mktemp("runs")), config, skip_queue=True)
        wait_for_end(run)
        lock.release()
    return run


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a worker for a run as its launcher does, but so that the test has its process."""
    processes = []

    def run_worker(run: Run, *options: str) -> subprocess.Popen[bytes]:
        with run.log_path.open("ab") as log:
            process = subprocess.Popen(
                python_command("engine.worker", str(run.path), *options),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=python_environment(),
            )
        processes.append(process)
        return process

    yield run_worker
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def device_lock() -> Iterator[FileLock]:
    """The lock of the CPU, held by somebody else."""
    lock = FileLock(device_lock_path("cpu"))
    assert lock.acquire()
    yield lock
    lock.release()


def new_run(store: Store, config: TrainConfig) -> Run:
    run, lock = store.create(config)
    lock.release()
    return run


def wait_for_end(run: Run) -> None:
    wait_until(lambda: run.progress().finished and not is_held(run.lock_path), f"the worker of {run.id} ends")


def figures(run: Run) -> list[tuple[float, ...]]:
    """What each epoch achieved, without what depends on the machine's speed."""
    return [(one.epoch, one.train_loss, one.test_loss, one.test_accuracy) for one in run.progress().epochs]


class TestTraining:
    def test_a_launched_run_completes(self, uninterrupted: Run, config: TrainConfig) -> None:
        progress = uninterrupted.progress()
        assert uninterrupted.status() == "completed"
        assert progress.started is not None
        assert (progress.started.backend, progress.started.device) == (config.backend, "cpu")
        assert progress.started.framework_version == BACKENDS[config.backend].version
        assert progress.started.dataset.train_examples == 900
        assert [epoch.epoch for epoch in progress.epochs] == list(range(1, 9))
        assert progress.finished is not None
        assert (progress.finished.epochs, progress.finished.tested) == (8, 200)

    def test_it_learns(self, uninterrupted: Run) -> None:
        first, *_, last = uninterrupted.progress().epochs
        assert last.train_loss < first.train_loss / 2
        assert last.test_accuracy > 0.8

    def test_its_directory_has_everything(self, uninterrupted: Run) -> None:
        names = {path.name for path in uninterrupted.path.iterdir()}
        assert names == {
            "config.json", "events.jsonl", "worker.log", "run.lock", "predictions",
            "last.safetensors", "last.json", "previous.safetensors", "previous.json", "best.safetensors", "best.json",
        }  # fmt: skip
        assert load_predictions(uninterrupted.predictions_path / "epoch-0008.npz").shape == (200, 10)

    def test_its_log_holds_no_complaints(self, uninterrupted: Run) -> None:
        log = uninterrupted.log_path.read_text()
        assert "Traceback" not in log
        assert "Error" not in log


class TestKilling:
    def test_a_killed_run_has_crashed_and_relaunched_it_comes_to_the_same_end(
        self, uninterrupted: Run, config: TrainConfig, store: Store, start: Start
    ) -> None:
        run = new_run(store, config)
        worker = start(run)
        wait_for_event(run, CheckpointSaved, epoch=2)
        run.send(Pause())
        wait_for_event(run, CommandApplied, command="pause")
        assert run.status() == "paused"
        worker.kill()
        worker.wait()
        assert run.status() == "crashed"

        relaunch(run)
        wait_for_end(run)
        assert run.status() == "completed"
        starts = [event.resumed_from for event in run.events() if isinstance(event, RunStarted)]
        assert starts[0] is None
        assert starts[1] is not None
        assert 2 <= starts[1] < 8
        assert figures(run) == figures(uninterrupted)
        state, expected = (
            checkpoint.load(one.path / LAST, ARCHITECTURES[config.model], config.optimizer)[0]
            for one in (run, uninterrupted)
        )
        for name, values in expected.items():
            assert state[name].tobytes() == values.tobytes(), name


class TestStopping:
    def test_sigterm_stops_the_run_and_saves_it(self, config: TrainConfig, store: Store, start: Start) -> None:
        run = new_run(store, config.replace(epochs=ENDLESS))
        worker = start(run)
        wait_for_event(run, Step)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 143
        assert run.status() == "stopped"
        finished = run.events()[-1]
        assert isinstance(finished, RunFinished)
        assert finished.test_accuracy is not None
        assert (run.path / LAST).exists()

    def test_a_stop_command_stops_the_run_and_hanging_up_does_not(
        self, torch_config: TrainConfig, store: Store, start: Start
    ) -> None:
        run = new_run(store, torch_config.replace(epochs=ENDLESS))
        worker = start(run)
        told = wait_for_event(run, Step)
        assert psutil.Process(worker.pid).nice() >= min(19, psutil.Process().nice() + 1), "the app comes first"
        worker.send_signal(signal.SIGHUP)
        wait_until(lambda: run.progress().last_step != told, "it goes on after the terminal has hung up")
        run.send(Stop())
        assert worker.wait(60) == 0
        assert run.status() == "stopped"
        with pytest.raises(RunError, match="was stopped"):
            run.send(Stop())

    @pytest.mark.parametrize("is_signal", [False, True])
    def test_it_stops_while_it_loads_before_it_has_begun_to_train(
        self, torch_config: TrainConfig, store: Store, start: Start, is_signal: bool
    ) -> None:
        run = new_run(store, torch_config.replace(epochs=ENDLESS))
        worker = start(run)
        wait_for_event(run, Preparing, stage="framework")
        if is_signal:
            worker.send_signal(signal.SIGTERM)
        else:
            run.send(Stop())
        assert worker.wait(60) == (128 + signal.SIGTERM if is_signal else 0)
        told = run.events()
        assert [type(event) for event in told[-2:]] == [Preparing, RunFinished], "it has not trained a step"
        assert run.status() == "stopped"

    def test_it_ends_when_its_folder_is_taken_away_and_makes_no_new_one(
        self, torch_config: TrainConfig, store: Store, start: Start, tmp_path: Path
    ) -> None:
        run = new_run(store, torch_config.replace(epochs=ENDLESS))
        worker = start(run)
        wait_for_event(run, Step)
        run.path.rename(tmp_path / "elsewhere")
        assert worker.wait(60) in (0, 1), "1 if it was about to save something"
        assert not run.path.exists()
        assert isinstance(Run(tmp_path / "elsewhere").events()[-1], RunFinished)


class TestTurns:
    def test_workers_on_one_device_take_turns(
        self, torch_config: TrainConfig, store: Store, device_lock: FileLock
    ) -> None:
        runs = [launch(store, torch_config.replace(epochs=1)) for _ in range(2)]
        for run in runs:
            wait_for_event(run, DeviceAwaited, device="cpu")
            assert run.status() == "waiting"
        device_lock.release()
        for run in runs:
            wait_for_end(run)
            assert run.status() == "completed"
        first, second = sorted(spans(runs))
        assert first[1] <= second[0]

    def test_one_that_is_to_start_now_does_not_wait(self, uninterrupted: Run) -> None:
        assert uninterrupted.status() == "completed"
        assert not [event for event in uninterrupted.events() if isinstance(event, DeviceAwaited)]

    def test_one_that_waits_can_be_stopped(
        self, torch_config: TrainConfig, store: Store, start: Start, device_lock: FileLock
    ) -> None:
        runs = [new_run(store, torch_config) for _ in range(3)]
        workers = [start(run) for run in runs]
        for run in runs:
            wait_for_event(run, DeviceAwaited)
        runs[0].send(Stop())
        workers[1].send_signal(signal.SIGTERM)
        workers[2].send_signal(signal.SIGINT)
        assert [worker.wait(60) for worker in workers] == [0, 143, 130]
        assert [run.status() for run in runs] == ["stopped"] * 3

    def test_of_two_workers_for_one_run_one_wins(
        self, torch_config: TrainConfig, store: Store, start: Start, device_lock: FileLock
    ) -> None:
        run = new_run(store, torch_config)
        workers = [start(run) for _ in range(2)]
        loser = wait_until(lambda: next((one for one in workers if one.poll() is not None), None), "one of them ends")
        (winner,) = set(workers) - {loser}
        assert loser.returncode == 2
        assert f"Run {run.id} is being trained by another worker." in run.log_path.read_text()
        wait_for_event(run, DeviceAwaited)
        with pytest.raises(RunError, match="is waiting to start already"):
            relaunch(run)
        winner.terminate()
        assert winner.wait(60) == 143
        assert [type(event) for event in run.events()] == [DeviceAwaited, RunFinished]


def spans(runs: list[Run]) -> list[tuple[float, float]]:
    """From when to when each run trained."""
    return [
        (
            next(event.time for event in run.events() if isinstance(event, RunStarted)),
            next(event.time for event in run.events() if isinstance(event, RunFinished)),
        )
        for run in runs
    ]


class TestFailing:
    def test_settings_that_cannot_be_read_fail_the_run(
        self, torch_config: TrainConfig, store: Store, start: Start
    ) -> None:
        run = new_run(store, torch_config)
        run.config_path.write_text('{"epochs": 0}')
        assert start(run).wait(60) == 1
        assert self.reason(run).message.endswith("Epochs must be a whole number from 1 to 10,000, not 0.")

    def test_data_that_are_not_there_fail_the_run(self, torch_config: TrainConfig, store: Store, start: Start) -> None:
        run = new_run(store, torch_config.replace(data="/nowhere"))
        assert start(run).wait(60) == 1
        assert self.reason(run).message == "There is no /nowhere."
        assert "Traceback" not in run.log_path.read_text()

    def test_the_end_counts_the_epochs_of_a_worker_that_was_killed(
        self, torch_config: TrainConfig, store: Store, start: Start
    ) -> None:
        run = new_run(store, torch_config)
        tell(run, STARTED, epoch(1), STOPPED, events.RunRelaunched(), replace(STARTED, resumed_from=1), epoch(2))
        run.config_path.write_text('{"epochs": 0}')
        assert start(run).wait(60) == 1
        finished = run.progress().finished
        assert finished is not None
        assert (finished.outcome, finished.epochs) == ("failed", 2)

    def reason(self, run: Run) -> events.ErrorInfo:
        assert run.status() == "failed"
        *_, finished = run.events()
        assert isinstance(finished, RunFinished)
        assert finished.error is not None
        return finished.error


class TestContinuing:
    def test_a_run_goes_on_with_more_epochs_on_the_other_backend(
        self, uninterrupted: Run, config: TrainConfig, store: Store
    ) -> None:
        (other,) = BACKENDS.keys() - {config.backend}
        require(other)
        shutil.copytree(uninterrupted.path, store.path / uninterrupted.id)
        run = store.find("last")
        relaunch(run, backend=other, epochs=9)
        wait_for_end(run)
        assert run.status() == "completed"
        progress = run.progress()
        assert progress.started is not None
        assert (progress.started.backend, progress.started.resumed_from) == (other, 8)
        assert [epoch.epoch for epoch in progress.epochs] == list(range(1, 10))
        assert progress.epochs[-1].train_loss < progress.epochs[0].train_loss / 2
        assert run.config.conventions == ("torch" if config.backend == "torch" else "keras")
        assert progress.changes == (
            Extension(epoch=8, before=8, after=9, schedule="hold"),
            BackendChange(epoch=9, step=1, before=config.backend, after=other),
        )

    def test_what_would_make_it_another_run_cannot_change(self, torch_config: TrainConfig) -> None:
        for changes in ({"seed": 5}, {"model": "cnn"}, {"batch_size": 32}, {"schedule": "cosine"}):
            with pytest.raises(ConfigError, match="cannot change in the middle of a run"):
                continued(torch_config, changes)

    def test_without_changes_it_stays_as_it_is(self, torch_config: TrainConfig) -> None:
        assert continued(torch_config, {}) == torch_config
