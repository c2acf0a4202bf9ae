"""What a layer is: something with a forward pass, and a backward pass that undoes it by the chain rule.

Images are (N, h, w, c): N of them, h rows, w columns, c channels. Rows of numbers are (N, d). The passes work in
whatever precision comes in: float32 when a network learns, float64 when its gradients are checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
"""An array of float32 or float64."""

Shape = tuple[int, ...]
"""The shape of one example, without N: (h, w, c) or (d,)."""


@dataclass(eq=False)
class Layer:
    """The common part of all layers. A layer of your own is a subclass that has the two passes.

    Attributes:
        parameters: What is learnt, by name. Optimisers change these arrays in place.
        gradients: What the last `backward_pass` found: for each parameter an array of its shape, the slope of the loss.
        state: What is kept but not learnt, such as a running mean.
        output: What the last forward pass of a network got from this layer.

    Example:
        >>> class Double(Layer):
        ...     def forward_pass(self, inputs, *, training=False):
        ...         return 2 * inputs
        ...     def backward_pass(self, gradient):
        ...         return 2 * gradient
        >>> Double().forward_pass(np.ones((1, 2))).tolist()
        [[2.0, 2.0]]
    """

    parameters: dict[str, Floats] = field(default_factory=dict, init=False, repr=False)
    gradients: dict[str, Floats] = field(default_factory=dict, init=False, repr=False)
    state: dict[str, Floats] = field(default_factory=dict, init=False, repr=False)
    output: Floats = field(init=False, repr=False)

    def build(self, shape: Shape, random: np.random.Generator) -> Shape:
        """Make the parameters for inputs of a shape.

        Args:
            shape: Of one input, without N.
            random: Where first weights are drawn from.

        Returns:
            The shape of one output, without N.

        Raises:
            ValueError: The layer cannot work on this shape.
        """
        return shape

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Return the outputs, and keep what the backward pass needs.

        Args:
            inputs: (N, *shape).
            training: Whether the network learns; dropout and batch norm do something else then.
        """
        raise NotImplementedError(f"{type(self).__name__} has no forward_pass; write one that returns the outputs")

    def backward_pass(self, gradient: Floats) -> Floats:
        """Turn the slope of the loss by the outputs into that by the inputs, and set `gradients` on the way.

        Args:
            gradient: Of the outputs of the last forward pass, in their shape.

        Returns:
            Of its inputs, in their shape.
        """
        raise NotImplementedError(f"{type(self).__name__} has no backward_pass; write one that returns the slope")

    def children(self) -> tuple[Layer, ...]:
        """Return the layers inside this one."""
        return ()


def build_through(layers: Iterable[Layer], shape: Shape, random: np.random.Generator) -> Shape:
    """Build layers one after another, each for what the one before it gives; return the last one's output shape."""
    for layer in layers:
        shape = layer.build(shape, random)
    return shape


def forward_through(layers: Iterable[Layer], inputs: Floats, *, training: bool = False) -> Floats:
    """Send inputs forward through layers, and note in each what it gave."""
    for layer in layers:
        inputs = layer.output = layer.forward_pass(inputs, training=training)
    return inputs


def backward_through(layers: Sequence[Layer], gradient: Floats) -> Floats:
    """Send a gradient back through layers, the last one first: the chain rule."""
    for layer in reversed(layers):
        gradient = layer.backward_pass(gradient)
    return gradient


def walk(layers: Iterable[Layer], prefix: str = "") -> Iterator[tuple[str, Layer]]:
    """Yield all layers with their names in the order in which they are done: those inside a layer come before it.

    Example:
        >>> from facemood.numpy_cnn import Dense, ReLU, Residual
        >>> [f"{name} {type(layer).__name__}" for name, layer in walk([Residual([Dense(2), ReLU()]), ReLU()])]
        ['0.0 Dense', '0.1 ReLU', '0 Residual', '1 ReLU']
    """
    for index, layer in enumerate(layers):
        yield from walk(layer.children(), f"{prefix}{index}.")
        yield f"{prefix}{index}", layer


def check_image_shape(layer: Layer, shape: Shape) -> tuple[int, int, int]:
    """Return a shape as height, width and channels.

    Raises:
        ValueError: It is not that of an image.
    """
    if len(shape) != 3:
        raise ValueError(f"{layer} works on images (h, w, c), but its input is {shape}; put it before Flatten")
    return shape[0], shape[1], shape[2]


def draw_weights(shape: Shape, fan_in: int, random: np.random.Generator) -> Floats:
    """Draw first weights of variance 2 / fan_in, with which ReLU keeps the size of signals (He et al. 2015).

    Args:
        shape: Of the weights.
        fan_in: How many inputs each output is a sum of.
        random: Where they are drawn from.
    """
    deviation = float(np.sqrt(2 / fan_in))
    return (deviation * random.standard_normal(shape)).astype(np.float32)
