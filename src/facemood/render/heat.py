"""Draw activation maps over images: evidence for a label in green, evidence against it in red."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.schema import Image

FOR = (92, 190, 40)
"""BGR of evidence for a label: green."""

AGAINST = (64, 52, 232)
"""BGR of evidence against a label: red."""

OPACITY = 0.6
"""Opacity of the colour where the map is 1 or -1, 0..1; the face stays visible below it."""


def draw_activation_map(image: Image, values: NDArray[np.float32], box: NDArray[np.float32]) -> None:
    """Draw an activation map over a part of an image, in place. The part turns grey; only the map has colour.

    Args:
        image: (H, W, 3) uint8 BGR.
        values: (rows, columns) float32, -1..1, enlarged to the box by bicubic interpolation.
        box: (4,) x1 y1 x2 y2 in pixels of the image; it may reach beyond the image.
    """
    x1, y1, x2, y2 = np.rint(box).astype(int).tolist()
    left, top, right, bottom = max(x1, 0), max(y1, 0), min(x2, image.shape[1]), min(y2, image.shape[0])
    if right <= left or bottom <= top:
        return
    whole = cv2.resize(values, (x2 - x1, y2 - y1), interpolation=cv2.INTER_CUBIC)
    inside = whole[top - y1 : bottom - y1, left - x1 : right - x1]
    part = image[top:bottom, left:right]
    part[:] = tint(part, np.asarray(inside, np.float32))


def tint(image: Image, values: NDArray[np.float32]) -> Image:
    """Return an image in grey with an activation map in green and red: (h, w, 3) uint8 BGR.

    Args:
        image: (h, w, 3) uint8 BGR.
        values: (h, w) float32; 1 and -1 have the strongest colours, larger values are clipped.

    Example:
        >>> tint(np.full((1, 2, 3), 100, np.uint8), np.array([[0, 1]], np.float32)).tolist()
        [[[100, 100, 100], [95, 154, 64]]]
    """
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR).astype(np.float32)
    strength = OPACITY * np.minimum(np.abs(values), 1)[..., None]
    colours = np.where(values[..., None] > 0, np.array(FOR, np.float32), np.array(AGAINST, np.float32))
    return np.rint(grey * (1 - strength) + colours * strength).astype(np.uint8)
