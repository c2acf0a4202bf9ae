"""PyTorch's counterparts of the layers, with the same weights, and arrays in its order of channels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from facemood.numpy_cnn import BatchNorm, Conv2D, Layer
from facemood.numpy_cnn.layer import Floats

Pass = tuple[Floats, Floats, dict[str, Floats]]
"""Outputs, gradients of the inputs, and gradients of the parameters by name."""


def to_torch(array: Floats) -> Tensor:
    """Images (N, h, w, c) as (N, c, h, w), and rows as they are."""
    return torch.from_numpy(np.ascontiguousarray(array.transpose(0, 3, 1, 2) if array.ndim == 4 else array))


def from_torch(tensor: Tensor) -> Floats:
    """Images (N, c, h, w) as (N, h, w, c), and rows as they are."""
    array = tensor.detach().numpy()
    return np.asarray(array.transpose(0, 2, 3, 1) if array.ndim == 4 else array)


def reference_convolution(layer: Conv2D) -> nn.Conv2d:
    """PyTorch's convolution with our weights, (f, f, c, filters) as (filters, c, f, f)."""
    weights = torch.from_numpy(layer.parameters["weights"].transpose(3, 2, 0, 1).copy())
    reference = nn.Conv2d(weights.shape[1], layer.filters, layer.size, stride=layer.stride, padding=layer.frame)
    reference.weight, reference.bias = (
        nn.Parameter(weights),
        nn.Parameter(torch.from_numpy(layer.parameters["bias"].copy())),
    )
    return reference


def reference_norm(layer: BatchNorm, dimensions: int) -> nn.Module:
    """PyTorch's batch norm for images (4 dimensions) or rows, with our weights."""
    kind = nn.BatchNorm2d if dimensions == 4 else nn.BatchNorm1d
    reference = kind(len(layer.parameters["scale"]))
    reference.weight = nn.Parameter(torch.from_numpy(layer.parameters["scale"].copy()))
    reference.bias = nn.Parameter(torch.from_numpy(layer.parameters["shift"].copy()))
    return reference


def our_pass(layer: Layer, inputs: Floats, slope: Floats, *, training: bool) -> Pass:
    """Run a layer forward and backward."""
    outputs = layer.forward_pass(inputs, training=training)
    return outputs, layer.backward_pass(slope), layer.gradients


def torch_pass(reference: Callable[[Tensor], Tensor], inputs: Floats, slope: Floats) -> tuple[Floats, Floats]:
    """Run PyTorch's layer forward and backward; gradients of parameters stay in it."""
    tensor = to_torch(inputs).requires_grad_()
    outputs = reference(tensor)
    outputs.backward(to_torch(slope))  # type: ignore[no-untyped-call]
    assert tensor.grad is not None
    return from_torch(outputs), from_torch(tensor.grad)
