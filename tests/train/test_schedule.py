import pytest
import torch

from facemood.train.recipe import OptimizeConfig
from facemood.train.schedule import build_schedule, learning_rate, warm_cosine


def test_the_rate_rises_then_falls_to_zero() -> None:
    config = OptimizeConfig(epochs=10, warmup=2, fine_epochs=0)
    rates = [learning_rate(step, 100, config) for step in range(101)]
    assert rates[:20] == sorted(rates[:20])
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert max(rates) == rates[20] == 1.0
    assert rates[100] == pytest.approx(0, abs=1e-9)


def test_a_frozen_phase_has_a_separate_schedule_and_the_next_is_lower() -> None:
    config = OptimizeConfig(epochs=10, warmup=0, fine_epochs=0, freeze_epochs=4, fine_tune_rate=0.1)
    rates = [learning_rate(step, 100, config) for step in range(101)]
    assert rates[0] == 1.0
    assert rates[39] < 0.01
    assert rates[40] == pytest.approx(0.1)
    assert rates[100] == pytest.approx(0, abs=1e-9)
    level = OptimizeConfig(epochs=10, warmup=0, freeze_epochs=4, fine_tune_rate=0.1, schedule="constant")
    assert {round(learning_rate(step, 100, level), 6) for step in range(101)} == {1.0, 0.1}


def test_the_cosine_of_the_networks_of_faces_begins_with_the_warm_up() -> None:
    factors = [warm_cosine(step, 1000, 100) for step in range(1001)]
    assert factors.index(max(factors)) == 99
    assert max(factors) < 1  # the cosine has begun to fall
    assert factors[500] == pytest.approx(0.5)
    assert factors[1000] == pytest.approx(0, abs=1e-9)


def rates_of(config: OptimizeConfig, losses: list[float]) -> list[float]:
    """The learning rates under a schedule that is stepped once for each loss."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    built = build_schedule(optimizer, config, steps=len(losses), watched="loss", rises=False)
    rates = []
    for loss in losses:
        optimizer.step()
        built["scheduler"].step(*([loss] if "monitor" in built else []))
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def test_a_plateau_halves_the_rate_if_the_figure_does_not_improve() -> None:
    config = OptimizeConfig(schedule="plateau")
    assert rates_of(config, [9.0, 8.0, 7.0, 6.0, 5.0, 4.0]) == [1.0] * 6
    assert rates_of(config, [9.0] * 9) == [1.0] * 4 + [0.5] * 4 + [0.25]


def test_higher_is_better_if_accuracy_is_monitored() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    built = build_schedule(optimizer, OptimizeConfig(schedule="plateau"), steps=0, watched="accuracy", rises=True)
    assert (built["monitor"], built["scheduler"].mode) == ("accuracy", "max")


def test_the_other_schedules_change_the_rate_every_step() -> None:
    config = OptimizeConfig(epochs=4, warmup=0, fine_epochs=0)
    assert rates_of(config, [0.0] * 4) == pytest.approx([learning_rate(step, 4, config) for step in (1, 2, 3, 4)])
