"""Activation functions, applied to each number (softmax: to each row); shapes stay the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facemood.numpy_cnn.layer import Floats, Layer


@dataclass(eq=False)
class Linear(Layer):
    """Identity: y = x, so dy/dx = 1.

    Keeps: nothing.

    Example:
        >>> Linear().forward_pass(np.array([-1.0, 2.0])).tolist()
        [-1.0, 2.0]
    """

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Return the (N, ...) inputs."""
        return inputs

    def backward_pass(self, gradient: Floats) -> Floats:
        """Return the (N, ...) gradient."""
        return gradient


@dataclass(eq=False)
class Sigmoid(Layer):
    """Logistic function, 0..1: y = 1 / (1 + e^-x), so dy/dx = y (1 - y).

    Keeps: the outputs.

    Example:
        >>> Sigmoid().forward_pass(np.array([0.0, 1000.0])).tolist()
        [0.5, 1.0]
    """

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, ...) to the same shape."""
        self._outputs: Floats = (1 + np.tanh(inputs / 2)) / 2  # the same function without overflow
        return self._outputs

    def backward_pass(self, gradient: Floats) -> Floats:
        """Map (N, ...) to the same shape."""
        return gradient * self._outputs * (1 - self._outputs)


@dataclass(eq=False)
class Tanh(Layer):
    """Hyperbolic tangent, -1..1: y = tanh(x), so dy/dx = 1 - y^2.

    Keeps: the outputs.

    Example:
        >>> Tanh().forward_pass(np.array([0.0, 1000.0])).tolist()
        [0.0, 1.0]
    """

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, ...) to the same shape."""
        self._outputs: Floats = np.tanh(inputs)
        return self._outputs

    def backward_pass(self, gradient: Floats) -> Floats:
        """Map (N, ...) to the same shape."""
        return gradient * (1 - self._outputs**2)


@dataclass(eq=False)
class ReLU(Layer):
    """Rectified linear unit: y = max(x, 0), so dy/dx = 1 where x > 0, and 0 elsewhere.

    Keeps: the outputs.

    Example:
        >>> ReLU().forward_pass(np.array([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, ...) to the same shape."""
        self._outputs: Floats = np.maximum(inputs, 0)
        return self._outputs

    def backward_pass(self, gradient: Floats) -> Floats:
        """Map (N, ...) to the same shape."""
        return gradient * (self._outputs > 0)


@dataclass(eq=False)
class Softmax(Layer):
    """Turn each row into probabilities: y_i = e^x_i / sum over k of e^x_k, so dy_i/dx_k = y_i (1[i = k] - y_k).

    Each output depends on all inputs of its row. With the gradient g of the outputs, the gradient of the inputs is
    y (g - sum of g y).

    Keeps: the outputs.

    Example:
        >>> Softmax().forward_pass(np.array([[0.0, 0.0], [1000.0, 0.0]])).tolist()
        [[0.5, 0.5], [1.0, 0.0]]
    """

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, K) to (N, K); each row sums to 1."""
        powers: Floats = np.exp(inputs - inputs.max(axis=-1, keepdims=True))  # the same result without overflow
        total: Floats = powers.sum(axis=-1, keepdims=True)
        self._outputs = powers / total
        return self._outputs

    def backward_pass(self, gradient: Floats) -> Floats:
        """Map (N, K) to (N, K)."""
        along: Floats = (gradient * self._outputs).sum(axis=-1, keepdims=True)
        return self._outputs * (gradient - along)
