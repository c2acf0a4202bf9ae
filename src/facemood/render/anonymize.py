"""Hide faces, so that pictures can be shown without the people on them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from facemood.errors import OutputError, did_you_mean
from facemood.schema import Face, Image
from facemood.text import joined

WAYS = ("blur", "box")
"""How a face can be hidden: coarsely blurred, or behind a black rectangle."""

MARGIN = 0.15
"""What is hidden around a face's box on each side, as a share of its size."""

GRAIN = 6
"""How many averages along each side of a blurred face are left of it, however large it is."""


def check_way(how: str) -> str:
    """Return a way of hiding faces, or an empty text for none, if there is such a way.

    Raises:
        OutputError: There is none.

    Example:
        >>> check_way("blur")
        'blur'
    """
    if how not in ("", *WAYS):
        raise _unknown(how)
    return how


def anonymize(image: Image, faces: Sequence[Face], how: str = "blur") -> Image:
    """Return a picture on which faces cannot be recognized.

    Each box with a margin of 15% is hidden; of a blurred face 6 x 6 averages are left. Faces that were not found are
    **not** hidden: check a video before you show it to anyone, and hide its people in another way where one missed
    frame would harm them. Hair, clothes, voices, other people's reactions and places stay, and may tell who it is.

    Args:
        image: (H, W, 3) uint8 BGR; it stays as it is.
        faces: What was found in it.
        how: ``"blur"`` or ``"box"``.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        OutputError: There is no such way.

    Example:
        >>> face = Face(np.array([10, 10, 30, 30], np.float32), score=0.9)
        >>> hidden = anonymize(np.full((60, 60, 3), 200, np.uint8), [face], "box")
        >>> hidden[20, 20].tolist(), hidden[50, 50].tolist()
        ([0, 0, 0], [200, 200, 200])
    """
    if how not in WAYS:
        raise _unknown(how)
    hidden = image.copy()
    for face in faces:
        part = face.crop(hidden, margin=MARGIN)
        if part.size:
            part[:] = _blurred(part, max(face.size)) if how == "blur" else 0
    return hidden


def _blurred(part: Image, size: float) -> Image:
    """Return the visible part of a face of a size in pixels as a few averages, with soft steps between them."""
    height, width = part.shape[:2]
    cell = size * (1 + 2 * MARGIN) / GRAIN  # of the whole face: what the picture's edge leaves of it is no finer
    columns, rows = (max(1, min(GRAIN, round(side / cell))) for side in (width, height))
    coarse = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _unknown(how: str) -> OutputError:
    """Say that faces cannot be hidden so."""
    return OutputError(
        f"{how!r} is no way to hide a face; expected {joined(WAYS, last='or')}.{did_you_mean(how, WAYS)}"
    )
