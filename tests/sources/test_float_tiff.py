"""TIFFs that OpenCV decodes because Pillow does not know them."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facemood.errors import ImageError
from facemood.sources.float_tiff import decode_float_tiff
from facemood.sources.images import load_image, load_pages

COLOURS = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3) * 3


def tiff(values: NDArray[np.uint8] | NDArray[np.float32]) -> bytes:
    return cv2.imencode(".tif", values)[1].tobytes()


def test_float_colours_are_read() -> None:
    data = tiff((COLOURS / 255).astype(np.float32))
    (image,) = load_pages(data)
    assert np.array_equal(image, COLOURS)
    assert np.array_equal(load_image(tiff(COLOURS.astype(np.float32))), COLOURS)


def test_what_opencv_does_not_know_is_no_unknown_format() -> None:
    with pytest.raises(ImageError, match="the TIFF is damaged or cut short"):
        load_image(b"II*\0" + bytes(40))
    cut = tiff((COLOURS / 255).astype(np.float32))
    with pytest.raises(ImageError, match="damaged or cut short"):
        load_image(cut[:200])


def test_its_size_is_known_before_it_is_decoded() -> None:
    with pytest.raises(ImageError, match="the TIFF has 24 pixels; expected at most 23"):
        decode_float_tiff(tiff((COLOURS / 255).astype(np.float32)), name="a.tif", most=23)
