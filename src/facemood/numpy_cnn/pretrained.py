"""Load the trained networks of facemood as layers of this package."""

from __future__ import annotations

import os
from collections.abc import Mapping

from facemood.errors import ModelError
from facemood.numpy_cnn.activations import ReLU, Sigmoid, Softmax
from facemood.numpy_cnn.branches import Gate, Residual
from facemood.numpy_cnn.convolution import Conv2D
from facemood.numpy_cnn.dense import Dense
from facemood.numpy_cnn.layer import Floats, Layer
from facemood.numpy_cnn.normalization import Standardize
from facemood.numpy_cnn.onnx_weights import read_weights
from facemood.numpy_cnn.pooling import AveragePool, GlobalAveragePool
from facemood.numpy_cnn.sequential import Sequential

SIDE = 48
"""Side of a face in pixels."""

PREFIX = "network."
"""Prefix of the names of weights in facemood's ONNX files."""

HALF = ".half"
"""Suffix of the names of weights that are stored in half precision."""

Weights = Mapping[str, Floats]


def load_network(path: str | os.PathLike[str], *, head: str = "ferplus") -> Sequential:
    """Build a network of facemood from its ONNX file, in which batch norm is folded into the convolutions.

    Args:
        path: An expression model of the kind se-resnet, such as ``find_model("nano")``.
        head: The head whose probabilities it returns.

    Returns:
        A network from (N, 48, 48, 1) grey pixels of 0..255 to the head's probabilities, at temperature 1.

    Raises:
        ModelError: The file is not such a model, or has no such head.
    """
    weights = {
        name.removeprefix(PREFIX).removesuffix(HALF): values
        for name, values in read_weights(path).items()
        if name.startswith(PREFIX)
    }
    if "stem.0.weight" not in weights:
        raise ModelError(f"{path}: is not a facemood network of the kind se-resnet; expected one such as nano")
    heads = sorted(name.split(".")[1] for name in weights if name.startswith("heads.") and name.endswith(".weight"))
    if head not in heads:
        raise ModelError(f"{path}: has no head {head!r}; it has {', '.join(heads)}")
    try:
        return _fill(Sequential(_layers(weights, head), input_shape=(SIDE, SIDE, 1)), weights, head)
    except KeyError as error:
        raise ModelError(f"{path}: the weights {PREFIX}{error.args[0]} are missing") from error
    except (ValueError, ArithmeticError) as error:
        raise ModelError(f"{path}: the weights do not belong to a network of the kind se-resnet ({error})") from error


def _layers(weights: Weights, head: str) -> list[Layer]:
    """Return the layers for weights."""
    layers: list[Layer] = [Standardize()]
    for name in _stem(weights):
        layers += [_convolution(weights, name, stride=2 if name == _stem(weights)[-1] else 1), ReLU()]
    for name in _blocks(weights):
        layers += [_block(weights, name), ReLU()]
    return [*layers, GlobalAveragePool(), _dense(weights, f"heads.{head}"), Softmax()]


def _stem(weights: Weights) -> list[str]:
    """Return the names of the convolutions before the first block, one or two; the last of them halves the map."""
    return [name for name in ("stem.0", "stem.3") if f"{name}.weight" in weights]


def _blocks(weights: Weights) -> list[str]:
    """Return the names of the residual blocks in order."""
    count = sum(name.startswith("stages.") and name.endswith(".body.0.weight") for name in weights)
    return [f"stages.{index}" for index in range(count)]


def _block(weights: Weights, name: str) -> Residual:
    """Return a residual block; if its shortcut has weights, a stage begins, which halves the map."""
    stride = 2 if f"{name}.shortcut.1.weight" in weights else 1
    gate = [_dense(weights, f"{name}.body.5.gate.1"), ReLU(), _dense(weights, f"{name}.body.5.gate.3"), Sigmoid()]
    body: list[Layer] = [
        _convolution(weights, f"{name}.body.0", stride=stride),
        ReLU(),
        _convolution(weights, f"{name}.body.3"),
        Gate([GlobalAveragePool(), *gate]),
    ]
    return Residual(body, [AveragePool(2), _convolution(weights, f"{name}.shortcut.1")] if stride == 2 else [])


def _convolution(weights: Weights, name: str, *, stride: int = 1) -> Conv2D:
    """Return a convolution for weights (filters, c, f, f)."""
    filters, _, size, _ = weights[f"{name}.weight"].shape
    return Conv2D(filters, size, stride=stride, padding="same")


def _dense(weights: Weights, name: str) -> Dense:
    """Return a dense layer for weights (units, d), or (units, d, 1, 1), which is the same as a 1x1 convolution."""
    return Dense(len(weights[f"{name}.weight"]))


def _fill(model: Sequential, weights: Weights, head: str) -> Sequential:
    """Set the weights of all layers with parameters; both are in the order of the forward pass."""
    names = _stem(weights)
    for block in _blocks(weights):
        parts = ("body.0", "body.3", "body.5.gate.1", "body.5.gate.3", "shortcut.1")
        names += [f"{block}.{part}" for part in parts if f"{block}.{part}.weight" in weights]
    trainable = [layer for layer in model.all_layers if layer.parameters]
    for layer, name in zip(trainable, [*names, f"heads.{head}"], strict=True):
        values = weights[f"{name}.weight"]
        ours = values.transpose(2, 3, 1, 0) if values.ndim == 4 else values.T  # (f, f, c, filters) or (d, units)
        bias = weights[f"{name}.weight_bias" if f"{name}.weight_bias" in weights else f"{name}.bias"]
        layer.parameters = {"weights": ours.reshape(layer.parameters["weights"].shape), "bias": bias}
    return model
