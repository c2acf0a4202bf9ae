"""Divide a dataset into training and validation images, and compute class weights."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facemood.datasets import ExpressionDataset, open_dataset
from facemood.datasets.folder import ONE_SPLIT
from facemood.datasets.splits import count_near_duplicates, find_split, split_off
from facemood.errors import DatasetError, RecipeError, did_you_mean
from facemood.evaluation.run_images import TEST, TRAINING
from facemood.train.recipe import LossConfig, Recipe

logger: logging.Logger = logging.getLogger("facemood")


def open_data(recipe: Recipe, spec: str | Path) -> ExpressionDataset:
    """Open a dataset with images of the size and colour of the recipe's network.

    Near-duplicates are searched for once and marked, which takes seconds for 35,000 images and a quarter of an hour for
    300,000. A recipe with `test_share` keeps images aside for the test (`keep_aside`).

    Raises:
        DatasetError: The dataset is missing or damaged, or a class is too small to be split.
    """
    colour = "bgr" if recipe.input.colour == "rgb" else "grey"
    dataset = open_dataset(spec, size=recipe.input.size or None, colour=colour).with_clusters()
    return keep_aside(recipe, dataset)


def keep_aside(recipe: Recipe, dataset: ExpressionDataset) -> ExpressionDataset:
    """Return the dataset with a test split of the recipe's share, if it has none: stratified by class.

    Near-duplicates stay on one side. The same images and seed give the same test split.

    Raises:
        DatasetError: A class has too few different images to be in training, validation and test.
    """
    name = find_split(dataset, recipe.data.train)
    if not recipe.data.test_share or name is None or find_split(dataset, TEST):
        return dataset
    inside = dataset.usage == name
    pool = dataset.subset(inside)
    if find_split(dataset, recipe.data.validate) is None:
        _check_thirds(pool)
    aside = split_off(pool, recipe.data.test_share, seed=recipe.train.seed)
    usage = np.where(inside, TRAINING if name == ONE_SPLIT else name, dataset.usage).astype(object)
    usage[np.flatnonzero(inside)[aside]] = TEST
    logger.info("no test split: %d of %d images are kept aside for the test", int(aside.sum()), len(pool))
    return dataclasses.replace(dataset, usage=usage.astype(str))


def _check_thirds(pool: ExpressionDataset) -> None:
    """Reject a class with fewer than three different images: training, validation and test need one each."""
    cluster = pool.clusters()
    for label, word in enumerate(pool.classes):
        count = len(np.unique(cluster[pool.labels == label]))
        if 0 < count < 3:
            raise DatasetError(
                f"{pool.name}: the class {word!r} has only {count} different image{'s' if count > 1 else ''}, but "
                "training, validation and test need one each; add images of it, or keep none aside for the test with "
                "--set data.test_share=0"
            )


def prepare(recipe: Recipe, dataset: ExpressionDataset) -> tuple[ExpressionDataset, ExpressionDataset]:
    """Return the training and the validation images.

    No training image has a near-duplicate in a held-out split or in the fold that is left out. If the dataset has no
    validation split, one is split off: stratified by class, with near-duplicates on the same side.

    Raises:
        DatasetError: There is no training split, or a class is too small to be split.
    """
    pool = training_pool(recipe, dataset)
    name = find_split(dataset, recipe.data.validate)
    if name is None:
        watched = split_off(pool, recipe.data.validation_share, seed=recipe.train.seed)
        training, validation = pool.subset(~watched), pool.subset(watched)
        logger.info("no split %r: %d of %d images are for validation", recipe.data.validate, len(validation), len(pool))
    else:
        training, validation = pool, dataset.split(name)
        _warn_of_duplicates(dataset, recipe)
    if recipe.data.folds:
        training = training.subset(training.folds(recipe.data.folds) != recipe.data.fold)
        logger.info("fold %d of %d is left out", recipe.data.fold, recipe.data.folds)
    logger.info("training on %d images, validating on %d", len(training), len(validation))
    return training, validation


def test_images(dataset: ExpressionDataset) -> ExpressionDataset | None:
    """Return the images of the test split, from which nothing is learned; None if there are none."""
    name = find_split(dataset, TEST)
    return dataset.split(name) if name else None


def training_pool(recipe: Recipe, dataset: ExpressionDataset) -> ExpressionDataset:
    """Return the images of the training split that have no near-duplicate in a held-out split.

    Raises:
        DatasetError: There is no such split.
    """
    name = find_split(dataset, recipe.data.train) or recipe.data.train
    held_out = [split for wanted in recipe.data.held_out if (split := find_split(dataset, wanted))]
    duplicates = dataset.near_duplicates_of(held_out) if held_out else np.zeros(len(dataset), bool)
    logger.info("%d near-duplicates of held-out images left out", int(duplicates.sum()))
    return dataset.subset(~duplicates).split(name)


def _warn_of_duplicates(dataset: ExpressionDataset, recipe: Recipe) -> None:
    """Warn of validation images with near-duplicates in training, if the recipe does not leave them out."""
    train, watched = (find_split(dataset, name) for name in (recipe.data.train, recipe.data.validate))
    if watched in {find_split(dataset, name) for name in recipe.data.held_out}:
        return
    count = count_near_duplicates(dataset, dataset.usage == train, dataset.usage == watched)
    if count:
        logger.warning(
            "%d of the images in %s are near-duplicates of images in %s, so its figures are too good; "
            "leave such images out of training with data.held_out=[%r]",
            count, watched, train, watched,
        )  # fmt: skip


def class_weights(training: ExpressionDataset, config: LossConfig) -> Tensor | None:
    """Return the weight of each class, (K,) float32 with a mean of 1 over the images, or None if all are equal.

    Raises:
        RecipeError: `alpha` names a label that is not a class.
    """
    if config.class_weights == "none" and not config.alpha:
        return None
    unknown = sorted(set(config.alpha).difference(training.classes))
    if unknown:
        raise RecipeError(
            f"loss.alpha names {unknown[0]!r}, which is not among the classes {', '.join(training.classes)}."
            f"{did_you_mean(unknown[0], training.classes)}"
        )
    counts = np.bincount(training.labels, minlength=len(training.classes))
    weights = np.array([config.alpha.get(word, 1.0) for word in training.classes])
    if config.class_weights == "balanced":
        weights = weights / np.maximum(counts, 1)
    mean = float((weights * counts).sum() / counts.sum())
    return torch.tensor(weights / mean, dtype=torch.float32)
