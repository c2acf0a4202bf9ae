"""Pictures as files: compressed, and renamed into place."""

from __future__ import annotations

from pathlib import Path

import cv2

from facemood.atomic import replacing
from facemood.errors import OutputError
from facemood.schema import Image

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
"""The endings of pictures that can be written."""


def encode_png(image: Image) -> bytes:
    """Compress an (H, W, 3) uint8 BGR image as PNG."""
    return _encode(image, ".png")


def write_picture(path: Path, image: Image) -> None:
    """Write an (H, W, 3) uint8 BGR image in the format that the name's ending says.

    Raises:
        OutputError: The ending is unknown or the place cannot be written to.
    """
    suffix = path.suffix.lower()
    if suffix not in PICTURES:
        raise OutputError(f"{path}: unknown kind of picture; expected one of {', '.join(PICTURES)}")
    with replacing(path, "wb") as file:
        file.write(_encode(image, suffix))


def _encode(image: Image, suffix: str) -> bytes:
    """Compress an image in the format of a file ending."""
    try:
        done, data = cv2.imencode(suffix, image)
    except cv2.error:
        done = False
    if not done:
        raise OutputError(f"an image of {image.shape[1]} x {image.shape[0]} pixels cannot be written as {suffix}")
    return data.tobytes()
