"""Targets of the heads: labels and votes as distributions, blended with those of teachers."""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemood.datasets import ExpressionDataset, ferplus
from facemood.errors import DatasetError
from facemood.labels import EXPRESSIONS
from facemood.train.data.soft_labels import SoftLabels, read_soft_labels
from facemood.train.recipe import DistillConfig

logger: logging.Logger = logging.getLogger("facemood")

VOTE_HEAD = "ferplus"
"""Name of the head that learns FER+'s votes; another one learns a dataset's labels."""

OWN_HEAD = "expression"
"""Name of the label head for all datasets except FER2013 and FER+."""


def heads_of(dataset: ExpressionDataset, *, votes: bool = True) -> dict[str, tuple[str, ...]]:
    """Return the heads for a dataset, with their labels; the first learns the dataset's labels.

    Args:
        dataset: The images.
        votes: Whether a second head learns the votes, if there are any in addition to other labels.

    Example:
        >>> images, usage = np.zeros((2, 48, 48), np.uint8), np.array(["train", "train"])
        >>> heads_of(ExpressionDataset("mine", images, np.array([0, 1]), ("bored", "keen"), usage))
        {'expression': ('bored', 'keen')}
    """
    name = dataset.name if dataset.name in ("fer2013", VOTE_HEAD) else OWN_HEAD
    heads = {name: dataset.classes}
    return {**heads, VOTE_HEAD: EXPRESSIONS} if votes and dataset.votes is not None and name != VOTE_HEAD else heads


class Targets(NamedTuple):
    """The targets of each image.

    Attributes:
        labels: (N, K) float32, a distribution over the dataset's classes in each row.
        votes: (N, 8) float32, a distribution over the expressions, or zero.
        share: (N,) float32, weight 0..1 of the votes.
    """

    labels: NDArray[np.float32]
    votes: NDArray[np.float32]
    share: NDArray[np.float32]


def make_targets(
    dataset: ExpressionDataset,
    *,
    smoothing: float = 0.0,
    from_votes: bool = False,
    distill: DistillConfig | None = None,
) -> Targets:
    """Turn labels and votes into distributions.

    Args:
        dataset: The images.
        smoothing: Share of each label that is spread over all classes (Szegedy et al. 2016), 0..1.
        from_votes: The label head learns the distribution of the votes, if there are any (Barsoum et al. 2016).
        distill: The soft labels to blend in (Hinton et al. 2015) and their weights; None for none.

    Raises:
        DatasetError: The soft labels are missing, damaged, or for other images or classes; or votes are required and
            there are none for these classes.
    """
    classes = len(dataset.classes)
    labels = np.eye(classes, dtype=np.float32)[dataset.labels]
    if from_votes:
        labels = _voted(labels, dataset)
    labels = labels * np.float32(1 - smoothing) + np.float32(smoothing / classes)
    votes, share = np.zeros((len(dataset), len(EXPRESSIONS)), np.float32), np.zeros(len(dataset), np.float32)
    if dataset.votes is not None:
        votes, share = ferplus.distribution(dataset.votes)
    targets = Targets(labels, votes, share)
    if distill is None or not distill.labels:
        return targets
    return _blend(targets, dataset, read_soft_labels(distill.labels), distill)


def _blend(targets: Targets, dataset: ExpressionDataset, soft: SoftLabels, config: DistillConfig) -> Targets:
    """Blend a teacher's distribution into the rows that it knows."""
    heads = heads_of(dataset)
    for head, words in heads.items():
        if tuple(soft.about["heads"].get(head, ())) != words:
            found = "; ".join(f"{name} ({', '.join(labels)})" for name, labels in soft.about["heads"].items())
            raise DatasetError(f"soft labels {config.labels!r} are for {found}, not for {head} ({', '.join(words)})")
    rows = soft.find(dataset.pixels)
    known = rows >= 0
    if not known.any():
        raise DatasetError(f"soft labels {config.labels!r} know none of the {len(dataset)} images of {dataset.name}")
    level = logging.INFO if known.all() else logging.WARNING
    logger.log(level, "soft labels for %d of %d images", int(known.sum()), len(dataset))
    labels, votes = targets.labels.copy(), targets.votes.copy()
    for head, target, weight in zip(heads, (labels, votes), (config.label_share, config.vote_share), strict=False):
        taught = soft.distribution(head, rows[known], temperature=config.temperature)
        target[known] = (1 - weight) * target[known] + weight * taught
    votes[targets.share == 0] = 0
    return Targets(labels, votes, targets.share)


def _voted(labels: NDArray[np.float32], dataset: ExpressionDataset) -> NDArray[np.float32]:
    """Return the distribution of the votes for images with votes, and the label for the others."""
    if dataset.votes is None or dataset.classes != EXPRESSIONS:
        raise DatasetError(
            f"loss.targets='votes' needs votes for the classes, but {dataset.name} has none for "
            f"{', '.join(dataset.classes)}; use the dataset ferplus:DIR, or loss.targets='labels'"
        )
    votes, share = ferplus.distribution(dataset.votes)
    return np.where(share[:, None] > 0, votes, labels)
