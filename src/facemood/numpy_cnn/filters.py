"""Classic filters: convolutions with hand-chosen weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facemood.numpy_cnn.convolution import Conv2D
from facemood.numpy_cnn.layer import Floats

FILTERS: dict[str, NDArray[np.float32]] = {
    "identity": np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], np.float32),
    "edge": np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], np.float32),
    "blur": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32) / np.float32(16),
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], np.float32),
    "emboss": np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], np.float32),
}
"""Filters by name, (3, 3) each. They sum to 1 and keep the brightness, except edge, which sums to 0: an even area
becomes black."""


def apply_filter(image: NDArray[np.generic], weights: Floats) -> NDArray[np.float32]:
    """Apply a filter to a grey image.

    Args:
        image: (h, w) of any type; outside of it the pixels of the edge are repeated.
        weights: (f, f) with an odd f.

    Returns:
        (h, w) float32; not clipped, so edges may be negative or above the largest pixel.

    Example:
        >>> float(apply_filter(np.full((4, 5), 7, np.uint8), FILTERS["edge"]).max())
        0.0
    """
    size = len(weights)
    layer = Conv2D(1, size)
    layer.parameters = {"weights": weights.reshape(size, size, 1, 1), "bias": np.zeros(1, np.float32)}
    framed = np.pad(image.astype(np.float32), size // 2, mode="edge")
    return layer.forward_pass(framed[None, :, :, None])[0, :, :, 0].astype(np.float32)
