"""Uploaded pictures: looked at before they are decoded, so that no small file becomes a huge picture."""

from __future__ import annotations

import io
import warnings

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from facemood.errors import ImageError
from facemood.schema import Image
from facemood.server.problems import Problem
from facemood.sources import load_image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
"""What is decoded: formats of the web, whose decoders are used the most."""


def decode_picture(data: bytes, *, max_pixels: int) -> Image:
    """Decode a picture that a client sent.

    Args:
        data: The file's bytes.
        max_pixels: What it may have at most.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ImageError: It is none, or damaged.
        Problem: It has too many pixels (413), or its format is not read here (415).

    Example:
        >>> from facemood.render import encode_png
        >>> import numpy as np
        >>> decode_picture(encode_png(np.zeros((4, 6, 3), np.uint8)), max_pixels=24).shape
        (4, 6, 3)
    """
    width, height = _size_of(data)
    if width * height > max_pixels:
        raise Problem(413, f"the picture has {width} x {height} pixels; expected at most {max_pixels:,}")
    return load_image(data, name="picture")


def _size_of(data: bytes) -> tuple[int, int]:
    """Return a picture's width and height from its head, without decoding it."""
    if not data:
        raise ImageError("the picture is empty; expected a file's bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            with Pillow.open(io.BytesIO(data), formats=FORMATS) as picture:
                return picture.size
    except Pillow.DecompressionBombError:
        raise Problem(413, "the picture has far too many pixels; make it smaller") from None
    except UnidentifiedImageError:
        raise Problem(415, f"this is no picture that is read here; expected one of {', '.join(FORMATS)}") from None
    except Exception as error:  # each of Pillow's decoders has errors of its own for damaged data
        raise ImageError(f"the picture is damaged or cut short ({error}); send it again") from error
