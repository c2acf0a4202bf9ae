"""Hide the faces in an image."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from facemood.errors import OutputError, did_you_mean
from facemood.imaging import AnyImage, as_image
from facemood.schema import Face, Image
from facemood.text import joined

METHODS = ("blur", "box")
"""Methods of hiding a face: a coarse blur, or a black rectangle."""

MARGIN = 0.15
"""Hidden margin on each side of a face's box, as a share of its size, because boxes cut off hair and chin."""

BLUR_CELLS = 6
"""Cells along each side of a blurred face: it becomes 6 x 6 mean colours, whatever its size."""


def check_anonymize(method: str) -> str:
    """Return an anonymization method, after a check; an empty string stands for none.

    Raises:
        OutputError: The method is unknown.

    Example:
        >>> check_anonymize("blur")
        'blur'
    """
    if method not in ("", *METHODS):
        raise _unknown(method)
    return method


def anonymize(image: AnyImage, faces: Sequence[Face], method: str = "blur") -> Image:
    """Return a copy of an image in which the given faces are hidden.

    Each box is hidden with a margin of 15%; a blurred face becomes 6 x 6 mean colours. Faces that were not detected are
    **not** hidden. Check a video before you show it to anyone. If a single missed frame would harm a person, use
    another method. Hair, clothes, voices, other people's reactions and places stay, and may identify a person.

    Args:
        image: (H, W, 3) BGR or (H, W) grey, uint8, or a Pillow image; it is not changed.
        faces: The faces detected in the image.
        method: ``"blur"`` or ``"box"``.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        OutputError: The method is unknown.
        ImageError: The image is something else, such as a path.

    Example:
        >>> face = Face(np.array([10, 10, 30, 30], np.float32), score=0.9)
        >>> hidden = anonymize(np.full((60, 60, 3), 200, np.uint8), [face], "box")
        >>> hidden[20, 20].tolist(), hidden[50, 50].tolist()
        ([0, 0, 0], [200, 200, 200])
    """
    if method not in METHODS:
        raise _unknown(method)
    hidden = as_image(image).copy()
    for face in faces:
        part = face.crop(hidden, margin=MARGIN)
        if part.size:
            part[:] = _blurred(part, max(face.size)) if method == "blur" else 0
    return hidden


def _blurred(part: Image, size: float) -> Image:
    """Return the visible part of a face as a few mean colours, interpolated; the size of the face is in pixels."""
    height, width = part.shape[:2]
    cell = size * (1 + 2 * MARGIN) / BLUR_CELLS  # of the whole face, so a face cut by the edge is not sharper
    columns, rows = (max(1, min(BLUR_CELLS, round(side / cell))) for side in (width, height))
    coarse = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _unknown(method: str) -> OutputError:
    """Return the error for an unknown method."""
    return OutputError(
        f"{method!r} is no way to hide a face; expected {joined(METHODS, last='or')}.{did_you_mean(method, METHODS)}"
    )
