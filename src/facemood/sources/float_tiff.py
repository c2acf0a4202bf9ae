"""TIFFs that Pillow does not know: colours as floats or 32-bit numbers, as cameras and microscopes save them."""

from __future__ import annotations

import io

import cv2
import numpy as np

from facemood.errors import ImageError
from facemood.imaging import to_eight_bits
from facemood.schema import Image

WIDTH = 256
"""TIFF tag of an image's width."""

HEIGHT = 257
"""TIFF tag of an image's height."""


def decode_float_tiff(data: bytes, *, name: str, most: int) -> Image:
    """Decode the first page of a TIFF with OpenCV.

    Args:
        data: The file's bytes.
        name: What messages call it.
        most: Pixels that it may have.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ImageError: OpenCV does not read it either, it is damaged, or it has too many pixels.
    """
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    kind = f"{name}: this kind of TIFF is not read; save it as grey or RGB with 8, 16 or 32 bits, or as PNG"
    try:
        directory = ImageFileDirectory_v2(data[:8])
        stream = io.BytesIO(data)
        stream.seek(directory.next)
        directory.load(stream)
        pixels = int(directory[WIDTH]) * int(directory[HEIGHT])
    except Exception as error:  # Pillow raises many types of errors for damaged data
        raise ImageError(f"{name}: the TIFF is damaged or cut short ({error}); download it again") from error
    if pixels > most:
        raise ImageError(f"{name}: the TIFF has {pixels:,} pixels; expected at most {most:,}, reduce it first")
    try:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        values = None
    if values is None or values.ndim != 3 or values.shape[2] < 3:
        raise ImageError(kind)
    return to_eight_bits(np.ascontiguousarray(values[:, :, :3]), name=name)
