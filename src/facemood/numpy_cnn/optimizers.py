"""Optimisers: how parameters follow their gradients downhill. They change the arrays in place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from facemood.numpy_cnn.layer import Floats, Layer


@dataclass(eq=False)
class Optimizer:
    """The common part: it goes from parameter to parameter, and remembers something of each; so it is for one model.

    Attributes:
        rate: How far a step goes.
    """

    rate: float = 0.01
    _memory: dict[tuple[int, str], dict[str, Floats]] = field(default_factory=dict, init=False, repr=False)

    def step(self, layers: Iterable[Layer]) -> None:
        """Change all parameters of some layers by the gradients that the backward pass left there."""
        for index, layer in enumerate(layers):
            for name, parameter in layer.parameters.items():
                memory = self._memory.setdefault((index, name), {})
                self.change(parameter, layer.gradients[name], memory)

    def change(self, parameter: Floats, gradient: Floats, memory: dict[str, Floats]) -> None:
        """Change one parameter in place.

        Args:
            parameter: The array.
            gradient: In its shape.
            memory: What was remembered of it; empty the first time.
        """
        raise NotImplementedError(f"{type(self).__name__} has no change; write one that moves a parameter")


@dataclass(eq=False)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum: v = momentum v + g, w = w - rate v.

    Attributes:
        rate: How far a step goes.
        momentum: The share of the speed that stays, 0..1.

    Example:
        >>> weight = np.array([1.0])
        >>> SGD(rate=0.1).change(weight, np.array([2.0]), {})
        >>> weight.tolist()
        [0.8]
    """

    momentum: float = 0.9

    def change(self, parameter: Floats, gradient: Floats, memory: dict[str, Floats]) -> None:
        """Change one parameter in place."""
        memory["speed"] = self.momentum * memory.get("speed", np.zeros_like(parameter)) + gradient
        parameter -= self.rate * memory["speed"]


@dataclass(eq=False)
class Adam(Optimizer):
    """Steps of about the same length for every parameter (Kingma and Ba 2015).

        m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,  w = w - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + 1e-8)

    m is the running mean of the gradients and v that of their squares; both begin at zero, and the divisions by
    1 - b^t at step t make up for that.

    Attributes:
        rate: How far a step goes.
        b1: The share of m that stays.
        b2: The share of v that stays.

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
        """Change one parameter in place."""
        steps = memory["steps"] = memory.get("steps", np.zeros(1)) + 1
        mean = memory["mean"] = self._mix(memory.get("mean"), gradient, self.b1)
        square = memory["square"] = self._mix(memory.get("square"), gradient * gradient, self.b2)
        time = float(steps[0])
        deviation = np.sqrt(square / (1 - self.b2**time)) + 1e-8
        parameter -= self.rate * (mean / (1 - self.b1**time)) / deviation

    def _mix(self, known: Floats | None, new: Floats, keep: float) -> Floats:
        """Move a running mean, which begins at zero, towards what is new."""
        return (1 - keep) * new if known is None else keep * known + (1 - keep) * new
