"""Label a training set by teachers that never saw what they label (cross-fitting)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from facemood.datasets import ExpressionDataset, ferplus
from facemood.errors import RecipeError
from facemood.models.views import make_views
from facemood.train.data.divide import training_pool
from facemood.train.data.soft_labels import SoftLabels, pixel_keys
from facemood.train.data.targets import VOTE_HEAD, heads_of
from facemood.train.fit import load_trained
from facemood.train.recipe import Recipe

logger = logging.getLogger("facemood")

BATCH = 256

VIEWS = 10
"""How often each image is read: as it is, moved to four corners, and the mirror image of each."""


def label_out_of_fold(runs: Sequence[Path], dataset: ExpressionDataset) -> SoftLabels:
    """Let each teacher label the fold that it left out.

    Args:
        runs: A run for each fold; all of one recipe but for fold and seed.
        dataset: What they were trained on.

    Returns:
        The mean logits over ten views for every image of the training split, and what the teachers are worth: their
        accuracy on the images that they had not seen.

    Raises:
        RecipeError: The runs are not the folds of one recipe, each once.
    """
    teachers = [load_trained(run) for run in runs]
    recipes = [module.recipe for module, _ in teachers]
    _check_folds(recipes)
    pool = training_pool(recipes[0], dataset)
    fold_of = pool.folds(len(recipes))
    heads = heads_of(pool)
    logits = {head: np.empty((len(pool), len(words)), np.float32) for head, words in heads.items()}
    for (module, _), recipe in zip(teachers, recipes, strict=True):
        unseen = fold_of == recipe.data.fold
        for head, values in _run(module.network, pool.images[unseen]).items():
            logits[head][unseen] = values
    keys, first = np.unique(pixel_keys(pool.pixels), return_index=True)
    about = {
        "heads": {head: list(words) for head, words in heads.items()},
        "dataset": dataset.name,
        "images": len(pool),
        "views": VIEWS,
        "teachers": {"count": len(recipes), "recipe": recipes[0].to_dict()},
        "out_of_fold_accuracy": _accuracy(pool, logits),
    }
    return SoftLabels(keys, {head: values[first] for head, values in logits.items()}, about)


def _check_folds(recipes: Sequence[Recipe]) -> None:
    """Refuse runs that are not all the folds of one recipe."""
    found = sorted(recipe.data.fold for recipe in recipes)
    counts = {recipe.data.folds for recipe in recipes}
    if counts != {len(recipes)} or found != list(range(len(recipes))):
        raise RecipeError(
            f"expected one run for each fold of one recipe, but got folds {', '.join(map(str, found))} of "
            f"{', '.join(map(str, sorted(counts)))}"
        )


@torch.inference_mode()
def _run(network: torch.nn.Module, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Return the mean logits of each head over the views of images (N, h, w)."""
    parts: dict[str, list[NDArray[np.float32]]] = {}
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH, None].astype(np.float32)
        seen = [network(torch.from_numpy(view)) for view in make_views(batch, VIEWS)]
        for head in seen[0]:
            parts.setdefault(head, []).append(torch.stack([view[head] for view in seen]).mean(0).numpy())
    return {head: np.concatenate(values) for head, values in parts.items()}


def _accuracy(pool: ExpressionDataset, logits: dict[str, NDArray[np.float32]]) -> dict[str, Any]:
    """Measure the soft labels against what the dataset says: share right and number of images for each head."""
    found = {}
    for head, values in logits.items():
        voted = head == VOTE_HEAD and pool.votes is not None
        truth = ferplus.majority(pool.votes) if voted else pool.labels  # type: ignore[arg-type]
        rows = truth >= 0
        hits = values.argmax(axis=1)[rows] == truth[rows]
        found[head] = {"accuracy": round(float(hits.mean()), 4), "n": int(rows.sum())}
    logger.info("out-of-fold accuracy: %s", found)
    return found
