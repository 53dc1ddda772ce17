"""Made-up runs, written as a worker would have, for benchmarks of what the app does with many or long ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from engine import events
from engine.config import TrainConfig
from engine.run_index import id_of
from engine.runs import Run

DATASET = events.DatasetInfo(
    name="MNIST", source="made up", fingerprint="0" * 16, train_examples=60_000, test_examples=10_000
)


def write_run(store: Path, number: int, epochs: int, steps: int) -> Run:
    """Write the run of that number, completed, with `steps` step events in each of its epochs; return it."""
    moment = datetime(2026, 1, 1) + timedelta(minutes=20 * number)
    path = store / id_of(moment.timestamp(), "torch")
    path.mkdir(parents=True)
    config = TrainConfig.preset("pytorch-tutorial", epochs=epochs, seed=number)
    (path / "config.json").write_bytes(config.to_json() + b"\n")
    (path / "run.lock").touch()
    clock = moment.timestamp()
    with (path / "events.jsonl").open("wb") as log:
        started = events.RunStarted(
            time=clock, run=path.name, backend="torch", framework_version="2.14.1", device="cpu", device_name="made up",
            model="cnn-bn", parameters=2174, dataset=DATASET, epochs=epochs,
        )  # fmt: skip
        log.write(events.encode(started, first=True))
        for epoch in range(1, epochs + 1):
            for step in range(1, steps + 1):
                told = events.Step(
                    time=clock + epoch, epoch=epoch, step=step, steps=steps, loss=0.2 / epoch + 0.1 / step,
                    accuracy=0.9, learning_rate=0.01, images_per_second=21_000.123456,
                )  # fmt: skip
                log.write(events.encode(told))
            finished = events.EpochFinished(
                time=clock + epoch, epoch=epoch, train_loss=0.2 / epoch, train_accuracy=0.97, test_loss=0.1 / epoch,
                test_accuracy=0.97 + number % 100 / 10_000, learning_rate=0.01, seconds=2.9, images_per_second=21_000.0,
            )  # fmt: skip
            log.write(events.encode(finished))
        ended = events.RunFinished(
            time=clock + epochs, outcome="completed", epochs=epochs, best_epoch=1, test_accuracy=0.97, tested=10_000
        )
        log.write(events.encode(ended))
    return Run(path)
