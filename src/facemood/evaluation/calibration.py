"""Calibration: one temperature, so that a confidence of 70% is right 70% of the time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from facemood.evaluation.metrics import negative_log_likelihood
from facemood.stages.classify import softmax

RANGE = (0.2, 5.0)
GOLDEN = (math.sqrt(5) - 1) / 2


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Find the temperature with the smallest negative log-likelihood (Guo et al. 2017).

    The likelihood has one optimum in the temperature, so a golden-section search over its logarithm finds it.

    Args:
        logits: (N, K) of images that the network did not train on.
        labels: (N,) true classes.

    Returns:
        The temperature, 0.2 to 5, to three decimals.

    Example:
        >>> logits = np.float32([[4, 0]] * 3 + [[0, 4]])      # sure of itself, and right 3 times in 4
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
