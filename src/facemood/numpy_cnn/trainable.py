"""What `training` needs of a network, so that it does not import `sequential`, which imports it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facemood.numpy_cnn.layer import Floats, Layer


class Trainable(Protocol):
    """What training needs of a network; `Sequential` has it."""

    @property
    def all_layers(self) -> list[Layer]:
        """All layers, whose parameters are learnt."""
        ...

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Return the outputs."""
        ...

    def backward_pass(self, gradient: Floats) -> Floats:
        """Leave all gradients in the layers."""
        ...

    def evaluate(self, inputs: NDArray[np.generic], targets: Floats) -> tuple[float, float]:
        """Return loss and accuracy."""
        ...

    def weights(self) -> dict[str, Floats]:
        """Return all weights by name."""
        ...

    def set_weights(self, weights: Mapping[str, Floats]) -> None:
        """Take copies of all weights."""
        ...
