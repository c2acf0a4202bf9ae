"""Pooling: reduce each window to one number, which makes maps smaller and less sensitive to small shifts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np

from facemood.numpy_cnn.layer import Floats, Layer, Shape, check_image_shape
from facemood.numpy_cnn.windows import pixels_of_windows, window_grid


@dataclass(eq=False)
class _Pool(Layer):
    """Base class of pooling layers: windows of a size, by default without overlap."""

    size: int = 2
    stride: int | None = None

    @property
    def step(self) -> int:
        """Pixels s from one window to the next."""
        return self.size if self.stride is None else self.stride

    def build(self, shape: Shape, random: np.random.Generator) -> Shape:
        """Return (rows, columns, c)."""
        return *window_grid(self, shape, self.size, stride=self.step), shape[2]


@dataclass(eq=False)
class MaxPool(_Pool):
    """Max pooling: [n, n, c] -> [floor((n - f) / s + 1)]^2 x c.

        y[i, j, c] = max over a, b of x[s i + a, s j + b, c]

    The gradient goes to the largest pixel of each window; of equal ones, to the first.

    Keeps: inputs and outputs.

    Attributes:
        size: Side f of a window.
        stride: Pixels s from one window to the next; None for f. Remaining pixels at the right and bottom are ignored.

    Example:
        >>> MaxPool(2).forward_pass(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0].tolist()
        [[5.0, 7.0], [13.0, 15.0]]
    """

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, h, w, c) to (N, rows, columns, c)."""
        self._inputs = inputs
        self._largest: Floats = reduce(np.maximum, pixels_of_windows(inputs, self.size, stride=self.step))
        return self._largest

    def backward_pass(self, gradient: Floats) -> Floats:
        """Map (N, rows, columns, c) to (N, h, w, c)."""
        slopes = np.zeros_like(self._inputs)
        waiting = np.ones(gradient.shape, bool)  # windows whose largest pixel is not found yet
        parts = pixels_of_windows(self._inputs, self.size, stride=self.step)
        for pixels, slope in zip(parts, pixels_of_windows(slopes, self.size, stride=self.step), strict=True):
            found = waiting & (pixels == self._largest)
            slope += gradient * found
            waiting ^= found
        return slopes


@dataclass(eq=False)
class AveragePool(_Pool):
    """Average pooling: [n, n, c] -> [floor((n - f) / s + 1)]^2 x c.

        y[i, j, c] = 1 / f^2 sum over a, b of x[s i + a, s j + b, c]

    Keeps: the inputs' shape.

    Attributes:
        size: Side f of a window.
        stride: Pixels s from one window to the next; None for f. Remaining pixels at the right and bottom are ignored.

    Example:
        >>> AveragePool(2).forward_pass(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0].tolist()
        [[2.5, 4.5], [10.5, 12.5]]
    """

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, h, w, c) to (N, rows, columns, c)."""
        self._shape = inputs.shape
        total: Floats = reduce(np.add, pixels_of_windows(inputs, self.size, stride=self.step))
        return total / self.size**2

    def backward_pass(self, gradient: Floats) -> Floats:
        """Map (N, rows, columns, c) to (N, h, w, c): every pixel of a window gets the same share."""
        slopes = np.zeros(self._shape, gradient.dtype)
        for slope in pixels_of_windows(slopes, self.size, stride=self.step):
            slope += gradient / self.size**2
        return slopes


@dataclass(eq=False)
class GlobalAveragePool(Layer):
    """Global average pooling, the mean of each map: [h, w, c] -> [c].

        y[c] = 1 / (h w) sum over i, j of x[i, j, c]

    Keeps: the inputs' shape.

    Example:
        >>> GlobalAveragePool().forward_pass(np.ones((2, 6, 6, 3))).shape
        (2, 3)
    """

    def build(self, shape: Shape, random: np.random.Generator) -> Shape:
        """Return (c,)."""
        return check_image_shape(self, shape)[2:]

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, h, w, c) to (N, c)."""
        self._shape = inputs.shape
        means: Floats = inputs.mean(axis=(1, 2))
        return means

    def backward_pass(self, gradient: Floats) -> Floats:
        """Map (N, c) to (N, h, w, c)."""
        _, height, width, _ = self._shape
        share = gradient / (height * width)
        return np.broadcast_to(share[:, None, None], self._shape)
