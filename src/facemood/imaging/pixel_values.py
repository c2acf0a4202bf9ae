"""Bring pixels of any type to 8 bits. The range that they are taken to have follows from their least and largest value.

Whole numbers have 8, 10, 12, 14 or 16 bits: the fewest that hold the largest value, so 12-bit values in a 16-bit file
are not black. Above 16 bits the largest value is white. Floats lie in 0..1 or -1..1 where all do, else they are taken
as whole numbers are. Values below 0 are stretched. NaN and infinite values become the least and the largest finite one.
"""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from facemood.errors import ImageError

logger: logging.Logger = logging.getLogger("facemood")

BITS = (8, 10, 12, 14, 16)
"""Bits that whole numbers are taken to have; where more would be needed, the largest value is white."""

USUAL_BITS = (8, 16)
"""Bits of files; other ranges are logged."""

PART = 4_000_000
"""Pixels that are converted together, so that memory stays bounded."""

SLACK = 0.05
"""How far floats may lie outside of 0..1 or -1..1, as resizing leaves them."""


def to_eight_bits(
    values: NDArray[np.generic], *, floating: bool | None = None, name: str = "image"
) -> NDArray[np.uint8]:
    """Scale pixels of any type to 0..255.

    Args:
        values: Pixels of any shape and type.
        floating: Whether they may lie in 0..1; None says so of floats.
        name: What messages call the image.

    Returns:
        uint8 of the same shape.

    Raises:
        ImageError: No pixel is finite.

    Example:
        >>> to_eight_bits(np.array([0, 2048, 4095], np.uint16)).tolist()
        [0, 128, 255]
        >>> to_eight_bits(np.array([0.0, 0.5, np.inf, np.nan])).tolist()
        [0, 128, 128, 0]
    """
    flat = values.reshape(-1)
    parts = [slice(first, first + PART) for first in range(0, flat.size, PART)]
    bounds = [found for part in parts if (found := _bounds(flat[part])) is not None]
    if not bounds:
        raise ImageError(f"{name}: none of its pixels is a finite number; expected values such as 0..1 or 0..255")
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    least, most = value_range(low, high, floating=values.dtype.kind == "f" if floating is None else floating)
    if most > 1 and most not in [2.0**bits - 1 for bits in USUAL_BITS]:
        logger.info("%s: pixels of %g to %g are read as %g to %g", name, low, high, least, most)
    scaled = np.empty(flat.size, np.uint8)
    for part in parts:
        pixels = np.nan_to_num(flat[part].astype(np.float64), nan=low, posinf=high, neginf=low)
        scaled[part] = np.rint(((pixels - least) * (255 / (most - least))).clip(0, 255))
    return scaled.reshape(values.shape)


def _bounds(values: NDArray[np.generic]) -> tuple[float, float] | None:
    """Return the least and the largest finite value; None where there is none."""
    pixels = values.astype(np.float64)
    finite = pixels[np.isfinite(pixels)]
    return (float(finite.min()), float(finite.max())) if finite.size else None


def value_range(low: float, high: float, *, floating: bool) -> tuple[float, float]:
    """Return which values are black and white, from the least and the largest value of an image.

    Example:
        >>> value_range(0, 4000, floating=False), value_range(-1, 1, floating=True)
        ((0.0, 4095.0), (-1.0, 1.0))
    """
    if floating and high <= 1 + SLACK and low >= -SLACK:
        return 0.0, 1.0
    if floating and high <= 1 + SLACK and low >= -1 - SLACK:
        return -1.0, 1.0
    if low < 0:
        return low, high if high > low else low + max(1.0, -low)
    return 0.0, next((2.0**bits - 1 for bits in BITS if high <= 2.0**bits - 1), high)
