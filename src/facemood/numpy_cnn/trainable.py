"""The protocol of trainable networks, so that `training` need not import `sequential`, which imports it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facemood.numpy_cnn.layer import Floats, Layer


class Trainable(Protocol):
    """A network that can be trained, such as `Sequential`."""

    @property
    def all_layers(self) -> list[Layer]:
        """All layers with trainable parameters."""
        ...

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Return the outputs."""
        ...

    def backward_pass(self, gradient: Floats) -> Floats:
        """Set the gradients of all layers."""
        ...

    def evaluate(self, inputs: NDArray[np.generic], targets: Floats) -> tuple[float, float]:
        """Return loss and accuracy."""
        ...

    def weights(self) -> dict[str, Floats]:
        """Return all weights by name."""
        ...

    def set_weights(self, weights: Mapping[str, Floats]) -> None:
        """Set all weights to copies of the given ones."""
        ...
