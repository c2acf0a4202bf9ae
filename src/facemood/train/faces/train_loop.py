"""The training loop of the face networks: AdamW, cosine schedule, weight averaging, checkpoints that resume exactly."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from facemood.atomic import replacing
from facemood.errors import RecipeError
from facemood.train.norms import reestimated_norms
from facemood.train.parameter_groups import parameter_groups
from facemood.train.schedule import warm_cosine

logger: logging.Logger = logging.getLogger("facemood")

LossOf = Callable[[nn.Module, np.random.Generator, int], Tensor]

STATISTICS = 200
"""Batches on which the batch norms of the averaged network are re-estimated; fewer in short runs."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Length and learning rate of a training run.

    Attributes:
        steps: Number of batches.
        batch: Images per batch.
        rate: Highest learning rate, after `warmup` steps; a cosine lowers it to zero.
        warmup: Steps in which the rate rises.
        decay: Weight decay (Loshchilov & Hutter 2019).
        mean: Decay per step of the exponential moving average of the weights.
        seed: Seed of the random numbers.
        save: Steps between two checkpoints.
    """

    steps: int
    batch: int
    rate: float = 3e-3
    warmup: int = 500
    decay: float = 0.02
    mean: float = 0.999
    seed: int = 1
    save: int = 500


def learn(
    network: nn.Module,
    loss_of: LossOf,
    plan: Plan,
    run: Path,
    *,
    before: Callable[[nn.Module, int], None] = lambda network, step: None,
) -> nn.Module:
    """Train a network, or resume from a checkpoint in the run's folder, and return the network of averaged weights.

    Args:
        network: The network.
        loss_of: Draws a batch with a generator and a batch size, and returns the network's loss on it.
        plan: Length and learning rate.
        run: Folder of the checkpoint.
        before: Called before every step with the network and the step's number; may search for false alarms.
    """
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    mean = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(plan.mean))  # type: ignore[no-untyped-call]
    optimizer = torch.optim.AdamW(parameter_groups(network, plan.decay), lr=plan.rate)
    state: dict[str, Any] = {"network": network, "mean": mean, "optimizer": optimizer}
    first = _restore(run / "last.pt", state)
    began, total = time.monotonic(), 0.0
    for step in range(first, plan.steps):
        before(network, step)
        network.train()
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * warm_cosine(step, plan.steps, plan.warmup)
        loss = loss_of(network, np.random.default_rng([plan.seed, step]), plan.batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        mean.update_parameters(network)
        total += float(loss.detach())
        if (step + 1) % plan.save == 0 or step + 1 == plan.steps:
            left = (time.monotonic() - began) / (step + 1 - first) * (plan.steps - step - 1)
            logger.info("step %d of %d: loss %.4f, %.0f s left", step + 1, plan.steps, total / plan.save, left)
            total = 0.0
            _store(run / "last.pt", state, step + 1)
    averaged: nn.Module = mean.module
    with reestimated_norms(averaged):
        for number in range(min(STATISTICS, plan.steps)):
            loss_of(averaged, np.random.default_rng([plan.seed, plan.steps, number]), plan.batch)
    return averaged


def _store(file: Path, state: dict[str, Any], step: int) -> None:
    """Write a checkpoint."""
    table = {name: part.state_dict() for name, part in state.items()}
    with replacing(file, "wb") as handle:
        torch.save({**table, "step": step}, handle)


def _restore(file: Path, state: dict[str, Any]) -> int:
    """Load a checkpoint if there is one, and return the number of completed steps.

    Raises:
        RecipeError: It is damaged.
    """
    if not file.is_file():
        return 0
    try:
        table = torch.load(file, map_location="cpu", weights_only=True)
        for name, part in state.items():
            part.load_state_dict(table[name])
        return int(table["step"])
    except Exception as error:  # pickle, zipfile and torch have classes of their own for each kind of damage
        raise RecipeError(f"{file}: cannot be resumed from: it is damaged, or of another network ({error})") from error
