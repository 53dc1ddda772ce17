"""A run's plan: which learning rate every step has, also where the run was extended."""

from __future__ import annotations

import numpy as np
import pytest

from engine.changes import Extension
from engine.config import Schedule, TrainConfig
from engine.events import ExtensionSchedule
from engine.optimization import learning_rates
from engine.plan import Plan

STEPS = 7


def config(schedule: Schedule, epochs: int = 4) -> TrainConfig:
    return TrainConfig.create(schedule=schedule, epochs=epochs)


def rates(plan: Plan) -> np.ndarray:
    """The learning rate of every step, at a base rate of 1."""
    return np.concatenate([plan.rates(1.0, epoch, 0, STEPS, STEPS) for epoch in range(1, plan.epochs + 1)])


@pytest.mark.parametrize("schedule", ["constant", "cosine", "onecycle"])
class TestThePlan:
    def test_of_the_settings_alone_is_their_schedule(self, schedule: Schedule) -> None:
        expected = learning_rates(schedule, 1.0, 0, 4 * STEPS, 4 * STEPS)
        assert (rates(Plan.of(config(schedule))) == expected).all()

    def test_to_hold_keeps_the_last_rate(self, schedule: Schedule) -> None:
        plan = Plan.of(config(schedule))
        longer = rates(plan.extended(6, "hold"))
        assert (longer[: 4 * STEPS] == rates(plan)).all()
        assert (longer[4 * STEPS :] == longer[4 * STEPS - 1]).all()
        assert (rates(plan.extended(6, "hold").extended(8, "hold")) == rates(plan.extended(8, "hold"))).all()

    def test_to_restart_begins_the_schedule_anew(self, schedule: Schedule) -> None:
        plan = Plan.of(config(schedule))
        longer = rates(plan.extended(8, "hold").extended(12, "restart"))
        assert (longer[: 8 * STEPS] == rates(plan.extended(8, "hold"))).all()
        assert (longer[8 * STEPS :] == rates(plan)).all()

    def test_steps_of_an_epoch_can_be_asked_for_in_any_pieces(self, schedule: Schedule) -> None:
        plan = Plan.of(config(schedule)).extended(6, "hold").extended(9, "restart")
        for epoch in (1, 5, 8):
            pieces = [plan.rates(1.0, epoch, 0, 3, STEPS), plan.rates(1.0, epoch, 3, STEPS - 3, STEPS)]
            assert (np.concatenate(pieces) == plan.rates(1.0, epoch, 0, STEPS, STEPS)).all()

    def test_fewer_epochs_end_it_on_the_way_and_more_again_go_on_with_it(self, schedule: Schedule) -> None:
        plan = Plan.of(config(schedule))
        shorter = plan.extended(2, "restart")
        assert (rates(shorter) == rates(plan)[: 2 * STEPS]).all()
        assert shorter.extended(4, "restart") == plan


@pytest.mark.parametrize("choice", ["hold", "restart"])
def test_it_follows_from_the_settings_and_the_changes(choice: ExtensionSchedule) -> None:
    changes = [Extension(epoch=4, before=4, after=6, schedule=choice)]
    assert Plan.of(config("onecycle"), changes) == Plan.of(config("onecycle")).extended(6, choice)
