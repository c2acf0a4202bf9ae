"""Label a training set by teachers: cross-fitted, each on its left-out fold, or as an ensemble on all images."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from facemood.datasets import ExpressionDataset, ferplus
from facemood.errors import DatasetError, RecipeError
from facemood.models.test_time_augmentation import make_views
from facemood.text import joined
from facemood.train.data.divide import training_pool
from facemood.train.data.fit_input import fit_input
from facemood.train.data.soft_labels import SEEN, UNSEEN, SoftLabels, pixel_keys
from facemood.train.data.targets import VOTE_HEAD, heads_of
from facemood.train.fit import load_trained
from facemood.train.module import ExpressionModule
from facemood.train.recipe import Recipe

logger: logging.Logger = logging.getLogger("facemood")

BATCH = 256
"""Images per run of a teacher."""


def label_by_teachers(
    runs: Sequence[Path], dataset: ExpressionDataset, *, views: int = 10, added: SoftLabels | None = None
) -> SoftLabels:
    """Label the training split by trained networks.

    Cross-fitted teachers, whose recipe has folds, label the fold that they left out. Teachers without folds label all
    images together. Their labels are better, but for images that they know, so they suit a smaller student, or one that
    should match their mean.

    Args:
        runs: Either one run for each fold, all of one recipe except fold and seed; or any number without folds.
        dataset: The dataset that they were trained on.
        views: Number of views of each image (test-time augmentation): 1, 2 (mirrored too) or 10 (and shifted).
        added: Soft labels of earlier teachers for the same images, to be averaged in; None for none.

    Returns:
        The mean logits over teachers and views for each image of the training split, with their accuracy. Each teacher
        of an image counts once, also those of the soft labels that are averaged in.

    Raises:
        RecipeError: Runs with folds are not all the folds of one recipe, each once; or a run has other heads than the
            dataset's.
        DatasetError: The added soft labels have other heads, or do not know all images.
    """
    teachers = [load_trained(run) for run in runs]
    recipes = [module.recipe for module, _ in teachers]
    crossed = _are_crossed(recipes)
    pool = training_pool(recipes[0], dataset)
    fold_of = pool.folds(len(recipes)) if crossed else None
    heads = heads_of(pool)
    _check_heads(runs, [facts["heads"] for _, facts in teachers], {head: len(words) for head, words in heads.items()})
    logits = {head: np.zeros((len(pool), len(words)), np.float32) for head, words in heads.items()}
    for (module, _), recipe in zip(teachers, recipes, strict=True):
        labelled = np.ones(len(pool), bool) if fold_of is None else fold_of == recipe.data.fold
        for head, values in _run(module, np.asarray(pool.images[labelled]), views).items():
            logits[head][labelled] += values if crossed else values / len(runs)
    if added is not None:
        logits = _mean(logits, 1 if crossed else len(runs), added, pool, heads)
    started = {"weights": weights} if (weights := teachers[0][1].get("weights")) else {}
    keys, first = np.unique(pixel_keys(pool.pixels), return_index=True)
    about = {
        "heads": {head: list(words) for head, words in heads.items()},
        "dataset": dataset.name,
        "images": len(pool),
        "views": views,
        "teachers": {"count": len(recipes), "recipe": recipes[0].to_dict(), **started},
        UNSEEN if crossed and (added is None or UNSEEN in added.about) else SEEN: _accuracy(pool, logits),
        **({} if added is None else {"added": dict(added.about)}),
    }
    return SoftLabels(keys, {head: values[first] for head, values in logits.items()}, about)


def _mean(
    logits: dict[str, NDArray[np.float32]],
    teachers: int,
    added: SoftLabels,
    pool: ExpressionDataset,
    heads: Mapping[str, tuple[str, ...]],
) -> dict[str, NDArray[np.float32]]:
    """Average logits with those of earlier teachers, each teacher of an image once."""
    rows = added.find(pool.pixels)
    if (rows < 0).any():
        raise DatasetError(f"the added soft labels know only {(rows >= 0).sum():,} of {len(rows):,} images")
    for head, words in heads.items():
        if tuple(added.about["heads"].get(head, ())) != words:
            raise DatasetError(f"the added soft labels have no head {head} with the labels {', '.join(words)}")
    share = np.float32(teachers / (teachers + added.teachers_of_an_image))
    return {head: share * values + (1 - share) * added.logits[head][rows] for head, values in logits.items()}


def _are_crossed(recipes: Sequence[Recipe]) -> bool:
    """Return whether teachers are cross-fitted; they must be all the folds of one recipe, each once."""
    counts = {recipe.data.folds for recipe in recipes}
    if counts == {0}:
        return False
    found = sorted(recipe.data.fold for recipe in recipes)
    if counts != {len(recipes)} or found != list(range(len(recipes))):
        raise RecipeError(
            f"expected one run for each fold of one recipe, but got folds {', '.join(map(str, found))} of "
            f"{', '.join(map(str, sorted(counts)))}"
        )
    return True


def _check_heads(runs: Sequence[Path], found: Sequence[dict[str, int]], wanted: dict[str, int]) -> None:
    """Reject a teacher whose heads are not those of the dataset."""
    for run, heads in zip(runs, found, strict=True):
        if heads != wanted:
            raise RecipeError(
                f"{run}: expected a run with {_counted(wanted)}, as this dataset trains, but it has {_counted(heads)}"
            )


def _counted(heads: dict[str, int]) -> str:
    """List heads with their number of classes."""
    return joined([f"{head} ({count} classes)" for head, count in heads.items()])


@torch.inference_mode()
def _run(module: ExpressionModule, images: NDArray[np.uint8], views: int) -> dict[str, NDArray[np.float32]]:
    """Return the mean logits of each head over the views of images (N, h, w), each at the size of the network."""
    parts: dict[str, list[NDArray[np.float32]]] = {}
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH, None].astype(np.float32)
        inputs = (fit_input(torch.from_numpy(view), module.recipe, module.size) for view in make_views(batch, views))
        outputs = [module.network(view) for view in inputs]
        for head in outputs[0]:
            parts.setdefault(head, []).append(torch.stack([output[head] for output in outputs]).mean(0).numpy())
    return {head: np.concatenate(values) for head, values in parts.items()}


def _accuracy(pool: ExpressionDataset, logits: dict[str, NDArray[np.float32]]) -> dict[str, Any]:
    """Return the accuracy of the soft labels against the dataset's labels, and the number of images, for each head."""
    found = {}
    for head, values in logits.items():
        voted = head == VOTE_HEAD and pool.votes is not None
        truth = ferplus.majority(pool.votes) if voted else pool.labels  # type: ignore[arg-type]
        rows = truth >= 0
        hits = values.argmax(axis=1)[rows] == truth[rows]
        found[head] = {"accuracy": round(float(hits.mean()), 4), "n": int(rows.sum())}
    logger.info("accuracy of the teachers: %s", found)
    return found
