import numpy as np
import pytest
import torch

from facemood.models import ModelCard
from facemood.models.session import prepare
from facemood.train.module import fit_input, learning_rate
from facemood.train.recipe import OptimizeConfig
from tests.train.test_fit import small_recipe


def test_the_rate_rises_then_falls_to_zero() -> None:
    config = OptimizeConfig(epochs=10, warmup=2, fine_epochs=0)
    rates = [learning_rate(step, 100, config) for step in range(101)]
    assert rates[:20] == sorted(rates[:20])
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert max(rates) == rates[20] == 1.0
    assert rates[100] == pytest.approx(0, abs=1e-9)


def test_a_frozen_phase_has_a_schedule_of_its_own_and_the_next_is_lower() -> None:
    config = OptimizeConfig(epochs=10, warmup=0, fine_epochs=0, freeze_epochs=4, fine_tune_rate=0.1)
    rates = [learning_rate(step, 100, config) for step in range(101)]
    assert rates[0] == 1.0
    assert rates[39] < 0.01
    assert rates[40] == pytest.approx(0.1)
    assert rates[100] == pytest.approx(0, abs=1e-9)
    level = OptimizeConfig(epochs=10, warmup=0, freeze_epochs=4, fine_tune_rate=0.1, schedule="constant")
    assert {round(learning_rate(step, 100, level), 6) for step in range(101)} == {1.0, 0.1}


def test_input_is_brought_to_the_networks_colour_and_size() -> None:
    tiles = np.random.default_rng(0).integers(0, 256, (2, 48, 48), np.uint8)
    rgb = fit_input(torch.from_numpy(tiles)[:, None].float(), small_recipe("input.colour='rgb'"), 96)
    assert rgb.shape == (2, 3, 96, 96)
    torch.testing.assert_close(rgb[:, 0], rgb[:, 2])
    card = ModelCard("m", {"a": ("x",)}, "a", input_size=(96, 96), colour="rgb", mean=(0.0,) * 3, std=(1.0,) * 3)
    np.testing.assert_allclose(rgb.numpy(), prepare(tiles, card), atol=1)  # inference rounds to whole numbers
    pure = torch.tensor([255.0, 0.0, 0.0]).reshape(1, 3, 1, 1).expand(1, 3, 4, 4)
    torch.testing.assert_close(fit_input(pure, small_recipe(), 4), torch.full((1, 1, 4, 4), 255 * 0.299))
