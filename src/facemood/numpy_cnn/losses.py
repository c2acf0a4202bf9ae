"""Losses and weight penalties, each with its gradient (`slope`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facemood.numpy_cnn.layer import Floats, Layer

SMALLEST = 1e-30
"""Lower bound of probabilities, so that the logarithm is finite; float32 can represent it and its reciprocal."""

PENALIZED = "weights"
"""Name of the parameters with a penalty; biases, scales and shifts have none."""


@dataclass(frozen=True)
class CategoricalCrossEntropy:
    """Categorical cross-entropy, the mean over N examples: L = -1/N sum over n, k of t[n, k] log p[n, k].

    Its gradient is dL/dp = -t / (N p). After a softmax it becomes (p - t) / N, wherever p is above 1e-30.

    Example:
        >>> loss, half = CategoricalCrossEntropy(), np.array([[0.5, 0.5]])
        >>> round(loss.value(half, np.array([[1.0, 0.0]])), 4), loss.slope(half, np.array([[1.0, 0.0]])).tolist()
        (0.6931, [[-2.0, -0.0]])
    """

    def value(self, probabilities: Floats, targets: Floats) -> float:
        """Return the loss of (N, K) probabilities for (N, K) targets; each row of both sums to 1."""
        return -float((targets * np.log(np.maximum(probabilities, SMALLEST))).sum()) / len(targets)

    def slope(self, probabilities: Floats, targets: Floats) -> Floats:
        """Return the gradient of the loss for the probabilities, (N, K)."""
        slopes: Floats = -targets / (len(targets) * np.maximum(probabilities, SMALLEST))
        return slopes


@dataclass(frozen=True)
class Penalty:
    """Weight penalty: l1 sum of |w| + l2 sum of w^2, so its gradient is l1 sign(w) + 2 l2 w.

    L1 makes weights exactly zero, L2 keeps all of them small. Biases have no penalty.

    Attributes:
        l1: Factor of the absolute weights.
        l2: Factor of the squared weights.

    Example:
        >>> Penalty(l1=1.0, l2=0.5).price(np.array([-2.0, 1.0])), Penalty(l2=0.5).slope(np.array([-2.0])).tolist()
        (5.5, [-2.0])
    """

    l1: float = 0.0
    l2: float = 0.0

    def price(self, weights: Floats) -> float:
        """Return the penalty of an array of weights."""
        return self.l1 * float(np.abs(weights).sum()) + self.l2 * float((weights * weights).sum())

    def slope(self, weights: Floats) -> Floats:
        """Return the gradient of the penalty for each weight, in the weights' shape."""
        slopes: Floats = self.l1 * np.sign(weights) + 2 * self.l2 * weights
        return slopes

    def value(self, layers: Iterable[Layer]) -> float:
        """Return the penalty of all weights of some layers."""
        return sum(self.price(layer.parameters[PENALIZED]) for layer in layers if PENALIZED in layer.parameters)

    def add_slopes(self, layers: Iterable[Layer]) -> None:
        """Add the gradient of the penalty to the gradients of some layers."""
        for layer in layers:
            if PENALIZED in layer.parameters and (self.l1 or self.l2):
                layer.gradients[PENALIZED] = layer.gradients[PENALIZED] + self.slope(layer.parameters[PENALIZED])


def one_hot(labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """One-hot encode labels: (N,) of 0..classes - 1 to (N, classes), 1 at the label and 0 elsewhere.

    Example:
        >>> one_hot(np.array([2, 0]), 3).tolist()
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    return np.eye(classes, dtype=np.float32)[labels]
