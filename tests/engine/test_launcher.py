"""Starting workers: what becomes of them in the process that started them."""

from __future__ import annotations

import psutil

from engine.commands import Stop
from engine.config import TrainConfig
from engine.events import DeviceAwaited
from engine.launcher import launch
from engine.locks import FileLock, device_lock_path
from engine.runs import Store
from tests.waiting import wait_for_event, wait_until


def test_a_worker_that_has_ended_leaves_no_zombie(store: Store) -> None:
    """One after another, as of `train --repeats` or an app that stays open. They end while they wait for the device."""
    device = FileLock(device_lock_path("cpu"))
    assert device.acquire()
    before = set(psutil.Process().children())
    try:
        runs = [launch(store, TrainConfig.create(device="cpu", seed=seed)) for seed in range(2)]
        assert set(psutil.Process().children()) - before
        for run in runs:
            wait_for_event(run, DeviceAwaited)
            run.send(Stop())
        wait_until(lambda: not set(psutil.Process().children()) - before, "no process of a worker is left")
        assert [run.status() for run in runs] == ["stopped", "stopped"]
    finally:
        device.release()
