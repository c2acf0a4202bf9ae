"""The base class of layers: a forward pass, and a backward pass that applies the chain rule.

Images are (N, h, w, c): N images, h rows, w columns, c channels. Rows of numbers are (N, d). The passes keep the
precision of their input: float32 in training, float64 in gradient checks.
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
    """Base class of all layers. Your own layer is a subclass with the two passes.

    Attributes:
        parameters: Trainable arrays by name. Optimizers change them in place.
        gradients: Gradient of the loss for each parameter, from the last `backward_pass`, in the parameter's shape.
        state: Arrays that are kept but not trained, such as a running mean.
        output: The layer's output in the last forward pass of a network.

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
        """Create the parameters for inputs of a shape.

        Args:
            shape: Shape of one input, without N.
            random: Generator of the initial weights.

        Returns:
            The shape of one output, without N.

        Raises:
            ValueError: The layer does not accept this shape.
        """
        return shape

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Return the outputs, and keep what the backward pass needs.

        Args:
            inputs: (N, *shape).
            training: Whether the network is in training, where dropout and batch norm behave differently.
        """
        raise NotImplementedError(f"{type(self).__name__} has no forward_pass; write one that returns the outputs")

    def backward_pass(self, gradient: Floats) -> Floats:
        """Turn the gradient of the loss for the outputs into the gradient for the inputs, and set `gradients`.

        Args:
            gradient: Gradient for the outputs of the last forward pass, in their shape.

        Returns:
            Gradient for the inputs, in their shape.
        """
        raise NotImplementedError(f"{type(self).__name__} has no backward_pass; write one that returns the gradient")

    def children(self) -> tuple[Layer, ...]:
        """Return the layers inside this one."""
        return ()


def build_through(layers: Iterable[Layer], shape: Shape, random: np.random.Generator) -> Shape:
    """Build layers one after another, each for the output shape of the one before; return the last output shape."""
    for layer in layers:
        shape = layer.build(shape, random)
    return shape


def forward_through(layers: Iterable[Layer], inputs: Floats, *, training: bool = False) -> Floats:
    """Pass inputs forward through layers, and store the output of each."""
    for layer in layers:
        inputs = layer.output = layer.forward_pass(inputs, training=training)
    return inputs


def backward_through(layers: Sequence[Layer], gradient: Floats) -> Floats:
    """Pass a gradient backward through layers, the last one first: the chain rule."""
    for layer in reversed(layers):
        gradient = layer.backward_pass(gradient)
    return gradient


def walk(layers: Iterable[Layer], prefix: str = "") -> Iterator[tuple[str, Layer]]:
    """Yield all layers with their names in the order of the forward pass: layers inside of a layer come before it.

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
        ValueError: It is not the shape of an image.
    """
    if len(shape) != 3:
        raise ValueError(f"{layer} works on images (h, w, c), but its input is {shape}; put it before Flatten")
    return shape[0], shape[1], shape[2]


def draw_weights(shape: Shape, fan_in: int, random: np.random.Generator) -> Floats:
    """Draw initial weights of variance 2 / fan_in, with which ReLU keeps the variance of signals (He et al. 2015).

    Args:
        shape: Shape of the weights.
        fan_in: Number of inputs of each output.
        random: Generator of the random numbers.
    """
    deviation = float(np.sqrt(2 / fan_in))
    return (deviation * random.standard_normal(shape)).astype(np.float32)
