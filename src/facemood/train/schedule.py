"""Learning-rate schedules: warm-up, cosine, constant and plateau, with a separate phase for a frozen trunk."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.optim import Optimizer

from facemood.train.recipe import OptimizeConfig

PLATEAU_FACTOR = 0.5
"""Factor of the learning rate when the monitored figure does not improve."""

PLATEAU_PATIENCE = 3
"""Epochs without an improvement after which the plateau schedule lowers the learning rate."""


def learning_rate(step: int, steps: int, config: OptimizeConfig) -> float:
    """Return the factor of the highest learning rate at a step: linear warm-up, then half a cosine to 0, or constant.

    A run with a frozen phase has two such schedules in a row; the second one is scaled by `fine_tune_rate`.

    Args:
        step: 0..`steps`.
        steps: Steps of the run.
        config: Epochs, warm-up and kind of schedule.

    Returns:
        0..1.

    Example:
        >>> config = OptimizeConfig(epochs=10, warmup=0.0)
        >>> [round(learning_rate(step, 10, config), 3) for step in (0, 5, 10)]
        [1.0, 0.5, 0.0]
    """
    first = round(steps * config.freeze_epochs / config.epochs)
    if step < first:
        return _phase(step, first, config)
    return (config.fine_tune_rate if first else 1.0) * _phase(step - first, steps - first, config)


def warm_cosine(step: int, steps: int, warmup: int) -> float:
    """Return the factor of the highest learning rate at a step: a cosine over the whole run times a linear warm-up.

    The face networks were trained with it. It differs from `learning_rate`, whose cosine begins after the warm-up.

    Args:
        step: 0..`steps`.
        steps: Steps of the run.
        warmup: Steps in which the rate rises.

    Returns:
        0..1.

    Example:
        >>> [round(warm_cosine(step, 100, 10), 3) for step in (0, 9, 50, 100)]
        [0.1, 0.98, 0.5, 0.0]
    """
    return min(1.0, (step + 1) / warmup) * half_cosine(step / steps)


def half_cosine(progress: float) -> float:
    """Return half a cosine from 1 to 0 (Loshchilov & Hutter 2017, SGDR without restarts).

    Args:
        progress: 0..1.

    Example:
        >>> half_cosine(0.0), half_cosine(1.0)
        (1.0, 0.0)
    """
    return 0.5 * (1 + math.cos(math.pi * progress))


def build_schedule(
    optimizer: Optimizer, config: OptimizeConfig, *, steps: int, watched: str, rises: bool
) -> dict[str, Any]:
    """Build the recipe's schedule in the form that Lightning takes.

    Args:
        optimizer: The optimizer.
        config: The schedule's settings.
        steps: Steps of the run; the plateau schedule does not need them.
        watched: Name of the logged figure that the plateau schedule monitors.
        rises: Whether higher figures are better.
    """
    if config.schedule == "plateau":
        lowered = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, "max" if rises else "min", factor=PLATEAU_FACTOR, patience=PLATEAU_PATIENCE
        )
        return {"scheduler": lowered, "monitor": watched}
    by_step = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate(step, steps, config))
    return {"scheduler": by_step, "interval": "step"}


def _phase(step: int, steps: int, config: OptimizeConfig) -> float:
    """Return the factor at a step of a phase. The warm-up takes the same share of every phase as of the whole run."""
    warmup = config.warmup / config.epochs * steps
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if config.schedule == "constant":
        return 1.0
    return half_cosine(min(1.0, (step - warmup) / max(1.0, steps - warmup)))
