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


def draw_activation_map(image: Image, box: NDArray[np.float32], values: NDArray[np.float32], tilt: float = 0.0) -> None:
    """Draw an activation map over a part of an image, in place. The part turns grey; only the map has colour.

    Args:
        image: (H, W, 3) uint8 BGR.
        box: (4,) x1 y1 x2 y2 in pixels of the image; it may reach beyond the image.
        values: (rows, columns) float32, -1..1, enlarged to the box by bicubic interpolation.
        tilt: Rotation of the box and its map about their centre in degrees, clockwise in the image.
    """
    size = np.maximum(np.rint(box[2:] - box[:2]), 1).astype(int)
    matrix = cv2.getRotationMatrix2D((0.0, 0.0), -tilt, 1.0)[:, :2]  # from the map's axes to the image's
    middle = (box[:2] + box[2:]) / 2
    reach = np.abs(matrix) @ size / 2  # half the sides of the upright box around the turned one
    left, top = np.clip(np.rint(middle - reach), 0, (image.shape[1], image.shape[0])).astype(int)
    right, bottom = np.clip(np.rint(middle + reach), 0, (image.shape[1], image.shape[0])).astype(int)
    if right <= left or bottom <= top:
        return
    whole = cv2.resize(values, size.tolist(), interpolation=cv2.INTER_CUBIC)
    columns, rows = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
    across, down = np.tensordot(matrix.T, np.stack([columns - middle[0], rows - middle[1]]), axes=1)
    across, down = (across + size[0] / 2).astype(np.float32), (down + size[1] / 2).astype(np.float32)
    covered = (across >= 0) & (across < size[0]) & (down >= 0) & (down < size[1])
    inside = cv2.remap(whole, across - 0.5, down - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    part = image[top:bottom, left:right]
    part[covered] = tint(part, np.asarray(inside, np.float32))[covered]


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
