"""Decode large JPEGs at a half, a quarter or an eighth of their size, in a fraction of the time."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from PIL import Image as Pillow
from PIL.JpegImagePlugin import JpegImageFile

from facemood.imaging.pillow_image import ORIENTATION, SIDEWAYS, from_pillow
from facemood.schema import Image
from facemood.sources.images import MAX_BYTES, MAX_PIXELS, MAX_PROGRESSIVE

LARGE = 4_000_000
"""Pixels above which a JPEG is reduced."""

REDUCTIONS = (1, 2, 4, 8)
"""By how much the decoder of JPEG reduces the sides of a picture."""


def load_scaled(file: str | Path | bytes, reduction: int) -> tuple[Image, tuple[int, int]] | None:
    """Decode a JPEG of more than `LARGE` pixels at a fraction of its size; its EXIF orientation is applied.

    Args:
        file: A path, or the file's bytes.
        reduction: One of `REDUCTIONS`: by how much its sides are reduced.

    Returns:
        (h, w, 3) uint8 BGR, and width and height of the whole picture. None for any other file, also one that is
        damaged: `load_image` reads it, or says what is wrong with it.
    """
    if reduction == 1:
        return None
    try:
        if not isinstance(file, bytes) and (not Path(file).is_file() or Path(file).stat().st_size > MAX_BYTES):
            return None  # what is read from a pipe is gone
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            with Pillow.open(io.BytesIO(file) if isinstance(file, bytes) else file) as picture:
                return _scaled(picture, reduction)
    except Exception:  # whatever is wrong is said by `load_image`
        return None


def _scaled(picture: Pillow.Image, reduction: int) -> tuple[Image, tuple[int, int]] | None:
    """Decode an open picture at a fraction of its size, if it is a large JPEG."""
    width, height = picture.size
    progressive = "progressive" in picture.info or "progression" in picture.info
    if not isinstance(picture, JpegImageFile) or not LARGE < width * height <= MAX_PIXELS * reduction**2:
        return None
    if progressive and width * height > MAX_PROGRESSIVE:
        return None
    picture.draft(picture.mode, (max(1, width // reduction), max(1, height // reduction)))
    if picture.size != (-(-width // reduction), -(-height // reduction)):
        return None
    turned = picture.getexif().get(ORIENTATION, 1) in SIDEWAYS
    return from_pillow(picture), (height, width) if turned else (width, height)
