"""ExpressionDataset: labelled faces as arrays, or as files that are indexed like arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facemood.datasets import ferplus
from facemood.datasets.duplicates import find_clusters
from facemood.datasets.lazy_images import Images
from facemood.errors import DatasetError, did_you_mean
from facemood.labels import EXPRESSIONS
from facemood.text import count


@dataclass(frozen=True, slots=True, repr=False)
class ExpressionDataset:
    """Labelled face crops, all of one size.

    Attributes:
        name: The dataset's name in reports.
        images: (N, h, w) uint8 grey or (N, h, w, 3) uint8 BGR; an array, or `ImageFiles` that are decoded when read.
        labels: (N,) int64, indices into `classes`.
        classes: The labels.
        usage: (N,) str, the split of each image, such as ``"Training"``.
        votes: (N, 10) float32 counts in the order of `labels.FERPLUS_COLUMNS`, or None. An image without votes is a row
            of zeros.
        cluster: (N,) int64, or None. Near-duplicates, mirrored or not, share a number.
        files: (N,) str, the path of each image below the dataset's folder, with slashes; None without files.
        unreadable: Files that were left out, each with the reason.

    Example:
        >>> tiles, usage = np.zeros((3, 48, 48), np.uint8), np.array(["Training", "Training", "PublicTest"])
        >>> dataset = ExpressionDataset("mine", tiles, np.array([0, 1, 1]), ("happy", "sad"), usage)
        >>> dataset.split("Training").counts()
        {'happy': 1, 'sad': 1}
    """

    name: str
    images: Images
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    usage: NDArray[np.str_]
    votes: NDArray[np.float32] | None = None
    cluster: NDArray[np.int64] | None = None
    files: NDArray[np.str_] | None = None
    unreadable: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = self.images.shape
        if self.images.dtype != np.uint8 or len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] != 3):
            raise DatasetError(
                f"images must be (N, h, w) uint8 grey or (N, h, w, 3) uint8 BGR, but are {shape} {self.images.dtype}"
            )
        for field in ("labels", "usage", "votes", "cluster", "files"):
            column = getattr(self, field)
            if column is not None and len(column) != len(self.images):
                raise DatasetError(f"{field} has {len(column)} rows, but there are {len(self.images)} images")

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        size = " x ".join(map(str, self.images.shape[2:0:-1]))
        images, labels = count(len(self), "image"), count(len(self.classes), "label")
        return (
            f"<ExpressionDataset: {self.name!r}, {images} of {size}, {labels}, {', '.join(self.splits) or 'no split'}>"
        )

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits, in the order of their first image."""
        return tuple(dict.fromkeys(self.usage.tolist()))

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """All images as an array: `images` itself, or its files, decoded at each call."""
        return np.asarray(self.images)

    def subset(self, mask: NDArray[np.bool_]) -> ExpressionDataset:
        """Return the images of an (N,) mask, with their labels and other columns."""
        columns = ("images", "labels", "usage", "votes", "cluster", "files")
        kept = {name: getattr(self, name)[mask] for name in columns if getattr(self, name) is not None}
        return dataclasses.replace(self, **kept)

    def split(self, usage: str) -> ExpressionDataset:
        """Return the images of one split.

        Raises:
            DatasetError: There is no split with that name.
        """
        if usage not in self.splits:
            raise DatasetError(
                f"{self.name} has no split {usage!r}; it has {', '.join(self.splits)}."
                f"{did_you_mean(usage, self.splits)}"
            )
        return self.subset(self.usage == usage)

    def counts(self) -> dict[str, int]:
        """Count the images of each class, in the order of `classes`."""
        found = np.bincount(self.labels, minlength=len(self.classes))
        return dict(zip(self.classes, found.tolist(), strict=True))

    def near_duplicates_of(self, usages: Collection[str]) -> NDArray[np.bool_]:
        """Mark the images outside of the given splits that are near-duplicates of an image inside them: (N,) bool.

        If the dataset has no clusters, `find_clusters` searches for them, which takes seconds for 35,000 images.
        """
        inside = np.isin(self.usage, list(usages))
        if inside.all() or not inside.any():
            return np.zeros(len(self), bool)  # nothing to compare, so no search
        cluster = self.clusters()
        marked: NDArray[np.bool_] = ~inside & np.isin(cluster, cluster[inside])
        return marked

    def with_clusters(self) -> ExpressionDataset:
        """Return the dataset with its clusters, so that they are not searched for again."""
        return dataclasses.replace(self, cluster=self.clusters())

    def folds(self, count: int, *, seed: int = 0) -> NDArray[np.int64]:
        """Divide the images into folds of about the same size; near-duplicates are in the same fold.

        Returns:
            (N,) int64, the fold 0..count-1 of each image.
        """
        clusters, cluster = np.unique(self.clusters(), return_inverse=True)
        fold = np.random.default_rng(seed).permutation(len(clusters)) % count
        return fold[cluster].astype(np.int64)

    def clusters(self) -> NDArray[np.int64]:
        """Return `cluster`, or search for the clusters if the dataset has none: (N,) int64.

        The result of a search is not stored; use `with_clusters` for that.
        """
        return find_clusters(self.images) if self.cluster is None else self.cluster

    def ferplus_majority(self) -> ExpressionDataset:
        """Relabel the images by the official FER+ majority rule, and keep those with a majority.

        Raises:
            DatasetError: The dataset has no votes.
        """
        if self.votes is None:
            raise DatasetError(f"{self.name} has no FER+ votes; join them with the file fer2013new.csv")
        majority = ferplus.majority(self.votes)
        kept = dataclasses.replace(self, name=f"{self.name}+", labels=majority, classes=EXPRESSIONS)
        return kept.subset(majority >= 0)
