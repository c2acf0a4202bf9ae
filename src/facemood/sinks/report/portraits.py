"""Small pictures of faces for a report: which of them are kept, cut out and compressed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np

from facemood.schema import Face, Image

SIDE = 112
"""Pixels of a picture's side."""

QUALITY = 82
"""Of the JPEG, 0..100; a picture takes 3 to 5 kB."""

MARGIN = 0.22
"""What is shown on each side of a face, as a share of the longer side of its box."""

BETTER = 0.01
"""By how much a face must be more probable than the one that it takes the place of."""


class Portrait(NamedTuple):
    """A face that shows an expression.

    Attributes:
        label: The expression.
        probability: Its probability there, 0..1.
        certain: What `Face.certain` says.
        place: Where it was seen, in words: a time or a file.
        jpeg: The picture, SIDE x SIDE.
    """

    label: str
    probability: float
    certain: bool | None
    place: str
    jpeg: bytes

    @property
    def address(self) -> str:
        """The picture as a ``data:`` address, for a page that stands alone."""
        return "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode("ascii")


Portraits = Mapping[str, Portrait]
"""The best picture of a person for each expression."""


def cut_portrait(image: Image, face: Face) -> bytes:
    """Cut a face out of its frame as a square with some room around it, and compress it.

    Args:
        image: The frame, (H, W, 3) uint8 BGR.
        face: The face; outside of the frame its edge goes on.

    Returns:
        A JPEG of SIDE x SIDE pixels.

    Example:
        >>> grey = np.full((90, 120, 3), 128, np.uint8)
        >>> cut_portrait(grey, Face(np.float32([10, 10, 60, 70]), score=0.9))[:2].hex()
        'ffd8'
    """
    middle, half = (face.box[:2] + face.box[2:]) / 2, max(*face.size, 1.0) * (0.5 + MARGIN)
    x1, y1 = np.floor(middle - half).astype(int).tolist()
    side = max(1, round(2 * half))
    columns = np.arange(x1, x1 + side).clip(0, image.shape[1] - 1)
    rows = np.arange(y1, y1 + side).clip(0, image.shape[0] - 1)
    smoothing = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    small = cv2.resize(image[rows[:, None], columns], (SIDE, SIDE), interpolation=smoothing)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


class BestPortraits:
    """Keeps one picture of a person for each expression that they show: the surest, of the certain ones if there are.

    Example:
        >>> grey = np.full((90, 120, 3), 128, np.uint8)
        >>> best = BestPortraits()
        >>> for sure in (0.6, 0.9, 0.7):
        ...     read = np.float32([sure, 1 - sure])
        ...     face = Face(np.float32([10, 10, 60, 70]), 0.9, labels=("happy", "sad"), probabilities=read)
        ...     best.add(grey, face, f"at {sure}")
        >>> best.kept["happy"].place
        'at 0.9'
    """

    def __init__(self) -> None:
        self.kept: dict[str, Portrait] = {}

    def add(self, image: Image, face: Face, place: str) -> None:
        """Look at a face, and keep its picture where it is the best of its expression so far."""
        label, probability = face.reported
        if not label:
            return
        best = self.kept.get(label)
        if best is None or _rank(probability, face.certain) > _rank(best.probability + BETTER, best.certain):
            self.kept[label] = Portrait(label, probability, face.certain, place, cut_portrait(image, face))


def _rank(probability: float, certain: bool | None) -> tuple[bool, float]:
    """Return what faces of one expression are ordered by."""
    return bool(certain), probability
