"""Convolution: the same filters are applied at every position of an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facemood.numpy_cnn.layer import Floats, Layer, Shape, draw_weights
from facemood.numpy_cnn.windows import add_windows, pad, take_windows, unpad, window_grid

PADDINGS = ("valid", "same")
"""Paddings: ``"valid"`` keeps filters inside the input, ``"same"`` adds zeros to keep its size."""


@dataclass(eq=False)
class Conv2D(Layer):
    """Convolution with several filters: [n, n, c] * [f, f, c] -> [floor((n + 2p - f) / s + 1)]^2 x filters.

    At row i, column j and filter k, with x padded by p zeros:

        y[i, j, k] = bias[k] + sum over a, b, c of x[s i + a, s j + b, c] weights[a, b, c, k]

    All windows become the rows of one matrix, so that one matrix product computes all sums (im2col).

    Keeps: that matrix, (N rows columns, f f c), and the shape of the padded images.

    Attributes:
        filters: Number of filters, the channels of the output.
        size: Side f of a filter in pixels.
        stride: Pixels s from one window to the next.
        padding: ``"valid"``, p = 0, or ``"same"``, p = (f - 1) / 2, with which a stride of 1 keeps the image's size.

    Parameters are ``weights`` (f, f, c, filters) and ``bias`` (filters,).

    Raises:
        ValueError: The padding is unknown, or ``"same"`` with an even size, which has no middle.

    Example:
        >>> layer = Conv2D(16, 5, stride=2, padding="same")
        >>> layer.build((48, 48, 1), np.random.default_rng(0))
        (24, 24, 16)
        >>> layer.forward_pass(np.zeros((2, 48, 48, 1), np.float32)).shape
        (2, 24, 24, 16)
    """

    filters: int
    size: int = 3
    stride: int = 1
    padding: str = "valid"

    def __post_init__(self) -> None:
        if self.padding not in PADDINGS:
            raise ValueError(f"unknown padding {self.padding!r}; expected {' or '.join(PADDINGS)}")
        if self.padding == "same" and self.size % 2 == 0:
            raise ValueError(f"padding 'same' needs an odd size, but it is {self.size}; use {self.size + 1}")

    @property
    def frame(self) -> int:
        """The padding p on each side."""
        return (self.size - 1) // 2 if self.padding == "same" else 0

    def build(self, shape: Shape, random: np.random.Generator) -> Shape:
        """Draw the weights, and return (rows, columns, filters)."""
        rows, columns = window_grid(self, shape, self.size, stride=self.stride, padding=self.frame)
        volume = (self.size, self.size, shape[2])
        weights = draw_weights((*volume, self.filters), int(np.prod(volume)), random)
        self.parameters: dict[str, Floats] = {"weights": weights, "bias": np.zeros(self.filters, np.float32)}
        return rows, columns, self.filters

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, h, w, c) to (N, rows, columns, filters)."""
        padded = pad(inputs, self.frame)
        windows = take_windows(padded, self.size, stride=self.stride)  # (N, rows, columns, f, f, c)
        self._shape, self._grid = padded.shape, windows.shape
        self._patches = windows.reshape(-1, len(self._matrix))  # (N rows columns, f f c); pixels are copied here
        outputs = self._patches @ self._matrix + self.parameters["bias"]
        return outputs.reshape(*windows.shape[:3], self.filters)

    def backward_pass(self, gradient: Floats) -> Floats:
        """Map (N, rows, columns, filters) to (N, h, w, c)."""
        flat = gradient.reshape(-1, self.filters)  # (N rows columns, filters)
        weights = self.parameters["weights"]
        self.gradients: dict[str, Floats] = {
            "weights": (self._patches.T @ flat).reshape(weights.shape),
            "bias": flat.sum(axis=0),
        }
        windows = (flat @ self._matrix.T).reshape(self._grid)
        return unpad(add_windows(windows, self._shape, stride=self.stride), self.frame)

    @property
    def _matrix(self) -> Floats:
        """The weights as a matrix with one column per filter: (f f c, filters)."""
        return self.parameters["weights"].reshape(-1, self.filters)
