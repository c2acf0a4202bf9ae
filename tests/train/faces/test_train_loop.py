from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from facemood.train.faces.train_loop import Plan, learn


def small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 36, 1))


def loss_of(network: nn.Module, random: np.random.Generator, batch: int) -> torch.Tensor:
    images = torch.from_numpy(random.random((batch, 1, 8, 8), np.float32))
    apart: torch.Tensor = network(images)[:, 0] - images.mean(dim=(1, 2, 3))
    return apart.square().mean()


PLAN = Plan(steps=40, batch=8, rate=1e-2, warmup=5, save=10, mean=0.9)


def test_a_network_learns(tmp_path: Path) -> None:
    untrained = loss_of(small(), np.random.default_rng(0), 64).item()
    trained = learn(small(), loss_of, PLAN, tmp_path)
    assert loss_of(trained, np.random.default_rng(0), 64).item() < untrained / 3
    assert not trained.training


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    whole = learn(small(), loss_of, PLAN, tmp_path / "whole")

    class KilledError(Exception):
        pass

    def kill(network: nn.Module, step: int) -> None:
        if step == 25:
            raise KilledError

    with pytest.raises(KilledError):
        learn(small(), loss_of, PLAN, tmp_path / "cut", before=kill)
    seen: list[int] = []
    resumed = learn(small(), loss_of, PLAN, tmp_path / "cut", before=lambda _, step: seen.append(step))
    assert seen[0] == 20
    for one, other in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other)


def test_statistics_are_those_of_the_averaged_weights(tmp_path: Path) -> None:
    trained = learn(small(), loss_of, PLAN, tmp_path)
    images = torch.from_numpy(np.random.default_rng(9).random((4000, 1, 8, 8), np.float32))
    seen = trained[0](images)  # type: ignore[index]
    torch.testing.assert_close(trained[1].running_mean, seen.mean(dim=(0, 2, 3)), atol=5e-3, rtol=0.02)  # type: ignore[index]
