"""Layers made of layers: residual blocks (He et al. 2016) and channel gates (Hu et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facemood.numpy_cnn.layer import (
    Floats,
    Layer,
    Shape,
    backward_through,
    build_through,
    check_image_shape,
    forward_through,
)


@dataclass(eq=False)
class Residual(Layer):
    """Residual block: layers with a shortcut around them, y = body(x) + shortcut(x) or body(x) + x.

    The sum passes its gradient to both branches, and the gradient of x is the sum of what both return. So gradients
    reach the first layers of a deep network directly.

    Keeps: nothing, but the layers inside do.

    Attributes:
        body: The layers of the body.
        shortcut: The layers of the shortcut, with the same output shape; empty for x itself.

    Raises:
        ValueError: In `build`, if the output shapes of the branches differ.

    Example:
        >>> from facemood.numpy_cnn import Linear
        >>> Residual([Linear()]).forward_pass(np.array([[3.0]])).tolist()
        [[6.0]]
    """

    body: Sequence[Layer]
    shortcut: Sequence[Layer] = ()

    def build(self, shape: Shape, random: np.random.Generator) -> Shape:
        """Build both branches, and return their common output shape."""
        body, shortcut = (build_through(branch, shape, random) for branch in (self.body, self.shortcut))
        if body != shortcut:
            raise ValueError(f"the body gives {body}, but the shortcut {shortcut}; they are added, so must agree")
        return body

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, *shape) to (N, *output shape)."""
        around = forward_through(self.shortcut, inputs, training=training)
        return forward_through(self.body, inputs, training=training) + around

    def backward_pass(self, gradient: Floats) -> Floats:
        """Map (N, *output shape) to (N, *shape)."""
        return backward_through(self.body, gradient) + backward_through(self.shortcut, gradient)

    def children(self) -> tuple[Layer, ...]:
        """Return the body's layers, then the shortcut's."""
        return *self.body, *self.shortcut


@dataclass(eq=False)
class Gate(Layer):
    """Scale each channel by a gate that layers compute from the image: y[i, j, c] = x[i, j, c] gate(x)[c].

    With a mean of each map, two dense layers and a sigmoid inside, this is squeeze-and-excitation.

    By the product rule, the gradient of x is g gate(x), plus the gradient through the gate of the sum of g x over all
    positions.

    Keeps: inputs and gates.

    Attributes:
        layers: The layers that compute (N, c) gates from (N, h, w, c) images.

    Raises:
        ValueError: In `build`, if the layers do not give one number per channel.

    Example:
        >>> from facemood.numpy_cnn import GlobalAveragePool
        >>> Gate([GlobalAveragePool()]).forward_pass(np.full((1, 2, 2, 1), 3.0)).ravel().tolist()
        [9.0, 9.0, 9.0, 9.0]
    """

    layers: Sequence[Layer]

    def build(self, shape: Shape, random: np.random.Generator) -> Shape:
        """Build the layers, and return the same shape."""
        channels = check_image_shape(self, shape)[2]
        gates = build_through(self.layers, shape, random)
        if gates != (channels,):
            raise ValueError(
                f"the gate's layers give {gates}, but the image has {channels} channels; give one for each"
            )
        return shape

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, h, w, c) to the same shape."""
        self._inputs = inputs
        self._gates = forward_through(self.layers, inputs, training=training)[:, None, None]  # (N, 1, 1, c)
        return inputs * self._gates

    def backward_pass(self, gradient: Floats) -> Floats:
        """Map (N, h, w, c) to the same shape."""
        by_gate = (gradient * self._inputs).sum(axis=(1, 2))  # (N, c)
        return gradient * self._gates + backward_through(self.layers, by_gate)

    def children(self) -> tuple[Layer, ...]:
        """Return the layers."""
        return tuple(self.layers)
