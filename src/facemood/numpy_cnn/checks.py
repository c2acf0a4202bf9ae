"""Gradient checks: compare backward passes with numerical gradients by central differences."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np

from facemood.numpy_cnn.activations import Linear, ReLU, Sigmoid, Softmax, Tanh
from facemood.numpy_cnn.branches import Gate, Residual
from facemood.numpy_cnn.convolution import Conv2D
from facemood.numpy_cnn.dense import Dense, Flatten
from facemood.numpy_cnn.layer import Floats, Layer, Shape, walk
from facemood.numpy_cnn.normalization import BatchNorm, Dropout, Standardize
from facemood.numpy_cnn.pooling import AveragePool, GlobalAveragePool, MaxPool

STEP = 1e-5
"""Step of the central differences to each side; their error for a smooth function is about its square."""

TOLERANCE = 1e-6
"""Largest error of a correct gradient, in units of the largest gradient; rounding errors are far smaller."""


def check_layer(layer: Layer, shape: Shape, *, training: bool = False, seed: int = 0) -> dict[str, float]:
    """Compare a layer's backward pass with its forward pass, in float64.

    The outputs are weighted by random numbers r and summed, so that there is one output: L = sum of r y. The backward
    pass of r must give dL/dx. Numerically, for each single number,

        dL/dx = (L(x + d) - L(x - d)) / 2d

    up to an error of order d^2 (central difference).

    Args:
        layer: The layer; it is built again for the shape.
        shape: Shape of one input, without N; small, because there are two forward passes for each number.
        training: Whether the layer is checked in training mode.
        seed: Seed of inputs, weights and r.

    Returns:
        The largest error of ``inputs`` and of each parameter, in units of the largest gradient. Errors of correct
        gradients are below `TOLERANCE`.

    Example:
        >>> class Half(Layer):
        ...     def forward_pass(self, inputs, *, training=False):
        ...         return inputs / 2
        ...     def backward_pass(self, gradient):
        ...         return gradient  # and not gradient / 2
        >>> check_layer(Half(), (3,))["inputs"] > TOLERANCE
        True
    """
    random = np.random.default_rng(seed)
    layer.build(shape, random)
    _use_float64(layer, random)
    inputs = spread((3, *shape), random)
    start = copy.deepcopy(layer)  # batch norm and dropout change in training, so each pass starts from a copy
    outputs = layer.forward_pass(inputs, training=training)
    weights = random.standard_normal(outputs.shape)
    found = {"inputs": (inputs, layer.backward_pass(weights))}
    for (place, inner), (_, same) in zip(walk([layer]), walk([start]), strict=True):
        for name, gradient in inner.gradients.items():
            found[name if inner is layer else f"{place[2:]}.{name}"] = (same.parameters[name], gradient)

    def value() -> float:
        return float((copy.deepcopy(start).forward_pass(inputs, training=training) * weights).sum())

    return {name: _error(gradient, numerical_slope(value, values)) for name, (values, gradient) in found.items()}


def numerical_slope(function: Callable[[], float], values: Floats, *, step: float = STEP) -> Floats:
    """Return the numerical gradient of a function with respect to an array that it uses, by central differences.

    Args:
        function: The function; it is called twice for each number.
        values: The array, float64; it is changed in place and restored.
        step: Step to each side.

    Example:
        >>> values = np.array([3.0, -1.0])
        >>> numerical_slope(lambda: float((values**2).sum()), values).round(6).tolist()
        [6.0, -2.0]
    """
    slopes = np.zeros_like(values)
    for place, value in np.ndenumerate(values):
        values[place] = value + step
        above = function()
        values[place] = value - step
        slopes[place] = (above - function()) / (2 * step)
        values[place] = value
    return slopes


def spread(shape: Shape, random: np.random.Generator) -> Floats:
    """Return different numbers from -1 to 1 in random order, with a distance from zero and from each other.

    So a small step changes no sign and no maximum of a window, where the gradient would not be defined.
    """
    count = int(np.prod(shape))
    return random.permutation((np.arange(count) + 0.5) / count * 2 - 1 + 0.1 / count).reshape(shape)


def _use_float64(layer: Layer, random: np.random.Generator) -> None:
    """Convert all parameters to float64, and change their initial values, because biases of zero would hide errors."""
    for _, inner in walk([layer]):
        for name, value in inner.parameters.items():
            inner.parameters[name] = value + 0.3 * random.standard_normal(value.shape)
        for name, value in inner.state.items():
            inner.state[name] = value + 0.3 * random.random(value.shape)


def _error(found: Floats, expected: Floats) -> float:
    """Return the largest difference, in units of the largest expected gradient."""
    largest = max(float(np.abs(expected).max(initial=0)), 1e-3)
    return float(np.abs(found - expected).max(initial=0)) / largest


def examples() -> dict[str, tuple[Layer, Shape, bool]]:
    """Return layers of all kinds and options by name, with an input shape and the training mode.

    Add your own layers here, and ``facemood learn check`` checks them.
    """
    image, row = (6, 5, 2), (7,)
    squeeze = [GlobalAveragePool(), Dense(3), Tanh(), Dense(2), Sigmoid()]
    return {
        "Conv2D valid": (Conv2D(3, 3), image, False),
        "Conv2D same": (Conv2D(3, 3, padding="same"), image, False),
        "Conv2D same, stride 2": (Conv2D(3, 5, stride=2, padding="same"), image, False),
        "Conv2D valid, stride 3": (Conv2D(2, 2, stride=3), image, False),
        "MaxPool": (MaxPool(2), image, False),
        "MaxPool, windows overlap": (MaxPool(3, 2), image, False),
        "AveragePool": (AveragePool(2), image, False),
        "AveragePool, windows overlap": (AveragePool(3, 1), image, False),
        "GlobalAveragePool": (GlobalAveragePool(), image, False),
        "Dense": (Dense(4), row, False),
        "Flatten": (Flatten(), image, False),
        "Linear": (Linear(), row, False),
        "Sigmoid": (Sigmoid(), row, False),
        "Tanh": (Tanh(), row, False),
        "ReLU": (ReLU(), row, False),
        "Softmax": (Softmax(), row, False),
        "Dropout at inference": (Dropout(0.5), row, False),
        "Dropout in training": (Dropout(0.5), row, True),
        "BatchNorm at inference": (BatchNorm(), image, False),
        "BatchNorm in training": (BatchNorm(), image, True),
        "BatchNorm in training, rows": (BatchNorm(), row, True),
        "Standardize": (Standardize(), image, False),
        "Residual": (Residual([Dense(7), Tanh(), Dense(7)]), row, False),
        "Residual with a shortcut": (Residual([Conv2D(3), Sigmoid()], [Conv2D(3)]), image, False),
        "Gate": (Gate(squeeze), image, False),
    }


def check_all() -> dict[str, float]:
    """Return the largest error of each of the `examples`; correct gradients are below `TOLERANCE`."""
    return {
        name: max(check_layer(layer, shape, training=training).values())
        for name, (layer, shape, training) in examples().items()
    }
