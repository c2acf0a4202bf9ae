"""What the heads learn: labels and votes as distributions, blended with what teachers said."""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemood.datasets import ExpressionDataset, ferplus
from facemood.errors import DatasetError
from facemood.labels import EXPRESSIONS
from facemood.train.recipe import DistillConfig
from facemood.train.soft_labels import SoftLabels, read_soft_labels

logger = logging.getLogger("facemood")

LABEL_HEAD, VOTE_HEAD = "fer2013", "ferplus"


class Targets(NamedTuple):
    """What each image should be read as.

    Attributes:
        labels: (N, K) float32, a distribution over the dataset's classes in each row.
        votes: (N, 8) float32, a distribution over the expressions, or zero.
        share: (N,) float32, weight 0..1 of the votes.
    """

    labels: NDArray[np.float32]
    votes: NDArray[np.float32]
    share: NDArray[np.float32]


def make_targets(
    dataset: ExpressionDataset, *, smoothing: float = 0.0, distill: DistillConfig | None = None
) -> Targets:
    """Turn labels and votes into distributions.

    Args:
        dataset: The images.
        smoothing: Share of each label that is spread over all classes (Szegedy et al. 2016), 0..1.
        distill: Which soft labels are blended in (Hinton et al. 2015), and how much; None blends nothing.

    Raises:
        DatasetError: The soft labels are missing, damaged, or of other images or classes.
    """
    classes = len(dataset.classes)
    labels = np.eye(classes, dtype=np.float32)[dataset.labels] * np.float32(1 - smoothing) + smoothing / classes
    votes, share = np.zeros((len(dataset), len(EXPRESSIONS)), np.float32), np.zeros(len(dataset), np.float32)
    if dataset.votes is not None:
        votes, share = ferplus.distribution(dataset.votes)
    targets = Targets(labels.astype(np.float32), votes, share)
    if distill is None or not distill.labels:
        return targets
    return _blend(targets, dataset, read_soft_labels(distill.labels), distill)


def _blend(targets: Targets, dataset: ExpressionDataset, soft: SoftLabels, config: DistillConfig) -> Targets:
    """Mix a teacher's distribution into the rows that it knows."""
    classes = {LABEL_HEAD: dataset.classes, VOTE_HEAD: EXPRESSIONS}
    for head, labels in soft.about["heads"].items():
        if tuple(labels) != classes[head]:
            raise DatasetError(
                f"soft labels {config.labels!r} are for {', '.join(labels)}, not {', '.join(classes[head])}"
            )
    rows = soft.find(dataset.images)
    known = rows >= 0
    if not known.any():
        raise DatasetError(f"soft labels {config.labels!r} know none of the {len(dataset)} images of {dataset.name}")
    level = logging.INFO if known.all() else logging.WARNING
    logger.log(level, "soft labels for %d of %d images", int(known.sum()), len(dataset))
    labels, votes = targets.labels.copy(), targets.votes.copy()
    for head, target, weight in ((LABEL_HEAD, labels, config.label_share), (VOTE_HEAD, votes, config.vote_share)):
        if head in soft.logits:
            taught = soft.distribution(head, rows[known], temperature=config.temperature)
            target[known] = (1 - weight) * target[known] + weight * taught
    votes[targets.share == 0] = 0
    return Targets(labels, votes, targets.share)
