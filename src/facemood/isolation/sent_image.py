"""Untrusted images: measured before they are decoded, so that a small file cannot expand to a huge image."""

from __future__ import annotations

import io
import warnings
from typing import NamedTuple

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from facemood.errors import ImageError, LimitError
from facemood.isolation.bounds import ImageBounds, UnknownFormatError, decoding_work
from facemood.schema import Image
from facemood.sources.images import load_image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
"""What is decoded: formats of the web, whose decoders are used the most."""

START_OF_SCAN = b"\xff\xda"
"""The marker that begins each scan of a JPEG. Compressed data cannot hold it."""


class Measured(NamedTuple):
    """What is known from the head of an image file.

    Attributes:
        width: In pixels.
        height: In pixels.
        work: The cost of decoding, in pixels of an ordinary image.
    """

    width: int
    height: int
    work: int


def decode_sent_image(data: bytes, bounds: ImageBounds) -> Image | Measured:
    """Decode an untrusted image.

    Args:
        data: The file's bytes.
        bounds: Its limits.

    Returns:
        (H, W, 3) uint8 BGR; or only its size and cost if decoding costs more than `ImageBounds.quick`.

    Raises:
        UnknownFormatError: It is no image of `FORMATS`.
        LimitError: It is above a bound, or needs more memory than there is.
        ImageError: It is damaged.

    Example:
        >>> import numpy as np
        >>> from facemood.render import encode_png
        >>> decode_sent_image(encode_png(np.zeros((4, 6, 3), np.uint8)), ImageBounds(pixels=24)).shape
        (4, 6, 3)
    """
    measured = measure_image(data, bounds)
    if bounds.quick and measured.work > bounds.quick:
        return measured
    try:
        return load_image(data, name="image")
    except MemoryError:
        raise LimitError("the image needs more memory than it may take; reduce it, or save it with 8 bits") from None


def measure_image(data: bytes, bounds: ImageBounds) -> Measured:
    """Return an image's size and the cost of decoding it, from its head.

    Raises:
        UnknownFormatError: It is no image of `FORMATS`.
        LimitError: It is above a bound.
        ImageError: It is damaged.
    """
    if not data:
        raise ImageError("the image is empty; expected a file's bytes")
    form, width, height = _read_head(data)
    bounds.check(width, height)
    scans = data.count(START_OF_SCAN) if form == "JPEG" else 1
    if scans > bounds.scans:
        raise LimitError(
            f"the JPEG has {scans:,} scans; expected at most {bounds.scans}, save it again as an ordinary JPEG"
        )
    return Measured(width, height, decoding_work(width, height, scans))


def _read_head(data: bytes) -> tuple[str, int, int]:
    """Return an image's format, width and height without decoding it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            with Pillow.open(io.BytesIO(data), formats=FORMATS) as image:
                return str(image.format), *image.size
    except Pillow.DecompressionBombError:
        raise LimitError("the image has far too many pixels; reduce it first") from None
    except UnidentifiedImageError:
        raise UnknownFormatError(f"this is no image that is read here; expected one of {', '.join(FORMATS)}") from None
    except Exception as error:  # each of Pillow's decoders has errors of its own for damaged data
        raise ImageError(f"the image is damaged or cut short ({error}); send it again") from error
