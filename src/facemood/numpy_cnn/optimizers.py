"""Optimizers: update parameters by their gradients, in place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from facemood.numpy_cnn.layer import Floats, Layer


@dataclass(eq=False)
class Optimizer:
    """Base class of optimizers. It keeps a state for each parameter, so an optimizer belongs to one model.

    Attributes:
        rate: Learning rate.
    """

    rate: float = 0.01
    _memory: dict[tuple[int, str], dict[str, Floats]] = field(default_factory=dict, init=False, repr=False)

    def step(self, layers: Iterable[Layer]) -> None:
        """Update all parameters of some layers by their gradients."""
        for index, layer in enumerate(layers):
            for name, parameter in layer.parameters.items():
                memory = self._memory.setdefault((index, name), {})
                self.change(parameter, layer.gradients[name], memory)

    def change(self, parameter: Floats, gradient: Floats, memory: dict[str, Floats]) -> None:
        """Update one parameter in place.

        Args:
            parameter: The array.
            gradient: Its gradient, in the same shape.
            memory: The optimizer's state for it; empty at first.
        """
        raise NotImplementedError(f"{type(self).__name__} has no change; write one that updates a parameter")


@dataclass(eq=False)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum: v = momentum v + g, w = w - rate v.

    Attributes:
        rate: Learning rate.
        momentum: Decay of the velocity, 0..1.

    Example:
        >>> weight = np.array([1.0])
        >>> SGD(rate=0.1).change(weight, np.array([2.0]), {})
        >>> weight.tolist()
        [0.8]
    """

    momentum: float = 0.9

    def change(self, parameter: Floats, gradient: Floats, memory: dict[str, Floats]) -> None:
        """Update one parameter in place."""
        memory["speed"] = self.momentum * memory.get("speed", np.zeros_like(parameter)) + gradient
        parameter -= self.rate * memory["speed"]


@dataclass(eq=False)
class Adam(Optimizer):
    """Adam (Kingma and Ba 2015): steps of about the same length for all parameters.

        m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,  w = w - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + 1e-8)

    m is the running mean of the gradients and v that of their squares. Both start at zero, and the divisions by
    1 - b^t at step t correct for that (bias correction).

    Attributes:
        rate: Learning rate.
        b1: Decay of m.
        b2: Decay of v.

    Example:
        >>> weight = np.array([1.0])
        >>> Adam(rate=0.1).change(weight, np.array([2000.0]), {})
        >>> weight.round(6).tolist()
        [0.9]
    """

    rate: float = 0.001
    b1: float = 0.9
    b2: float = 0.999

    def change(self, parameter: Floats, gradient: Floats, memory: dict[str, Floats]) -> None:
        """Update one parameter in place."""
        steps = memory["steps"] = memory.get("steps", np.zeros(1)) + 1
        mean = memory["mean"] = self._mix(memory.get("mean"), gradient, self.b1)
        square = memory["square"] = self._mix(memory.get("square"), gradient * gradient, self.b2)
        time = float(steps[0])
        deviation = np.sqrt(square / (1 - self.b2**time)) + 1e-8
        parameter -= self.rate * (mean / (1 - self.b1**time)) / deviation

    def _mix(self, known: Floats | None, new: Floats, keep: float) -> Floats:
        """Update a running mean, which starts at zero, with a new value."""
        return (1 - keep) * new if known is None else keep * known + (1 - keep) * new
