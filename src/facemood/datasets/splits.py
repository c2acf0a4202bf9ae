"""Splits: find one by what other datasets call it, cut one off, and look whether two show the same pictures."""

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
"""Names that mean the same, in lower case: what is learnt from, what choices are made on, what is reported."""

STEPS = 1000
"""Clusters that `split_off` moves at most to bring every class to both sides."""


def find_split(dataset: ExpressionDataset, wanted: str) -> str | None:
    """Return what a dataset calls a split, or None where it has none of that meaning.

    The exact name comes first, then the name in another case, then another name of the same meaning. Where all images
    are in the one split ``"all"``, that is the training split.

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


def shared_pictures(dataset: ExpressionDataset, one: NDArray[np.bool_], other: NDArray[np.bool_]) -> int:
    """Count the images of the (N,) mask `other` that show the same picture as an image of the (N,) mask `one`."""
    if not (one.any() and other.any()):
        return 0  # nothing to compare, so no search
    cluster = dataset.clusters()
    return int(np.isin(cluster[other], cluster[one]).sum())


def split_off(dataset: ExpressionDataset, share: float, *, seed: int) -> NDArray[np.bool_]:
    """Mark about a share of each class for validation.

    Images that show the same picture stay on one side, and every class that occurs stands on both. Classes are filled
    from the rarest on; where every image is a picture of its own, a class differs from its share by less than one
    image, or has one on the side that would have none.

    Args:
        dataset: What to split.
        share: Of the images, between 0 and 1.
        seed: Equal seeds mark equal images.

    Returns:
        (N,) bool, true for validation.

    Raises:
        DatasetError: The share is out of range, or a class has too few pictures to stand on both sides.
    """
    if not 0 < share < 1:
        raise DatasetError(f"the share to split off must be between 0 and 1, but is {share}")
    if not len(dataset):
        raise DatasetError(f"{dataset.name} has no images, so nothing can be split off")
    _, cluster = np.unique(dataset.clusters(), return_inverse=True)
    counts = np.zeros((cluster.max() + 1, len(dataset.classes)), np.int64)  # images of each class in each cluster
    np.add.at(counts, (cluster, dataset.labels), 1)
    _check_pictures(dataset, counts)
    random = np.random.default_rng(seed)
    chosen = _bring_to_both_sides(dataset, counts, _fill(counts, share, random), random)
    return chosen[cluster]


def _check_pictures(dataset: ExpressionDataset, counts: NDArray[np.int64]) -> None:
    """Refuse a class that has one picture only."""
    pictures = (counts > 0).sum(axis=0)
    for label in np.flatnonzero(pictures == 1):
        images = int(counts[:, label].sum())
        alike = f" ({images} images that are nearly the same)" if images > 1 else ""
        raise DatasetError(
            f"{dataset.name}: the class {dataset.classes[label]!r} has only one picture{alike}, so it cannot stand "
            "in training and validation both; add other pictures of it, or leave the class out"
        )


def _fill(counts: NDArray[np.int64], share: float, random: np.random.Generator) -> NDArray[np.bool_]:
    """Choose clusters in random order, class by class from the rarest, where they bring the class nearer its share.

    Args:
        counts: (P, K), images of each class in each cluster.
        share: Of each class.
        random: Where the order comes from.

    Returns:
        (P,) bool, the clusters for validation.
    """
    chosen, decided = np.zeros(len(counts), bool), np.zeros(len(counts), bool)
    total = counts.sum(axis=0)
    for label in np.argsort(total, kind="stable"):
        sizes = counts[:, label]
        lacking = share * total[label] - sizes[chosen].sum()
        for picture in random.permutation(np.flatnonzero((sizes > 0) & ~decided)):
            if sizes[picture] < 2 * lacking:
                chosen[picture] = True
                lacking -= sizes[picture]
        decided |= sizes > 0
    return chosen


def _bring_to_both_sides(
    dataset: ExpressionDataset, counts: NDArray[np.int64], chosen: NDArray[np.bool_], random: np.random.Generator
) -> NDArray[np.bool_]:
    """Move clusters of classes that stand on one side only, small ones sooner, until none does: (P,) bool.

    Where pictures belong to several classes, moving one may take another class away; a random walk finds its way out.
    """
    sizes, occurs, chosen = counts.sum(axis=1), counts.any(axis=0), chosen.copy()
    for _ in range(STEPS):
        both = counts[chosen].any(axis=0) & counts[~chosen].any(axis=0)
        one_sided = np.flatnonzero(occurs & ~both)
        if not one_sided.size:
            return chosen
        pictures = np.flatnonzero(counts[:, one_sided[0]])
        moved = random.choice(pictures, p=(1 / sizes[pictures]) / (1 / sizes[pictures]).sum())
        chosen[moved] = ~chosen[moved]
    words = ", ".join(repr(dataset.classes[label]) for label in one_sided)
    raise DatasetError(
        f"{dataset.name}: found no way to have {words} in training and validation both, because other classes have "
        "images of the same pictures; add other pictures, or label equal pictures alike"
    )
