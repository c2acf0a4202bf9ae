"""Dense layers, in which each output depends on all inputs; and flattening of images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facemood.numpy_cnn.layer import Floats, Layer, Shape, draw_weights


@dataclass(eq=False)
class Dense(Layer):
    """Dense layer: each unit is a weighted sum of all inputs, [d] -> [units].

        y = x weights + bias

    Keeps: the inputs.

    Attributes:
        units: Number of units.

    Parameters are ``weights`` (d, units) and ``bias`` (units,).

    Example:
        >>> neuron = Dense(1)
        >>> neuron.build((2,), np.random.default_rng(0))
        (1,)
        >>> neuron.parameters = {"weights": np.array([[2.0], [-1.0]]), "bias": np.array([0.5])}
        >>> neuron.forward_pass(np.array([[3.0, 4.0]])).tolist()
        [[2.5]]
    """

    units: int

    def build(self, shape: Shape, random: np.random.Generator) -> Shape:
        """Draw the weights, and return (units,)."""
        if len(shape) != 1:
            raise ValueError(f"{self} works on rows (d,), but its input is {shape}; put Flatten before it")
        weights = draw_weights((shape[0], self.units), shape[0], random)
        self.parameters: dict[str, Floats] = {"weights": weights, "bias": np.zeros(self.units, np.float32)}
        return (self.units,)

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, d) to (N, units)."""
        self._inputs = inputs
        return inputs @ self.parameters["weights"] + self.parameters["bias"]

    def backward_pass(self, gradient: Floats) -> Floats:
        """Map (N, units) to (N, d)."""
        self.gradients: dict[str, Floats] = {"weights": self._inputs.T @ gradient, "bias": gradient.sum(axis=0)}
        return gradient @ self.parameters["weights"].T


@dataclass(eq=False)
class Flatten(Layer):
    """Flatten an image to a row: [h, w, c] -> [h w c], by rows, then pixels, then channels.

    Keeps: the inputs' shape.

    Example:
        >>> Flatten().forward_pass(np.zeros((2, 6, 6, 64))).shape
        (2, 2304)
    """

    def build(self, shape: Shape, random: np.random.Generator) -> Shape:
        """Return (h w c,)."""
        return (int(np.prod(shape)),)

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, h, w, c) to (N, h w c)."""
        self._shape = inputs.shape
        return inputs.reshape(len(inputs), -1)

    def backward_pass(self, gradient: Floats) -> Floats:
        """Map (N, h w c) to (N, h, w, c)."""
        return gradient.reshape(self._shape)
