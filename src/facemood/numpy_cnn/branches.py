"""Layers made of layers: a way around others (He et al. 2016), and a gate for channels (Hu et al. 2018)."""

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
    """Layers, and a shortcut around them: y = body(x) + shortcut(x), or body(x) + x.

    The sum hands its gradient to both ways alike, and x gets what comes back from the two. So a deep network's first
    layers hear of the loss without a detour.

    Keeps: nothing itself; the layers inside do.

    Attributes:
        body: The layers.
        shortcut: Those on the other way, which must give the same shape; none for x itself.

    Raises:
        ValueError: In `build`, if the two ways give different shapes.

    Example:
        >>> from facemood.numpy_cnn import Linear
        >>> Residual([Linear()]).forward_pass(np.array([[3.0]])).tolist()
        [[6.0]]
    """

    body: Sequence[Layer]
    shortcut: Sequence[Layer] = ()

    def build(self, shape: Shape, random: np.random.Generator) -> Shape:
        """Build both ways, and return their common shape."""
        ends = [build_through(way, shape, random) for way in (self.body, self.shortcut)]
        if ends[0] != ends[1]:
            raise ValueError(f"the body gives {ends[0]}, but the shortcut {ends[1]}; they are added, so must agree")
        return ends[0]

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, *shape) to (N, *the ways' shape)."""
        around = forward_through(self.shortcut, inputs, training=training)
        return forward_through(self.body, inputs, training=training) + around

    def backward_pass(self, gradient: Floats) -> Floats:
        """Map (N, *the ways' shape) to (N, *shape)."""
        return backward_through(self.body, gradient) + backward_through(self.shortcut, gradient)

    def children(self) -> tuple[Layer, ...]:
        """Return the body's layers, then the shortcut's."""
        return *self.body, *self.shortcut


@dataclass(eq=False)
class Gate(Layer):
    """Weigh each channel by what layers say of the whole image: y[i, j, c] = x[i, j, c] gate(x)[c].

    With a mean of each map, two dense layers and a sigmoid inside, this is squeeze-and-excitation.

    By the product rule the slope by x is g gate(x), and what comes back through the gate from the sum of g x over
    all places.

    Keeps: inputs and gates.

    Attributes:
        layers: Those that make (N, c) gates of (N, h, w, c) images.

    Raises:
        ValueError: In `build`, if the layers do not give a number for each channel.

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
