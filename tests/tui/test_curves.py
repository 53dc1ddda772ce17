"""The curves of a run: what is drawn of it, live and afterwards."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from engine import events
from engine.runs import Store
from tests.tui.app_harness import WrittenRun, completed
from tui.curves import accuracy_curves, axis_end, loss_curves, rate_curves, smoothing_span
from tui.family import Family
from tui.snapshot import RunReplay, RunSnapshot


@pytest.fixture
def store(store: Store, sketches_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("MNIST_TUI_DATA", str(sketches_folder))
    return store


def drawn(written: WrittenRun) -> RunSnapshot:
    """What is shown of a run whose curves are drawn."""
    replay = RunReplay(written.run)
    replay.draw(True)
    replay.update()
    return replay.snapshot


def alone(snapshot: RunSnapshot) -> Family:
    return Family(snapshot, (snapshot,))


def train(written: WrittenRun, epochs: int, steps: int = 8) -> None:
    written.start()
    for epoch in range(1, epochs + 1):
        for step in range(1, steps + 1):
            written.step(epoch, step)
        written.epoch(epoch)


def test_a_finished_run_of_two_epochs_keeps_its_curve_within_the_epochs(store: Store) -> None:
    written = WrittenRun(store, epochs=2)
    train(written, 2)
    live = drawn(written)
    written.finish()
    finished = drawn(written)
    assert len(finished.steps) == 16
    assert loss_curves(alone(finished)) == loss_curves(alone(live))
    train_loss, test_loss = loss_curves(alone(finished))
    assert train_loss.xs == pytest.approx([step / 8 for step in range(1, 17)])
    assert test_loss.xs == (1, 2)


def test_the_legend_states_what_the_table_does_of_a_finished_epoch(store: Store) -> None:
    written = WrittenRun(store, epochs=3)
    train(written, 2)
    train_loss, test_loss = loss_curves(alone(drawn(written)))
    assert train_loss.stated == pytest.approx(0.1)
    assert train_loss.ys[-1] != pytest.approx(0.1), "the curve is averaged over a part of the epoch"
    assert accuracy_curves(alone(drawn(written)))[0].stated == pytest.approx(96.0)
    assert test_loss.stated is None
    written.step(3, 1)
    assert loss_curves(alone(drawn(written)))[0].stated is None, "the third epoch is on its way"
    written.finish("stopped")
    assert loss_curves(alone(drawn(written)))[0].stated == pytest.approx(0.1)


def test_the_training_curve_does_not_jump_where_an_epoch_begins(store: Store) -> None:
    """The running mean of an epoch begins at what the loss is there, not at the mean over the epoch before."""
    written = WrittenRun(store, epochs=2)
    written.start()
    losses = [1 - step / 32 for step in range(32)]
    for epoch in (1, 2):
        own = losses[16 * (epoch - 1) : 16 * epoch]
        for step in range(1, 17):
            written.tell(
                events.Step(
                    epoch=epoch, step=step, steps=16, loss=sum(own[:step]) / step, accuracy=0.9, learning_rate=0.01,
                    images_per_second=1e4,
                )
            )  # fmt: skip
        written.epoch(epoch)
    ys = loss_curves(alone(drawn(written)))[0].ys
    falls = [before - after for before, after in pairwise(ys)]
    assert max(falls) < 1.3 / 32
    assert min(falls) > 0
    written.vanish()


def test_only_runs_whose_curves_are_shown_hold_their_steps(store: Store) -> None:
    written = WrittenRun(store, epochs=2)
    train(written, 2)
    written.finish()
    replay = RunReplay(written.run)
    replay.update()
    assert replay.snapshot.steps == ()
    replay.draw(True)
    assert len(replay.snapshot.steps) == 16
    replay.draw(False)
    assert replay.snapshot.steps == ()


def test_without_steps_the_curve_goes_through_the_means_of_the_epochs(store: Store) -> None:
    replay = RunReplay(completed(store, epochs=3))
    replay.update()
    (training, _) = loss_curves(alone(replay.snapshot))
    assert training.xs[-1] == 3
    assert training.ys[-1] == pytest.approx(0.2 / 3, rel=1e-3)


def test_accuracies_are_in_per_cent(store: Store) -> None:
    written = WrittenRun(store)
    train(written, 1)
    (_, test) = accuracy_curves(alone(drawn(written)))
    assert test.ys == pytest.approx([96.0])
    written.vanish()


def test_the_learning_rate_has_a_curve(store: Store) -> None:
    written = WrittenRun(store)
    train(written, 2)
    (rate,) = rate_curves(alone(drawn(written)))
    assert set(rate.ys) == {0.01}
    assert rate.xs[-1] == 2
    written.vanish()


@pytest.mark.parametrize(("planned", "done", "end"), [(10, 0, 1), (10, 1, 1), (10, 3, 5), (10, 7, 10), (3, 3, 3)])
def test_the_axis_shows_some_epochs_ahead_and_in_the_end_all(store: Store, planned: int, done: int, end: int) -> None:
    written = WrittenRun(store, epochs=planned)
    train(written, done)
    assert axis_end(alone(drawn(written))) == end
    written.vanish()


@pytest.mark.parametrize(("planned", "done", "span"), [(10_000, 1, 0.08), (10, 10, 1 / 3), (10_000, 40, 50 / 30)])
def test_the_average_is_over_a_small_part_of_what_is_shown(store: Store, planned: int, done: int, span: float) -> None:
    written = WrittenRun(store, epochs=planned)
    train(written, done, steps=1)
    assert smoothing_span(drawn(written)) == pytest.approx(span)
    written.vanish()
