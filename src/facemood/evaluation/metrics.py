"""Metrics: functions of probabilities (N, K), 0..1, and true labels (N,), 0..K-1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float32]
Labels = NDArray[np.int64]


def confusion_matrix(predicted: Labels, labels: Labels, classes: int) -> NDArray[np.int64]:
    """Count the images of each true class (row) by the class they were taken for (column): (K, K) int64.

    Example:
        >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    counts = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes)


def accuracy(predicted: Labels, labels: Labels) -> float:
    """Return the share of images whose label was found, 0..1."""
    return float((predicted == labels).mean())


def recalls(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return for each class the share of its images that were found, (K,); NaN for a class without images."""
    totals = confusion.sum(axis=1)
    found = np.full(len(totals), np.nan)
    np.divide(confusion.diagonal(), totals, out=found, where=totals > 0)
    return found


def macro_f1(confusion: NDArray[np.int64]) -> float:
    """Return the mean over the classes that have images of F1 = 2 TP / (2 TP + FP + FN)."""
    hits = confusion.diagonal()
    scores = 2 * hits / np.maximum(confusion.sum(axis=0) + confusion.sum(axis=1), 1)
    return float(scores[confusion.sum(axis=1) > 0].mean())


def expected_calibration_error(probabilities: Probabilities, labels: Labels, *, bins: int = 15) -> float:
    """Return the mean gap between confidence and accuracy over equally wide confidence bins (Guo et al. 2017), 0..1.

    Example:
        >>> sure = np.float32([[0.9, 0.1]] * 10)
        >>> round(expected_calibration_error(sure, np.array([0] * 9 + [1])), 4)
        0.0
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(bin_of, weights=confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


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
    """Return the standard error of a share that was measured on `count` images."""
    return float(np.sqrt(share * (1 - share) / count))
