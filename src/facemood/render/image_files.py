"""Encode images and write them to files, which are renamed into place."""

from __future__ import annotations

from pathlib import Path

import cv2

from facemood.atomic import replacing
from facemood.errors import OutputError
from facemood.schema import Image

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
"""Suffixes of the image formats that can be written."""


def encode_png(image: Image) -> bytes:
    """Encode an image (H, W, 3) uint8 BGR as PNG."""
    return _encode(image, ".png")


def write_image(path: Path, image: Image) -> None:
    """Write an image (H, W, 3) uint8 BGR in the format of the path's suffix.

    Raises:
        OutputError: The suffix is unknown, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in IMAGE_SUFFIXES:
        raise OutputError(f"{path}: unknown image format; expected one of {', '.join(IMAGE_SUFFIXES)}")
    with replacing(path, "wb") as file:
        file.write(_encode(image, suffix))


def _encode(image: Image, suffix: str) -> bytes:
    """Encode an image in the format of a suffix."""
    try:
        done, data = cv2.imencode(suffix, image)
    except cv2.error:
        done = False
    if not done:
        raise OutputError(f"an image of {image.shape[1]} x {image.shape[0]} pixels cannot be written as {suffix}")
    return data.tobytes()
