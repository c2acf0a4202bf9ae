"""Whether explanations are true: what goes when the superpixels that they name go, and how steady they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemood.explain.fill import HidableFace
from facemood.explain.lime import predict_samples
from facemood.explain.scoring import InputScorer

Floats = NDArray[np.float32]


class Areas(NamedTuple):
    """Areas under the curves of a label's probability (Petsiuk et al. 2018, RISE), each 0..1.

    Attributes:
        deletion: While superpixels are hidden, strongest first; small where the explanation names what matters.
        insertion: While they are shown, strongest first; large where it does.
    """

    deletion: float
    insertion: float


def measure_order(
    face: HidableFace, masks: Floats, order: NDArray[np.int64], scorer: InputScorer, column: int
) -> Areas:
    """Hide and show the superpixels of a face in an order, and follow the probability of a label.

    Args:
        face: The face, taken apart.
        masks: (S, h, w) float32, what it was taken apart by.
        order: (S,) the superpixels' numbers, strongest first.
        scorer: The model.
        column: Which label.
    """
    removed = removed_first(order)
    read = predict_samples(face, scorer, np.concatenate([~removed, removed]))[:, column]
    sizes = masks.sum(axis=(1, 2))[order]
    half = len(removed)
    return Areas(area_under(read[:half], sizes), area_under(read[half:], sizes))


def removed_first(order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the first 0, 1, ... S superpixels of an order: (S + 1, S) bool.

    Example:
        >>> removed_first(np.array([1, 0])).astype(int).tolist()
        [[0, 0], [0, 1], [1, 1]]
    """
    rank = np.argsort(order)
    return np.asarray(rank[None] < np.arange(len(order) + 1)[:, None])


def area_under(values: Floats, sizes: Floats) -> float:
    """Return the mean height of a curve whose steps are as wide as superpixels are large (trapezoids).

    Args:
        values: (S + 1,) the curve's height before the first step and after each.
        sizes: (S,) the steps' widths, in any unit.

    Example:
        >>> area_under(np.array([1.0, 0.0, 0.0]), np.array([1.0, 3.0]))
        0.125
    """
    heights = (values[1:] + values[:-1]) / 2
    return float((heights * sizes).sum() / sizes.sum())


def strengths(values: Floats, segments: NDArray[np.int64]) -> Floats:
    """Return the mean of a map over each superpixel, (S,) float32, so that maps of all methods can be ordered alike."""
    counts = np.bincount(segments.ravel())
    return np.asarray(np.bincount(segments.ravel(), weights=values.ravel()) / counts, np.float32)


def rank_correlation(one: Floats, other: Floats) -> float:
    """Return how alike two maps or lists of weights order their places (Spearman 1904), -1..1; NaN for a flat one.

    Example:
        >>> rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([0.1, 0.2, 0.3])), rank_correlation(
        ...     np.array([1.0, 2.0]), np.array([2.0, 1.0]))
        (1.0, -1.0)
    """
    first, second = _ranks(one.ravel()), _ranks(other.ravel())
    spread = float(first.std() * second.std())
    if spread == 0:
        return float("nan")
    return round(float(((first - first.mean()) * (second - second.mean())).mean() / spread), 12)


def shared_top(one: Floats, other: Floats, k: int = 5) -> float:
    """Return the share of the k largest that two lists of weights have in common, 0..1.

    Example:
        >>> shared_top(np.array([3.0, 2.0, 1.0, 0.0]), np.array([3.0, 0.0, 1.0, 2.0]), k=2)
        0.5
    """
    tops = [set(np.argsort(-weights, kind="stable")[:k].tolist()) for weights in (one, other)]
    return len(tops[0] & tops[1]) / min(k, len(one))


def mean_interval(values: NDArray[np.floating], *, rounds: int = 2000, seed: int = 0) -> tuple[float, float, float]:
    """Return the mean of values, one an image, and its 95% confidence interval (bootstrap over images).

    Example:
        >>> mean_interval(np.array([2.0, 2.0, 2.0]))
        (2.0, 2.0, 2.0)
    """
    known = np.asarray(values, np.float64)
    rng = np.random.default_rng(seed)
    means = known[rng.integers(0, len(known), (rounds, len(known)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975)).tolist()
    return float(known.mean()), low, high


def _ranks(values: Floats) -> NDArray[np.float64]:
    """Return the rank of each value, those that are alike share their mean rank."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts + 1) / 2 + 0.5)[group.ravel()], np.float64)
