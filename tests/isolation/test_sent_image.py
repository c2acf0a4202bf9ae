import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from facemood.errors import ImageError, LimitError
from facemood.isolation.bounds import ImageBounds, UnknownFormatError
from facemood.isolation.sent_image import FORMATS, decode_sent_image
from facemood.schema import Image
from facemood.server.problems import problem_of


def encoded(form: str, size: tuple[int, int] = (6, 4)) -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", size, (10, 200, 30)).save(file, form)
    return file.getvalue()


def decode_picture(data: bytes, *, max_pixels: int) -> Image:
    image = decode_sent_image(data, ImageBounds(pixels=max_pixels))
    assert isinstance(image, np.ndarray)
    return image


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says that it is of a size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("form", FORMATS)
def test_the_formats_of_the_web_are_read(form: str) -> None:
    image = decode_picture(encoded(form), max_pixels=24)
    assert image.shape == (4, 6, 3)
    assert np.abs(image.reshape(-1, 3).mean(axis=0) - (30, 200, 10)).max() < 12


@pytest.mark.parametrize("form", ["TIFF", "EPS", "ICO", "PPM", "TGA"])
def test_other_formats_are_refused(form: str) -> None:
    with pytest.raises(UnknownFormatError) as refused:
        decode_picture(encoded(form, (64, 64)), max_pixels=10_000)
    assert problem_of(refused.value).status == 415


@pytest.mark.parametrize("size", [(7, 4), (9_000, 9_000), (20_000, 20_000), (2**31 - 1, 2**31 - 1)])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    with warnings.catch_warnings(), pytest.raises(LimitError, match="pixels") as refused:
        warnings.simplefilter("error")
        decode_picture(bomb(*size), max_pixels=24)
    assert problem_of(refused.value).status == 413


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(FORMATS), st.integers(0, 400), st.binary(max_size=12), st.booleans())
def test_damaged_pictures_are_read_or_refused_and_nothing_else(form: str, place: int, noise: bytes, cut: bool) -> None:
    whole = encoded(form, (16, 16))
    place %= len(whole) + 1
    damaged = whole[:place] + noise + (b"" if cut else whole[place + len(noise) :])
    try:
        image = decode_picture(damaged, max_pixels=10_000)
    except (LimitError, UnknownFormatError, ImageError):
        return
    assert image.ndim == 3
    assert image.shape[0] * image.shape[1] <= 10_000


def test_nothing_is_no_picture() -> None:
    with pytest.raises(ImageError, match="empty"):
        decode_picture(b"", max_pixels=10)
