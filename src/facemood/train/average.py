"""Weight averaging: of several runs that started from the same model, or of a run and the model that it started from.

Runs that start from one model and differ in seed or augmentation stay close to each other, and the mean of their
weights is usually more accurate than any of them (Wortsman et al. 2022, "Model soups"). A run that learned harder
images and the model that it started from stay close as well: their mean reads both kinds of images (Wortsman et al.
2022, "Robust fine-tuning of zero-shot models").
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
from facemood.train.data.fit_input import fit_input
from facemood.train.fit import load_trained
from facemood.train.module import ExpressionModule
from facemood.train.networks.start import load_start, read_start
from facemood.train.norms import reestimated_norms
from facemood.train.recipe import Recipe

SAME = ("dataset", "classes", "heads", "input_size", "trained_on")
"""Facts in which runs must agree to be averaged."""

ALIKE = ("network.", "input.")
"""Prefixes of the settings that define the network; averaged runs must agree in them."""

FREE = ("network.dropout", "network.stage_dropout")
"""Network settings that only matter in training; averaged runs may differ in them."""

NORM_IMAGES = 8192
"""Largest number of training images on which batch norms are re-estimated."""

BATCH = 256
"""Images per run of the re-estimation."""


def load_average(
    runs: Sequence[Path], training: ExpressionDataset, *, start_share: float = 0.0
) -> tuple[ExpressionModule, dict[str, Any]]:
    """Load the mean of several runs' weights, ready for inference, and its facts.

    Args:
        runs: Folders of runs; a single run is loaded without averaging.
        training: The images that they were trained on; the batch norms of a mean are re-estimated on them.
        start_share: Share 0..1 of the weights of the model that a single run started from (`load_blend`).

    Returns:
        The network, and the facts of the first run. For a mean they also have ``averaged_with``: the settings of each
        other run's recipe that differ from the first's, such as ``{"train.seed": 2}``.

    Raises:
        RecipeError: A folder has no run, or the runs did not start from the same weights.
    """
    if start_share:
        return load_blend(runs, training, start_share=start_share)
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


def load_blend(
    runs: Sequence[Path], training: ExpressionDataset, *, start_share: float
) -> tuple[ExpressionModule, dict[str, Any]]:
    """Load the weighted mean of a run's weights and those that it started from, and its facts with ``start_share``.

    Args:
        runs: The folder of one run, which started from a facemood model with the same heads.
        training: The images that it was trained on; the batch norms are re-estimated on them.
        start_share: Share 0..1 of the weights that it started from.

    Raises:
        RecipeError: There are several runs, the share is not 0..1, or the run did not start from such a model.
    """
    if len(runs) != 1 or not 0 <= start_share <= 1:
        raise RecipeError(
            f"a share of 0..1 of the weights that one run started from is expected, but there are {len(runs)} runs and "
            f"the share is {start_share:g}; export several runs without it"
        )
    module, facts = load_trained(runs[0])
    recipe = module.recipe
    if not recipe.network.start:
        raise RecipeError(f"{runs[0]} started from no facemood model (network.start); export it without a share of one")
    start = ExpressionModule(recipe, facts["heads"], size=module.size, pretrained=False)
    rows = evenly_spaced(len(training), BATCH)
    images = fit_input(as_tensor(np.asarray(training.images[rows])).float(), recipe, module.size)
    load_start(start.network, read_start(recipe.network.start), images, heads=True)
    one, other = module.network.state_dict(), start.network.state_dict()
    mixed = {
        name: torch.lerp(value, other[name], start_share) if value.is_floating_point() else value
        for name, value in one.items()
    }
    module.network.load_state_dict(mixed)
    measure_norms(module.network, training, recipe, size=module.size)
    return module, {**facts, "start_share": start_share}


def mean_weights(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of networks' weights; integers, such as counts of batches, are taken from the first.

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
    """Re-estimate the batch norms of averaged weights on uncropped, unchanged training images (`reestimated_norms`).

    Args:
        network: Is in evaluation mode afterwards.
        training: The training images, of which evenly spaced ones are used.
        recipe: Defines the network's input.
        size: Side of the input in pixels.
    """
    rows = evenly_spaced(len(training), NORM_IMAGES)
    with reestimated_norms(network):
        for part in np.array_split(rows, -(-len(rows) // BATCH)):
            network(fit_input(as_tensor(np.asarray(training.images[part])).float(), recipe, size))


def _check_alike(runs: str, first: Mapping[str, Any], other: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Reject two runs that differ in images, labels or network."""
    named = [key for key in settings if key.startswith(ALIKE) and key not in FREE]
    differing = [*(key for key in SAME if first.get(key) != other.get(key)), *named]
    if differing:
        raise RecipeError(
            f"{runs} differ in {', '.join(differing)}; only runs with the same images, labels and network that started "
            "from the same model can be averaged"
        )


def _check_start(run: Path, recipe: Recipe) -> None:
    """Reject runs that started from random weights."""
    network = recipe.network
    if not network.start and not (network.kind.startswith("timm:") and network.pretrained):
        raise RecipeError(
            f"{run} started from random weights, and the mean of such networks is useless; train the runs from one "
            "model (--set network.start=FILE), or export a single run"
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
