"""Parameter groups and optimizers: weight decay for weights, none for biases and batch norm."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from facemood.train.recipe import OptimizeConfig


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Divide parameters by whether weight decay applies to them.

    Args:
        network: The network.
        weight_decay: Weight decay of convolutions and linear layers (two dimensions or more). Biases and the parameters
            of batch norm (one dimension) have none.

    Example:
        >>> groups = parameter_groups(nn.Linear(2, 3), 0.01)
        >>> [(group["weight_decay"], [tuple(one.shape) for one in group["params"]]) for group in groups]
        [(0.01, [(3, 2)]), (0.0, [(3,)])]
    """
    weights = [value for value in network.parameters() if value.ndim > 1]
    others = [value for value in network.parameters() if value.ndim <= 1]
    return [{"params": weights, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def build_optimizer(network: nn.Module, config: OptimizeConfig) -> torch.optim.Optimizer:
    """Build the recipe's optimizer.

    Args:
        network: The network.
        config: Kind, learning rate, momentum and weight decay.
    """
    groups = parameter_groups(network, config.weight_decay)
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum, nesterov=config.momentum > 0)
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, lr=config.learning_rate)
