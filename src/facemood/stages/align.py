"""Crop faces for the network: the same part of the head with every detector."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.schema import Face, Image

WHOLE_BOX = (0.0, 0.0, 1.0, 1.0)
"""Framing of a detector's box itself: left, top, right, bottom in units of the box."""


def frame_box(box: NDArray[np.float32], framing: tuple[float, float, float, float]) -> NDArray[np.float32]:
    """Return the square crop for a detector's box, centred in the framed region.

    Args:
        box: (4,) float32 x1 y1 x2 y2.
        framing: Left, top, right, bottom of the crop in units of the box; (0, 0, 1, 1) is the box.

    Returns:
        (4,) float32 x1 y1 x2 y2, as wide as high.

    Example:
        >>> frame_box(np.float32([10, 10, 20, 20]), (-0.1, -0.2, 1.1, 1.0)).tolist()
        [9.0, 8.0, 21.0, 20.0]
    """
    corner, size = box[:2], box[2:] - box[:2]
    first = corner + size * np.array(framing[:2], np.float32)
    last = corner + size * np.array(framing[2:], np.float32)
    centre, half = (first + last) / 2, (last - first).mean() / 2
    return np.concatenate([centre - half, centre + half]).astype(np.float32)


def crop_faces(
    image: Image, faces: Sequence[Face], framing: tuple[float, float, float, float] = WHOLE_BOX
) -> list[Image]:
    """Cut the framed square of each face out of an image.

    Args:
        image: (H, W, 3) uint8 BGR.
        faces: Faces of that image.
        framing: The crop in units of the face's box.

    Returns:
        One (s, s, 3) uint8 BGR image per face. Outside of the image, the pixels of its edge are repeated.
    """
    return [_cut(image, frame_box(face.box, framing)) for face in faces]


def _cut(image: Image, square: NDArray[np.float32]) -> Image:
    """Cut out one square; outside of the image, the pixels of its edge are repeated."""
    height, width = image.shape[:2]
    side = max(1, round(float(square[2] - square[0])))
    x1, y1 = (round(float(value)) for value in square[:2])
    left, top = max(0, -x1), max(0, -y1)
    right, bottom = max(0, x1 + side - width), max(0, y1 + side - height)
    inside = image[
        min(y1 + top, height - 1) : max(y1 + side - bottom, 1), min(x1 + left, width - 1) : max(x1 + side - right, 1)
    ]
    if not (left or top or right or bottom):
        return inside
    padded = cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_REPLICATE)
    return np.asarray(padded[:side, :side], np.uint8)
