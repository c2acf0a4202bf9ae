"""Appearance embedding of a face, by which the tracker re-identifies a person within a video."""

from __future__ import annotations

import cv2
import numpy as np

from facemood.geometry import TINY, Floats
from facemood.schema import Face, Image

THUMBNAIL = 8
"""Pixels of the thumbnail's side: so coarse that an expression hardly changes it."""

COLOUR_SHARE = 0.9
"""Weight of the colours in the similarity, 0..1; the rest is the thumbnail's. Colours distinguish people better."""

BINS = 24
"""Histogram bins for green's share of the light, and as many for red's."""

LOWEST = (0.15, 0.15)
"""Shares of green and of red, 0..1, at which the histogram begins; lower ones count in its first bin."""

HIGHEST = (0.5, 0.7)
"""Shares of green and of red, 0..1, at which the histogram ends; higher ones count in its last bin."""


def appearance_of(image: Image, face: Face) -> Floats:
    """Return an appearance embedding of a face: a normalized grey thumbnail and a chromaticity histogram.

    The dot product of two embeddings is their similarity, at most 1. Neither part depends on the brightness, and
    neither changes much with the expression: the thumbnail is too coarse, and colours do not move.

    Args:
        image: The frame, (H, W, 3) uint8 BGR.
        face: A face in it.

    Returns:
        (640,) float32 of length 1; all zeros for a face outside of the frame.
    """
    crop = face.crop(image)
    if not crop.size:
        return np.zeros(THUMBNAIL * THUMBNAIL + BINS * BINS, np.float32)
    small = cv2.resize(crop, (3 * THUMBNAIL, 3 * THUMBNAIL), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(cv2.resize(small, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    shade = grey.astype(np.float32).ravel() - grey.mean()
    parts = [
        np.sqrt(1 - COLOUR_SHARE) * shade / max(float(np.linalg.norm(shade)), TINY),
        np.sqrt(COLOUR_SHARE) * _histogram_of(np.asarray(small, np.uint8)),
    ]
    return np.concatenate(parts).astype(np.float32)


def _histogram_of(pixels: Image) -> Floats:
    """Return the square root of a chromaticity histogram, weighted by brightness: (576,) of (h, w, 3) uint8 BGR.

    The dot product of two is the Bhattacharyya coefficient of their histograms, at most 1.
    """
    light = pixels.reshape(-1, 3).astype(np.float32)
    strength = light.sum(axis=1)
    shares = light[:, 1:] / np.maximum(strength, 1)[:, None]  # of green and of red
    scaled = (shares - LOWEST) / np.subtract(HIGHEST, LOWEST)
    cells = np.clip(scaled * BINS, 0, BINS - 1).astype(int)
    amounts = np.bincount(cells[:, 0] * BINS + cells[:, 1], strength, BINS * BINS).reshape(BINS, BINS)
    spread = cv2.GaussianBlur(amounts.astype(np.float32), (3, 3), 0.7)  # a colour at the edge of a bin counts for both
    return np.asarray(np.sqrt(spread.ravel() / max(float(spread.sum()), TINY)), np.float32)
