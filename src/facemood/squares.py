"""Cut rotated squares out of images."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

LARGEST_WARPED = 32_000
"""Longest side in pixels of an image that is warped whole; OpenCV refuses 32,768."""


def cut_square(image: NDArray[np.uint8], frame: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """Cut a rotated square out of an image; outside of the image, the pixels of its edge are repeated.

    Args:
        image: (H, W) or (H, W, 3) uint8.
        frame: (2, 3) affine matrix from pixels of the square to pixels of the image.
        size: Pixels of the square's side.

    Returns:
        (size, size) or (size, size, 3) uint8. A square that is shrunk is averaged first (anti-aliasing).
    """
    scale = float(np.hypot(*frame[:, 0]))
    if scale > 2 or max(image.shape[:2]) > LARGEST_WARPED:  # shrink the needed part by an integer factor first
        corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float32) @ frame[:, :2].T + frame[:, 2]
        height, width = image.shape[:2]
        (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        x1, y1 = math.floor(min(max(0, left), width - 1)), math.floor(min(max(0, top), height - 1))
        x2, y2 = math.ceil(min(max(x1, right) + 1, width)), math.ceil(min(max(y1, bottom) + 1, height))
        part, factor = image[y1:y2, x1:x2], max(1, int(scale))
        small = (max(1, (x2 - x1) // factor), max(1, (y2 - y1) // factor))
        ratio = np.array([(x2 - x1) / small[0], (y2 - y1) / small[1]], np.float32)
        image = np.asarray(cv2.resize(part, small, interpolation=cv2.INTER_AREA), np.uint8)
        frame = np.column_stack([frame[:, :2] / ratio[:, None], (frame[:, 2] - (x1, y1)) / ratio]).astype(np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(image, frame, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
