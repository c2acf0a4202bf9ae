"""Pixels of any type and range become 8 bits that show the picture."""

from __future__ import annotations

import io
import logging
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Pillow

from facemood.errors import ImageError
from facemood.imaging.pillow_image import from_pillow
from facemood.imaging.pixel_values import PART, to_eight_bits, value_range
from facemood.sources.images import load_image

RAMP = np.arange(256).reshape(16, 16)
"""Every value of 8 bits."""

GREY = [
    *[(np.uint16, float(2**bits - 1)) for bits in (8, 10, 12, 14, 16)],
    *[(np.int32, top) for top in (255.0, 4095.0, 65535.0, 2.0e9)],
    *[(np.float32, top) for top in (1.0, 255.0, 4095.0, 65535.0)],
]
"""Types and what white is in them."""


@pytest.mark.parametrize(("kind", "white"), GREY)
def test_any_range_shows_the_same_picture(kind: type, white: float) -> None:
    values: NDArray[Any] = (RAMP / 255 * white).astype(kind)
    assert np.abs(to_eight_bits(values).astype(int) - RAMP).max() <= 1
    data = io.BytesIO()
    Pillow.fromarray(values).save(data, "TIFF")
    assert np.abs(load_image(data.getvalue())[:, :, 0].astype(int) - RAMP).max() <= 1
    assert np.abs(from_pillow(Pillow.fromarray(values))[:, :, 2].astype(int) - RAMP).max() <= 1


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_colours_of_a_low_range_in_16_bits_are_stretched(bits: int, suffix: str, channels: int) -> None:
    values = (RAMP / 255 * (2**bits - 1)).astype(np.uint16)
    colours = np.stack([values, values // 2, values // 4, np.full_like(values, 65535)][:channels], axis=2)
    done, data = cv2.imencode(suffix, colours)
    assert done
    image = load_image(data.tobytes()).astype(int)
    assert np.abs(image - np.stack([RAMP, RAMP / 2, RAMP / 4], axis=2)).max() <= 2


def test_negative_values_are_stretched() -> None:
    assert to_eight_bits(np.array([-1.0, 0.0, 1.0])).tolist() == [0, 128, 255]
    assert to_eight_bits(np.array([-1000, 0, 1000], np.int32)).tolist() == [0, 128, 255]
    assert to_eight_bits(np.array([-5, -5], np.int32)).tolist() == [0, 0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_costs_its_own_pixel_alone(bad: float) -> None:
    values = (RAMP / 255).astype(np.float32)
    values[3, 4] = bad
    known = to_eight_bits(values).astype(int)
    known[3, 4] = RAMP[3, 4]
    assert np.abs(known - RAMP).max() <= 1


def test_an_image_without_a_finite_pixel_is_refused() -> None:
    data = io.BytesIO()
    Pillow.fromarray(np.full((4, 4), np.nan, np.float32)).save(data, "TIFF")
    with pytest.raises(ImageError, match=r"scan\.tif: none of its pixels is a finite number"):
        load_image(data.getvalue(), name="scan.tif")


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.floats(0, 2.0**100, width=32), st.booleans())
def test_black_lies_below_white(low: float, more: float, floating: bool) -> None:
    least, most = value_range(low, low + more, floating=floating)
    assert least < most
    assert least <= low or floating


def test_parts_have_one_range() -> None:
    values = np.zeros(2 * PART + 5, np.uint16)
    values[-1] = 4095
    scaled = to_eight_bits(values)
    assert (scaled[0], scaled[-1], scaled.shape) == (0, 255, values.shape)


def test_an_unusual_range_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "facemood"):
        to_eight_bits(np.array([5, 4000], np.uint16), name="scan.tif")
        to_eight_bits(np.array([5, 40000], np.uint16), name="usual.tif")
    assert caplog.messages == ["scan.tif: pixels of 5 to 4000 are read as 0 to 4095"]
