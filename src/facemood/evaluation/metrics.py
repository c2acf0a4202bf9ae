"""Metrics of probabilities (N, K), 0..1, and true labels (N,), 0..K-1."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float32]
Labels = NDArray[np.int64]


def confusion_matrix(predicted: Labels, labels: Labels, classes: int) -> NDArray[np.int64]:
    """Count the images of each true class (row) by predicted class (column): (K, K) int64.

    Example:
        >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    counts = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes)


def accuracy(predicted: Labels, labels: Labels) -> float:
    """Return the share of correct predictions, 0..1."""
    return float((predicted == labels).mean())


def recalls(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the recall of each class, (K,); NaN for a class without images."""
    totals = confusion.sum(axis=1)
    found = np.full(len(totals), np.nan)
    np.divide(confusion.diagonal(), totals, out=found, where=totals > 0)
    return found


def class_scores(
    confusion: NDArray[np.int64],
) -> tuple[list[float | None], list[float | None], list[float | None]]:
    """Return precision, recall and F1 of each class, 0..1; None if the divisor is 0.

    Example:
        >>> class_scores(np.array([[3, 1], [0, 0]]))
        ([1.0, 0.0], [0.75, None], [0.8571428571428571, 0.0])
    """
    hits, predicted, true = confusion.diagonal(), confusion.sum(axis=0), confusion.sum(axis=1)

    def shares(parts: NDArray[np.int64], wholes: NDArray[np.int64]) -> list[float | None]:
        return [part / whole if whole else None for part, whole in zip(parts.tolist(), wholes.tolist(), strict=True)]

    return shares(hits, predicted), shares(hits, true), shares(2 * hits, predicted + true)


def macro_f1(confusion: NDArray[np.int64]) -> float:
    """Return the mean of F1 = 2 TP / (2 TP + FP + FN) over the classes with images."""
    hits = confusion.diagonal()
    scores = 2 * hits / np.maximum(confusion.sum(axis=0) + confusion.sum(axis=1), 1)
    return float(scores[confusion.sum(axis=1) > 0].mean())


def mean_recall(confusion: NDArray[np.int64]) -> float:
    """Return the mean recall over the classes with images, 0..1 (balanced accuracy)."""
    return float(np.nanmean(recalls(confusion)))


def bootstrap_interval(
    confusion: NDArray[np.int64], measure: Callable[[NDArray[np.int64]], float], *, rounds: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return the 95% confidence interval of a metric, by bootstrap over the test set (Efron 1979).

    Args:
        confusion: (K, K) counts. Resampling images with replacement is the same as drawing from its cells.
        measure: The metric, a function of (K, K) counts.
        rounds: Number of resampled test sets.
        seed: Seed of the random numbers.

    Example:
        >>> bootstrap_interval(np.array([[10, 0], [0, 10]]), mean_recall)
        (1.0, 1.0)
    """
    count = int(confusion.sum())
    drawn = np.random.default_rng(seed).multinomial(count, confusion.ravel() / count, size=rounds)
    values = [measure(cells.reshape(confusion.shape)) for cells in drawn]
    low, high = np.quantile(values, (0.025, 0.975)).tolist()
    return low, high


def accuracy_at_coverage(
    probabilities: Probabilities, labels: Labels, shares: Sequence[float] = (1.0, 0.9, 0.8, 0.6, 0.4)
) -> dict[float, float]:
    """Return the accuracy on the most confident share of the predictions, for each share 0..1 (risk-coverage).

    Example:
        >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]], np.float32)
        >>> accuracy_at_coverage(probabilities, np.array([0, 0, 1, 1]), (1.0, 0.75, 0.5))
        {1.0: 0.75, 0.75: 1.0, 0.5: 1.0}
    """
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    right = (probabilities.argmax(axis=1) == labels)[order]
    return {share: float(right[: max(1, round(share * len(right)))].mean()) for share in shares}


def jensen_shannon_distance(one: Probabilities, other: Probabilities) -> float:
    """Return the mean Jensen-Shannon distance of distributions, row by row, 0..1: root of the divergence (Lin 1991).

    Example:
        >>> jensen_shannon_distance(np.array([[1, 0]], np.float32), np.array([[0, 1]], np.float32))
        1.0
    """
    first, second = one.astype(np.float64), other.astype(np.float64)
    middle = (first + second) / 2
    divergence = (_entropy(middle) - (_entropy(first) + _entropy(second)) / 2).clip(min=0)
    return float(np.sqrt(divergence).mean())


def expected_calibration_error(probabilities: Probabilities, labels: Labels, *, bins: int = 15) -> float:
    """Return the mean gap between confidence and accuracy over equally wide confidence bins (Guo et al. 2017), 0..1.

    Example:
        >>> confident = np.float32([[0.9, 0.1]] * 10)
        >>> round(expected_calibration_error(confident, np.array([0] * 9 + [1])), 4)
        0.0
    """
    return sum(count * abs(confidence - right) for confidence, right, count in reliability(probabilities, labels, bins))


def reliability(probabilities: Probabilities, labels: Labels, bins: int = 15) -> list[tuple[float, float, float]]:
    """Compare confidence with accuracy in equally wide confidence bins (reliability diagram).

    Returns:
        (mean confidence, accuracy, share of the images), each 0..1, for each bin with images.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    members = [bin_of == number for number in np.unique(bin_of)]
    return [(float(confidence[at].mean()), float(right[at].mean()), float(at.mean())) for at in members]


def negative_log_likelihood(probabilities: Probabilities, labels: Labels) -> float:
    """Return the mean of -ln(probability of the true label), in nats."""
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


def brier_score(probabilities: Probabilities, labels: Labels) -> float:
    """Return the mean squared distance between probabilities and the one-hot truth (Brier 1950), 0..2."""
    distance = probabilities.astype(np.float64)
    distance[np.arange(len(labels)), labels] -= 1
    return float((distance**2).sum(axis=1).mean())


def standard_error(share: float, count: int) -> float:
    """Return the standard error of a share of `count` images."""
    return float(np.sqrt(share * (1 - share) / count))


def _entropy(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the entropy of each row in bits, (N,)."""
    logarithms = np.log2(rows, out=np.zeros_like(rows), where=rows > 0)
    return np.asarray(-(rows * logarithms).sum(axis=1))
