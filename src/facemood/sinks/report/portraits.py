"""Portraits for a report: small images of faces, cropped and compressed as JPEG."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import cv2
import numpy as np

from facemood.schema import Face, Image

SIDE = 112
"""Side of a portrait in pixels."""

QUALITY = 82
"""Quality of the JPEG, 0..100; a portrait takes 3 to 5 kB."""

MARGIN = 0.22
"""Margin around the face's box on each side, as a share of its longer side, so that hair and chin are visible."""

BETTER = 0.01
"""Gain in probability for which a portrait is replaced. A smaller gain is not worth compressing a new one."""


class Portrait(NamedTuple):
    """A small image of a face that shows an expression.

    Attributes:
        label: The expression.
        probability: Its probability, 0..1.
        certain: `Face.certain`.
        place: Where the face is from, in words: a time or a file.
        jpeg: The image as JPEG, SIDE x SIDE pixels.
    """

    label: str
    probability: float
    certain: bool | None
    place: str
    jpeg: bytes

    @property
    def address(self) -> str:
        """The image as a ``data:`` URL, for a self-contained page."""
        return "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode("ascii")


Portraits = Mapping[str, Portrait]
"""The best portrait of a person for each expression."""


def cut_portrait(image: Image, face: Face) -> bytes:
    """Crop a face as a square with a margin, and compress it.

    Args:
        image: The frame, (H, W, 3) uint8 BGR.
        face: The face. Beyond the frame, the pixels of its edge are repeated.

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
    """Keeps the most confident portrait of a person for each expression; certain predictions come first.

    Example:
        >>> grey = np.full((90, 120, 3), 128, np.uint8)
        >>> best = BestPortraits()
        >>> for happy in (0.6, 0.9, 0.7):
        ...     row = np.float32([happy, 1 - happy])
        ...     face = Face(np.float32([10, 10, 60, 70]), 0.9, labels=("happy", "sad"), probabilities=row)
        ...     best.add(grey, face, f"at {happy}")
        >>> best.kept["happy"].place
        'at 0.9'
    """

    def __init__(self) -> None:
        self.kept: dict[str, Portrait] = {}

    def add(self, image: Image, face: Face, place: str) -> None:
        """Keep a portrait of a face if it is the best of its expression so far."""
        if not face.labels:
            return
        label, probability = face.emotion, face.confidence
        best = self.kept.get(label)
        if best is None or _rank(probability, face.certain) > _rank(best.probability + BETTER, best.certain):
            self.kept[label] = Portrait(label, probability, face.certain, place, cut_portrait(image, face))


def merge_portraits(several: Iterable[Portraits]) -> Portraits:
    """Return the best portrait of each expression among several collections, such as those of a person's segments."""
    best: dict[str, Portrait] = {}
    for portraits in several:
        for label, portrait in portraits.items():
            known = best.get(label)
            ranks = [_rank(one.probability, one.certain) for one in (portrait, known) if one is not None]
            if known is None or ranks[0] > ranks[1]:
                best[label] = portrait
    return best


def _rank(probability: float, certain: bool | None) -> tuple[bool, float]:
    """Return the sort key for faces of one expression."""
    return bool(certain), probability
