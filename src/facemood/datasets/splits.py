"""Splits: find a split by its usual names, split off validation images, and count near-duplicates across splits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facemood.datasets.dataset import ExpressionDataset
from facemood.datasets.folder import ONE_SPLIT
from facemood.errors import DatasetError

SAME_SPLIT = (
    ("training", "train", "train_set"),
    ("publictest", "val", "valid", "validation", "val_set"),
    ("privatetest", "test", "testing", "test_set"),
)
"""Names of the training, validation and test split, in lower case."""

STEPS = 1000
"""Largest number of clusters that `split_off` moves to have every class on both sides."""


def find_split(dataset: ExpressionDataset, wanted: str) -> str | None:
    """Return a dataset's name of a split, or None if it has no such split.

    The exact name has priority, then the name in another case, then a name with the same meaning. If ``"all"`` is the
    only split, it is the training split.

    Example:
        >>> tiles, usage = np.zeros((2, 48, 48), np.uint8), np.array(["train", "val"])
        >>> dataset = ExpressionDataset("mine", tiles, np.array([0, 1]), ("happy", "sad"), usage)
        >>> find_split(dataset, "Training"), find_split(dataset, "PrivateTest")
        ('train', None)
    """
    if wanted in dataset.splits:
        return wanted
    lower = wanted.lower()
    same = next((group for group in SAME_SPLIT if lower in group), (lower,))
    if dataset.splits == (ONE_SPLIT,) and same == SAME_SPLIT[0]:
        return ONE_SPLIT
    found = [name for name in dataset.splits if name.lower() in same]
    return min(found, key=lambda name: name.lower() != lower, default=None)


def count_near_duplicates(dataset: ExpressionDataset, one: NDArray[np.bool_], other: NDArray[np.bool_]) -> int:
    """Count the images of the (N,) mask `other` that are near-duplicates of an image of the (N,) mask `one`."""
    if not (one.any() and other.any()):
        return 0  # nothing to compare, so no search
    cluster = dataset.clusters()
    return int(np.isin(cluster[other], cluster[one]).sum())


def split_off(dataset: ExpressionDataset, share: float, *, seed: int) -> NDArray[np.bool_]:
    """Mark about a share of each class for validation.

    Near-duplicates stay on one side, and every class is on both sides. Classes are filled from the rarest on. Without
    near-duplicates, a class differs from its share by less than one image, or has one image on the side that would have
    none.

    Args:
        dataset: The dataset to split.
        share: Share of the images, between 0 and 1.
        seed: The same seed marks the same images.

    Returns:
        (N,) bool, true for validation.

    Raises:
        DatasetError: The share is out of range, or a class has too few different images to be on both sides.
    """
    if not 0 < share < 1:
        raise DatasetError(f"the share to split off must be between 0 and 1, but is {share}")
    if not len(dataset):
        raise DatasetError(f"{dataset.name} has no images, so nothing can be split off")
    _, cluster = np.unique(dataset.clusters(), return_inverse=True)
    counts = np.zeros((cluster.max() + 1, len(dataset.classes)), np.int64)  # images of each class in each cluster
    np.add.at(counts, (cluster, dataset.labels), 1)
    _check_clusters(dataset, counts)
    random = np.random.default_rng(seed)
    chosen = _bring_to_both_sides(dataset, counts, _fill(counts, share, random), random)
    return chosen[cluster]


def _check_clusters(dataset: ExpressionDataset, counts: NDArray[np.int64]) -> None:
    """Reject a class whose images are all near-duplicates of each other."""
    clusters = (counts > 0).sum(axis=0)
    for label in np.flatnonzero(clusters == 1):
        images = int(counts[:, label].sum())
        found = f"{images} images, which are near-duplicates" if images > 1 else "one image"
        raise DatasetError(
            f"{dataset.name}: the class {dataset.classes[label]!r} has only {found}, so it cannot be in both training "
            "and validation; add other images of it, or leave the class out"
        )


def _fill(counts: NDArray[np.int64], share: float, random: np.random.Generator) -> NDArray[np.bool_]:
    """Choose clusters in random order, class by class from the rarest, if they bring the class closer to its share.

    Args:
        counts: (C, K), number of images of each class in each cluster.
        share: Share of each class.
        random: Generator of the order.

    Returns:
        (C,) bool, the clusters for validation.
    """
    chosen, decided = np.zeros(len(counts), bool), np.zeros(len(counts), bool)
    total = counts.sum(axis=0)
    for label in np.argsort(total, kind="stable"):
        sizes = counts[:, label]
        lacking = share * total[label] - sizes[chosen].sum()
        for cluster in random.permutation(np.flatnonzero((sizes > 0) & ~decided)):
            if sizes[cluster] < 2 * lacking:
                chosen[cluster] = True
                lacking -= sizes[cluster]
        decided |= sizes > 0
    return chosen


def _bring_to_both_sides(
    dataset: ExpressionDataset, counts: NDArray[np.int64], chosen: NDArray[np.bool_], random: np.random.Generator
) -> NDArray[np.bool_]:
    """Move clusters of classes that are on one side only, preferably small ones, until all are on both: (C,) bool.

    If clusters have several classes, moving one may remove another class; a random walk resolves that.
    """
    sizes, occurs, chosen = counts.sum(axis=1), counts.any(axis=0), chosen.copy()
    for _ in range(STEPS):
        both = counts[chosen].any(axis=0) & counts[~chosen].any(axis=0)
        one_sided = np.flatnonzero(occurs & ~both)
        if not one_sided.size:
            return chosen
        clusters = np.flatnonzero(counts[:, one_sided[0]])
        moved = random.choice(clusters, p=(1 / sizes[clusters]) / (1 / sizes[clusters]).sum())
        chosen[moved] = ~chosen[moved]
    words = ", ".join(repr(dataset.classes[label]) for label in one_sided)
    raise DatasetError(
        f"{dataset.name}: found no way to have {words} in both training and validation, because other classes have "
        "near-duplicates of their images; add other images, or give near-duplicates the same label"
    )
