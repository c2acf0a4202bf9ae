import pytest
import torch
from torch import nn

from facemood.train.parameter_groups import build_optimizer, parameter_groups
from facemood.train.recipe import OptimizeConfig


def small() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))


def test_only_weights_of_convolutions_and_linear_layers_decay() -> None:
    network = small()
    decaying, others = parameter_groups(network, 0.02)
    assert (decaying["weight_decay"], others["weight_decay"]) == (0.02, 0.0)
    assert {id(value) for value in decaying["params"]} == {id(network[0].weight), id(network[3].weight)}
    assert len(others["params"]) == 4  # two biases, and scale and shift of the batch norm
    count = sum(value.numel() for group in (decaying, others) for value in group["params"])
    assert count == sum(value.numel() for value in network.parameters())


@pytest.mark.parametrize(
    ("name", "kind"), [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)]
)
def test_the_recipe_names_the_optimizer(name: str, kind: type[torch.optim.Optimizer]) -> None:
    config = OptimizeConfig(optimizer=name, learning_rate=0.3, weight_decay=0.04)
    optimizer = build_optimizer(small(), config)
    assert type(optimizer) is kind
    assert [(group["lr"], group["weight_decay"]) for group in optimizer.param_groups] == [(0.3, 0.04), (0.3, 0.0)]


def test_nesterovs_look_ahead_needs_momentum() -> None:
    groups = {
        momentum: build_optimizer(small(), OptimizeConfig(momentum=momentum)).param_groups[0] for momentum in (0.9, 0.0)
    }
    assert (groups[0.9]["momentum"], groups[0.9]["nesterov"]) == (0.9, True)
    assert (groups[0.0]["momentum"], groups[0.0]["nesterov"]) == (0.0, False)


def test_weights_shrink_without_a_gradient_and_biases_do_not() -> None:
    network = small()
    before = [value.detach().clone() for value in network.parameters()]
    optimizer = build_optimizer(network, OptimizeConfig(optimizer="adamw", learning_rate=0.1, weight_decay=0.5))
    sum(value.sum() * 0 for value in network.parameters()).backward()  # type: ignore[union-attr]
    optimizer.step()
    for old, new in zip(before, network.parameters(), strict=True):
        torch.testing.assert_close(new.detach(), old * (0.95 if old.ndim > 1 else 1))
