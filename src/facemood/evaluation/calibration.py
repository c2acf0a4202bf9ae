"""Calibration: parameters that are fitted on validation images after training, for each head.

* The temperature, so that predictions with a confidence of 70% are right 70% of the time.
* The confidence from which a prediction counts as certain (selective prediction).
* The strength of the logit adjustment for ``prior="balanced"``, which finds rare expressions more often.
* The operating point for ``prior="tuned"``, of the head that knows all eight expressions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facemood.evaluation.metrics import accuracy, confusion_matrix, mean_recall, negative_log_likelihood
from facemood.models.card import ModelCard
from facemood.models.operating_point import OperatingPoint
from facemood.stages.classify import Logits, calibrate, softmax, tune

RANGE = (0.2, 5.0)
"""Lowest and highest temperature of the search."""

GOLDEN = (math.sqrt(5) - 1) / 2
"""Ratio by which golden-section search divides its interval: the golden ratio minus 1 (Kiefer 1953)."""

RIGHT = 0.9
"""Accuracy that certain predictions must reach."""

STRENGTHS = tuple(round(0.1 * step, 1) for step in range(16))
"""Strengths of the logit adjustment that are compared: 0 keeps the prior, 1 removes it."""

PRICE = 0.05
"""Largest loss of accuracy, 0..1, that balancing may cause."""


WEIGHT = 0.2
"""Weight of the second head at an operating point; docs/operating-point.md says how it was chosen."""

FLOOR = 0.86
"""Accuracy, 0..1, that the fit of an operating point keeps if some strength does."""

FINE_STRENGTHS = tuple(round(0.05 * step, 2) for step in range(31))
"""Strengths that are compared for an operating point."""


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Find the temperature with the lowest negative log-likelihood (Guo et al. 2017).

    The likelihood has one optimum in the temperature, so a golden-section search over its logarithm finds it.

    Args:
        logits: (N, K) of images that the network was not trained on.
        labels: (N,) true classes.

    Returns:
        The temperature, 0.2 to 5, to three decimals.

    Example:
        >>> logits = np.float32([[4, 0]] * 3 + [[0, 4]])      # overconfident: right 3 times in 4
        >>> fit_temperature(logits, np.array([0, 0, 1, 1])) > 2
        True
    """

    def loss(exponent: float) -> float:
        return negative_log_likelihood(softmax(logits, temperature=math.exp(exponent)), labels)

    low, high = (math.log(bound) for bound in RANGE)
    while high - low > 1e-4:
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return round(math.exp((low + high) / 2), 3)


def fit_certain(probabilities: NDArray[np.float32], labels: NDArray[np.int64], *, right: float = RIGHT) -> float:
    """Find the lowest confidence such that all predictions of this confidence or more reach an accuracy together.

    Args:
        probabilities: (N, K) calibrated, of images that the network was not trained on.
        labels: (N,) true classes.
        right: Accuracy that the certain predictions must reach, 0..1.

    Returns:
        The confidence, to three decimals; 1 if no set of the most confident predictions reaches the accuracy.

    Example:
        >>> probabilities = np.float32([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4]])
        >>> fit_certain(probabilities, np.array([0, 0, 1]))
        0.8
    """
    confidence = probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    hits = (probabilities.argmax(axis=1) == labels)[order]
    share = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    enough = np.flatnonzero(share >= right)
    return math.floor(1000 * confidence[order[enough[-1]]]) / 1000 if len(enough) else 1.0


def balance_curve(
    card: ModelCard, head: str, logits: NDArray[np.float32], labels: NDArray[np.int64]
) -> list[tuple[float, float, float]]:
    """Measure the effect of removing the prior: (strength, accuracy, mean recall) for each of `STRENGTHS`."""
    curve = []
    for strength in STRENGTHS:
        predicted = calibrate(card, head, logits, strength=strength).argmax(axis=1)
        confusion = confusion_matrix(predicted, labels, logits.shape[1])
        curve.append((strength, accuracy(predicted, labels), mean_recall(confusion)))
    return curve


def fit_balance(curve: Sequence[tuple[float, float, float]], *, price: float = PRICE) -> float:
    """Choose the strength with the highest mean recall among those that lose at most `price` of the accuracy.

    Example:
        >>> fit_balance([(0.0, 0.80, 0.50), (0.5, 0.78, 0.60), (1.0, 0.70, 0.65)])
        0.5
    """
    _, before, _ = curve[0]
    affordable = [point for point in curve if point[1] >= before - price]
    return max(affordable, key=lambda point: point[2])[0]


def fit_operating_point(
    card: ModelCard,
    head: str,
    second: str,
    logits: Logits,
    labels: NDArray[np.int64],
    *,
    weight: float = WEIGHT,
) -> OperatingPoint:
    """Fit strength, temperature and certainty of an operating point, in that order.

    The strength has the largest sum of accuracy and mean recall among those with an accuracy of at least `FLOOR`. If
    none has it, the most accurate one is taken.

    Args:
        card: The card, with the temperatures and priors of both heads.
        head: The head whose labels are predicted.
        second: The head that is pooled; the same head for none.
        logits: (N, K) of both heads, of images that the network was not trained on.
        labels: (N,) true classes.
        weight: Weight of the second head.
    """

    def point_of(strength: float) -> OperatingPoint:
        return {"second": second, "weight": weight, "strength": strength, "temperature": 1.0, "certain": 1.0}

    curve = []
    for strength in FINE_STRENGTHS:
        predicted = tune(card, head, logits, point_of(strength)).argmax(axis=1)
        confusion = confusion_matrix(predicted, labels, len(card.heads[head]))
        curve.append((accuracy(predicted, labels), mean_recall(confusion), strength))
    affordable = [entry for entry in curve if entry[0] >= FLOOR] or [max(curve)]
    point = point_of(max(affordable, key=lambda entry: entry[0] + entry[1])[2])
    point["temperature"] = fit_temperature(np.log(tune(card, head, logits, point)), labels)
    point["certain"] = fit_certain(tune(card, head, logits, point), labels)
    return point
