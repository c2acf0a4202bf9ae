"""Find near-duplicates in a dataset, so that no test image is also a training image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.datasets.lazy_images import ImageFiles, Images, on_all_cores

THUMBNAIL = 16
"""Side in pixels of the grey thumbnails that are compared."""

SAME = 0.99
"""Normalized cross-correlation of two thumbnails above which the images are near-duplicates."""

PAIRS = 1 << 26
"""Largest number of pairs of images that are compared at once; each needs 4 bytes."""


def find_clusters(images: Images, *, threshold: float = SAME, block: int = 1024) -> NDArray[np.int64]:
    """Cluster near-duplicates, mirrored or not.

    Two images are near-duplicates if the normalized cross-correlation of their 16 x 16 thumbnails is above the
    threshold. Clusters are transitive: a near-duplicate of a near-duplicate is in the cluster.

    The time grows with the square of the number of images: seconds for 35,000, minutes for 300,000.

    Args:
        images: (N, h, w) uint8 grey or (N, h, w, 3) uint8 BGR, in memory or in files.
        threshold: Correlation -1..1.
        block: Images that are compared with all others at once; fewer if that exceeds `PAIRS`.

    Returns:
        (N,) int64 cluster of each image: the index of the cluster's first image.

    Example:
        >>> noise = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
        >>> find_clusters(np.concatenate([noise, noise[1:2, :, ::-1]])).tolist()
        [0, 1, 2, 1]
    """
    plain = _thumbnails(images)
    mirrored = plain.reshape(-1, THUMBNAIL, THUMBNAIL)[:, :, ::-1].reshape(plain.shape)
    root = np.arange(len(images))
    block = max(1, min(block, PAIRS // max(1, len(images))))
    for start in range(0, len(images), block):
        rows = plain[start : start + block]
        for other in (plain[start:], mirrored[start:]):
            near, other_row = np.nonzero(rows @ other.T > threshold)  # (block, N - start)
            for left, right in zip((near + start).tolist(), (other_row + start).tolist(), strict=True):
                _join(root, left, right)
    return np.array([_find(root, index) for index in range(len(images))], np.int64)


def _thumbnails(images: Images) -> NDArray[np.float32]:
    """Return centred grey thumbnails of unit length, (N, 256) float32, whose dot product is the correlation."""

    def shrink(row: int) -> NDArray[np.uint8]:
        small = cv2.resize(images[row], (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
        return np.asarray(small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)

    rows = range(len(images))
    small = list(on_all_cores(shrink, len(images)) if isinstance(images, ImageFiles) else map(shrink, rows))
    flat = np.asarray(small, np.float32).reshape(-1, THUMBNAIL * THUMBNAIL)
    centred = flat - flat.mean(axis=1, keepdims=True)
    scaled: NDArray[np.float32] = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
    return scaled


def _find(root: NDArray[np.int64], index: int) -> int:
    """Return the first image of an index's cluster (union-find with path compression)."""
    while root[index] != index:
        root[index] = root[root[index]]
        index = int(root[index])
    return index


def _join(root: NDArray[np.int64], left: int, right: int) -> None:
    """Merge two clusters; the smaller index becomes the root."""
    first, second = sorted((_find(root, left), _find(root, right)))
    root[second] = first
