"""The line for a device: strictly first come, first served, and as honest as the locks that it is made of."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.backends import BACKENDS
from engine.commands import Pause, SetLearningRate, Stop
from engine.config import TrainConfig
from engine.devices import Queue, expected_queue
from engine.errors import StoreError
from engine.eventlog import EventWriter
from engine.events import DeviceAwaited, EpochFinished, RunFinished
from engine.launcher import launch, relaunch
from engine.locks import FileLock, device_lock_path, is_held
from engine.process import python_command, python_environment
from engine.runs import Run, Store
from engine.turns import Place, Ticket, place_of
from tests.waiting import PATIENCE, wait_for_event, wait_until
from tests.workers import worker_of

MANY = 6
HEAVY = ("torch", "tensorflow", "numpy")

MakeRun = Callable[..., Run]


@pytest.fixture
def make_run(store: Store) -> MakeRun:
    """Makes a run that no worker has."""

    def make(name: str = "") -> Run:
        run, lock = store.create(TrainConfig.create(name=name))
        lock.release()
        return run

    return make


@pytest.fixture
def others_run() -> Iterator[FileLock]:
    """The lock of the CPU, held by a run of somebody who draws no tickets."""
    lock = FileLock(device_lock_path("cpu"))
    assert lock.acquire()
    yield lock
    lock.release()


def quick(name: str = "", **changes: object) -> TrainConfig:
    """Return settings of a run that ends as soon as it has its turn: there are no data, so it needs no framework."""
    return TrainConfig.create(name=name, device="cpu", data="/nowhere", **changes)


def wait_for_end(run: Run) -> None:
    wait_until(lambda: run.progress().finished and not is_held(run.lock_path), f"the worker of {run.id} ends")


class TestTickets:
    def test_turns_come_in_the_order_in_which_tickets_were_drawn(self, make_run: MakeRun) -> None:
        tickets = [Ticket.draw("cpu", make_run()) for _ in range(12)]
        while tickets:
            assert [ticket.is_next() for ticket in tickets] == [True] + [False] * (len(tickets) - 1)
            tickets.pop(0).release()

    def test_devices_have_a_line_each(self, make_run: MakeRun) -> None:
        tickets = [Ticket.draw(device, make_run()) for device in ("cpu", "cuda:0", "cuda:1")]
        assert all(ticket.is_next() for ticket in tickets)

    def test_a_place_names_the_run_before_and_moves_up_with_the_line(self, make_run: MakeRun) -> None:
        runs = [make_run("training"), make_run(), make_run("third")]
        tickets = [Ticket.draw("cpu", run) for run in runs]
        assert [place_of(run, "cpu") for run in runs] == [
            None, Place("cpu", 1, "training"), Place("cpu", 2, runs[1].id),
        ]  # fmt: skip
        tickets[1].release()
        assert place_of(runs[2], "cpu") == Place("cpu", 1, "training")
        tickets[0].release()
        assert place_of(runs[2], "cpu") is None
        assert tickets[2].is_next()

    def test_who_has_no_ticket_has_no_place(self, make_run: MakeRun) -> None:
        assert place_of(make_run(), "cpu") is None
        Ticket.draw("cpu", make_run())
        assert place_of(make_run(), "cpu") is None

    def test_tickets_of_the_dead_are_cleared_away_and_their_numbers_not_used_again(self, make_run: MakeRun) -> None:
        numbers = []
        for _ in range(5):
            ticket = Ticket.draw("cpu", make_run())
            numbers.append(ticket.path.name)
            ticket.release()
        assert numbers == sorted(set(numbers))
        last = Ticket.draw("cpu", make_run())
        assert [path.name for path in last.path.parent.iterdir() if path.name.isdecimal()] == [last.path.name]

    def test_a_state_folder_that_cannot_be_written_is_an_error_to_show(self, make_run: MakeRun) -> None:
        queue = device_lock_path("cpu").with_suffix(".queue")
        queue.write_text("in the way")
        with pytest.raises(StoreError, match=f"The queue for cpu: {queue} cannot be written: it is a file") as caught:
            Ticket.draw("cpu", make_run())
        assert "--now" in caught.value.hint


DRIVER = """
class NVMLError(Exception): pass
def nvmlInit(): pass
def nvmlShutdown(): pass
def nvmlDeviceGetCount(): return 2
def nvmlDeviceGetHandleByIndex(number): return number
def nvmlDeviceGetUUID(handle): return f"GPU-{'ab'[handle] * 8}-0000"
"""


@pytest.fixture
def two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The keys of two GPUs that the driver's library tells of, in this process and in those it starts."""
    (tmp_path / "driver").mkdir()
    (tmp_path / "driver" / "pynvml.py").write_text(DRIVER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "driver"))
    monkeypatch.syspath_prepend(tmp_path / "driver")
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return "GPU-aaaaaaaa-0000", "GPU-bbbbbbbb-0000"


class TestGpus:
    def test_a_gpu_has_one_queue_by_whatever_number_a_process_knows_it(
        self, two_gpus: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = two_gpus
        assert expected_queue("auto") == expected_queue("cuda") == Queue("cuda:0", first)
        assert expected_queue("cuda:1") == Queue("cuda:1", second)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
        assert expected_queue("cuda:0") == Queue("cuda:0", second)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-b")
        assert expected_queue("cuda") == Queue("cuda:0", second)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-1/2")
        assert expected_queue("auto") == Queue("cuda:0", "MIG-1-2")
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        assert expected_queue("auto") == Queue("cpu", "cpu")
        assert expected_queue("cuda:3") == Queue("cuda:3", "cuda:3")  # which then is not there

    def test_a_run_waits_for_a_gpu_by_the_number_that_it_asked_for(
        self, two_gpus: tuple[str, str], store: Store, make_run: MakeRun
    ) -> None:
        before = Ticket.draw(two_gpus[1], make_run("before"))
        run, lock = store.create(quick().replace(device="cuda:1"))
        lock.release()
        worker = subprocess.Popen(
            python_command("engine.worker", str(run.path)), stdin=subprocess.DEVNULL, env=python_environment()
        )
        awaited = wait_for_event(run, DeviceAwaited)
        assert (awaited.device, awaited.queue) == ("cuda:1", two_gpus[1])
        assert place_of(run, awaited.queue, awaited.device) == Place("cuda:1", 1, "before")
        before.release()
        assert worker.wait(PATIENCE) == 1  # there are no data

    @pytest.mark.skipif(not BACKENDS["torch"].installed, reason="PyTorch is not installed")
    def test_a_framework_that_knows_no_gpu_does_not_wait_for_one(
        self, two_gpus: tuple[str, str], store: Store, make_run: MakeRun
    ) -> None:
        before = Ticket.draw(two_gpus[0], make_run())
        run = launch(store, quick().replace(device="auto"))
        wait_for_end(run)
        assert not before.is_next() or is_held(before.path)  # it has not been waited for
        assert not [event for event in run.events() if isinstance(event, DeviceAwaited)]
        before.release()

    @pytest.mark.skipif(not BACKENDS["torch"].installed, reason="PyTorch is not installed")
    def test_a_framework_that_turns_out_to_know_no_gpu_gives_its_turn_back(
        self, two_gpus: tuple[str, str], store: Store, sketches_folder: Path, others_run: FileLock
    ) -> None:
        config = quick(epochs=1).replace(device="auto", data=str(sketches_folder), threads=1)
        run = launch(store, config)
        wait_for_event(run, DeviceAwaited, device="cpu", queue="")
        assert not is_held(device_lock_path(two_gpus[0]))
        others_run.release()
        wait_for_end(run)
        assert run.status() == "completed"


class TestWorkers:
    def test_they_train_one_by_one_in_the_order_of_their_launch(self, store: Store, others_run: FileLock) -> None:
        runs = [launch(store, quick(f"run {number}")) for number in range(MANY)]
        for run in runs:
            wait_for_event(run, DeviceAwaited, device="cpu")
        assert [place_of(run, "cpu") for run in runs[1:]] == [
            Place("cpu", number, f"run {number - 1}") for number in range(1, MANY)
        ]
        others_run.release()
        for run in runs:
            wait_for_end(run)
        ends = [wait_for_event(run, RunFinished).time for run in runs]
        assert ends == sorted(ends)
        assert {run.status() for run in runs} == {"failed"}

    @pytest.mark.skipif(sys.platform != "linux", reason="only there one process can see what another has loaded")
    def test_one_that_is_killed_or_cancelled_in_line_lets_the_next_move_up(
        self, store: Store, others_run: FileLock
    ) -> None:
        first, killed, cancelled, last = (launch(store, quick(name)) for name in ("first", "killed", "gone", "final"))
        for run in (first, killed, cancelled, last):
            wait_for_event(run, DeviceAwaited)
        assert place_of(last, "cpu") == Place("cpu", 3, "gone")
        loaded = [mapped.path for mapped in worker_of(last).memory_maps()]
        assert not [path for path in loaded if any(f"/{name}/" in path for name in HEAVY)]
        worker_of(killed).kill()
        wait_until(lambda: killed.status() == "crashed", "the killed one is gone")
        assert place_of(last, "cpu") == Place("cpu", 2, "gone")
        cancelled.send(Stop())
        wait_for_end(cancelled)
        assert cancelled.status() == "stopped"
        assert place_of(last, "cpu") == Place("cpu", 1, "first")
        others_run.release()
        wait_for_end(last)
        assert wait_for_event(first, RunFinished).time <= wait_for_event(last, RunFinished).time

    def test_one_taken_up_again_goes_to_the_end_and_cancelled_stands_where_it_stood(
        self, store: Store, make_run: MakeRun, others_run: FileLock
    ) -> None:
        run = launch(store, quick("old"))
        run.send(Stop())
        wait_for_end(run)
        log = EventWriter(run.events_path)
        log.append(
            EpochFinished(
                epoch=1, train_loss=0.1, train_accuracy=0.9, test_loss=0.1, test_accuracy=0.9, learning_rate=0.01,
                seconds=1.0, images_per_second=1.0,
            )
        )  # fmt: skip
        log.append(RunFinished(outcome="stopped", epochs=1, best_epoch=1, test_accuracy=0.9, tested=50))
        log.close()
        before = Ticket.draw("cpu", make_run("before"))
        relaunch(run)
        wait_for_event(run, DeviceAwaited)
        assert place_of(run, "cpu") == Place("cpu", 1, "before")
        run.send(Stop(now=True))
        wait_for_end(run)
        finished = run.progress().finished
        assert finished is not None
        assert (finished.outcome, finished.epochs, finished.best_epoch, finished.test_accuracy) == (
            "stopped",
            1,
            1,
            0.9,
        )
        before.release()

    def test_what_is_asked_of_one_in_line_is_carried_out_when_it_starts(
        self, store: Store, sketches_folder: Path, others_run: FileLock
    ) -> None:
        run = launch(store, quick(epochs=50).replace(data=str(sketches_folder), threads=1))
        wait_for_event(run, DeviceAwaited)
        run.send(SetLearningRate(learning_rate=0.0625))
        run.send(Pause())
        others_run.release()
        wait_until(lambda: run.status() == "paused", "it holds before its first step")
        assert run.progress().last_step is None
        run.send(Stop())
        wait_for_end(run)
        assert run.status() == "stopped"
