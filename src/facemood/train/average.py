"""The mean of several networks that grew from the same weights: one network, as fast as each, that reads better.

Runs that start from one model and differ in seed or augmentation stay near each other, and the mean of their weights
mostly reads better than any of them (Wortsman et al. 2022, "Model soups").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facemood.datasets import ExpressionDataset
from facemood.errors import RecipeError
from facemood.spacing import evenly_spaced
from facemood.train.data.batches import as_tensor
from facemood.train.fit import load_trained
from facemood.train.module import ExpressionModule, fit_input
from facemood.train.norms import reestimated_norms
from facemood.train.recipe import Recipe

SAME = ("dataset", "classes", "heads", "input_size", "trained_on")
"""What runs must agree in for one network to stand for all of them."""

ALIKE = ("network.", "input.")
"""How the names of settings begin that make the network what it is; averaged runs must agree in them."""

FREE = ("network.dropout", "network.stage_dropout")
"""Settings among those that only matter in training; averaged runs may differ in them."""

NORM_IMAGES = 8192
"""Training images on which batch norms are re-estimated at most."""

BATCH = 256
"""Images in one pass of the re-estimation."""


def load_average(runs: Sequence[Path], training: ExpressionDataset) -> tuple[ExpressionModule, dict[str, Any]]:
    """Load the mean of several runs' weights, ready for inference, and what can be said of it.

    Args:
        runs: Folders of runs; one is loaded as it is.
        training: The images that they were trained on; the batch norms of a mean are measured on them.

    Returns:
        The network, and the facts of the first run. For a mean they have ``averaged_with`` besides: for each other run
        the settings of its recipe that differ from the first's, such as ``{"train.seed": 2}``.

    Raises:
        RecipeError: A folder holds no run, or the runs did not grow from the same weights.
    """
    loaded = [load_trained(run) for run in runs]
    module, first = loaded[0]
    if len(loaded) == 1:
        return module, first
    recipes = [other.recipe.to_dict() for other, _ in loaded]
    differing = [_differences(recipes[0], recipe) for recipe in recipes[1:]]
    for run, (_, facts), settings in zip(runs[1:], loaded[1:], differing, strict=True):
        _check_alike(f"{runs[0]} and {run}", first, facts, settings)
    _check_start(runs[0], module.recipe)
    module.network.load_state_dict(mean_weights([other.network.state_dict() for other, _ in loaded]))
    measure_norms(module.network, training, module.recipe, size=module.size)
    return module, {**first, "averaged_with": differing}


def mean_weights(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of networks' weights; whole numbers, such as counts of batches, are the first's.

    Example:
        >>> mean_weights([{"w": torch.tensor([1.0])}, {"w": torch.tensor([2.0])}])
        {'w': tensor([1.5000])}
    """
    first = states[0]
    return {
        name: torch.stack([state[name] for state in states]).mean(dim=0) if value.is_floating_point() else value
        for name, value in first.items()
    }


def measure_norms(network: nn.Module, training: ExpressionDataset, recipe: Recipe, *, size: int) -> None:
    """Re-estimate the batch norms of a mean of weights on whole, unchanged training images (`reestimated_norms`).

    Args:
        network: Is in evaluation mode afterwards.
        training: Evenly spaced images of it are looked at.
        recipe: Says what the network's input is.
        size: Side of the input in pixels.
    """
    rows = evenly_spaced(len(training), NORM_IMAGES)
    with reestimated_norms(network):
        for part in np.array_split(rows, -(-len(rows) // BATCH)):
            network(fit_input(as_tensor(np.asarray(training.images[part])).float(), recipe, size))


def _check_alike(runs: str, first: Mapping[str, Any], other: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Refuse two runs that did not learn the same from the same images with the same network."""
    named = [key for key in settings if key.startswith(ALIKE) and key not in FREE]
    differing = [*(key for key in SAME if first.get(key) != other.get(key)), *named]
    if differing:
        raise RecipeError(
            f"{runs} differ in {', '.join(differing)}; one network is the mean of runs whose images, labels and "
            "networks are the same, and which started from the same model"
        )


def _check_start(run: Path, recipe: Recipe) -> None:
    """Refuse runs that began with random weights."""
    network = recipe.network
    if not network.start and not (network.kind.startswith("timm:") and network.pretrained):
        raise RecipeError(
            f"{run} began with random weights, and the mean of such networks reads nothing; train the runs from one "
            "model (--set network.start=FILE), or export one alone"
        )


def _differences(first: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a recipe that differ from the first's, by their names on the command line."""
    before = dict(_settings(first))
    return {key: value for key, value in _settings(other) if before.get(key) != value}


def _settings(recipe: Mapping[str, Any], path: Iterable[str] = ()) -> Iterator[tuple[str, Any]]:
    """Yield each setting of a recipe as ``section.key`` and its value."""
    for key, value in recipe.items():
        if isinstance(value, Mapping):
            yield from _settings(value, (*path, key))
        else:
            yield ".".join((*path, key)), value
