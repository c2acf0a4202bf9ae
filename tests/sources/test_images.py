import io
import logging
import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facemood.errors import ImageError, SourceError
from facemood.imaging.pillow_image import from_pillow
from facemood.sources import images
from facemood.sources.images import load_image


def encode(picture: Image.Image, kind: str, **options: object) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def red(mode: str = "RGB", size: tuple[int, int] = (6, 4)) -> Image.Image:
    return Image.new("RGB", size, (255, 0, 0)).convert(mode)


def test_pixels_are_bgr() -> None:
    image = load_image(encode(red(), "PNG"))
    assert image.shape == (4, 6, 3)
    assert image[0, 0].tolist() == [0, 0, 255]


@pytest.mark.parametrize(
    ("mode", "kind"), [("CMYK", "JPEG"), ("RGBA", "PNG"), ("P", "PNG"), ("P", "GIF"), ("RGB", "WEBP")]
)
def test_every_colour_mode_becomes_bgr(mode: str, kind: str) -> None:
    blue, green, red_ = load_image(encode(red(mode), kind))[1, 1].astype(int)
    assert red_ > 230
    assert max(blue, green) < 30


def test_grey_becomes_three_equal_channels() -> None:
    image = load_image(encode(Image.new("L", (5, 5), 77), "PNG"))
    assert (image == 77).all()
    assert image.shape == (5, 5, 3)


def test_sixteen_bits_are_scaled_not_cut() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(4, axis=0)
    image = load_image(encode(Image.fromarray(ramp), "PNG"))
    np.testing.assert_allclose(image[0, :, 0], np.arange(256), atol=1)


def test_float_pixels_are_scaled() -> None:
    picture = Image.fromarray(np.full((3, 3), 0.5, np.float32))
    assert load_image(encode(picture, "TIFF"))[0, 0, 0] == 128


def test_transparent_pixels_are_blended_with_white() -> None:
    assert (load_image(encode(Image.new("RGBA", (3, 3), (0, 0, 0, 0)), "PNG")) == 255).all()


def test_the_exif_orientation_is_applied() -> None:
    picture = red(size=(6, 4))
    exif = picture.getexif()
    exif[0x0112] = 6  # turn right to see it upright
    assert load_image(encode(picture, "JPEG", exif=exif)).shape == (6, 4, 3)


def test_a_file_can_be_a_path_or_a_string(tmp_path: Path) -> None:
    Image.new("RGB", (3, 2), (10, 20, 30)).save(tmp_path / "a.png")
    for file in (tmp_path / "a.png", str(tmp_path / "a.png")):
        assert load_image(file)[0, 0].tolist() == [30, 20, 10]
    with pytest.raises(SourceError, match="no such file"):
        load_image(str(tmp_path / "b.png"))


def test_one_pixel_is_an_image() -> None:
    assert load_image(encode(red(size=(1, 1)), "PNG")).shape == (1, 1, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"dear diary, this is text", "it looks like text"),
        (bytes(range(256)) * 4, "its format is unknown"),
        (b"\x89PNG\r\n\x1a\n", "not an image|damaged or cut short"),
    ],
)
def test_other_files_are_no_images(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "face.jpg"
    file.write_bytes(content)
    with pytest.raises(ImageError, match=message) as raised:
        load_image(file)
    assert str(file) in str(raised.value)


def test_a_truncated_jpeg_is_an_error() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    with pytest.raises(ImageError, match="cut short"):
        load_image(encode(noise, "JPEG")[:900], name="half.jpg")


@given(st.binary(max_size=200))
def test_any_bytes_give_an_image_or_an_image_error(data: bytes) -> None:
    try:
        assert load_image(data).dtype == np.uint8
    except ImageError as error:
        assert "image" in str(error)


@given(st.sampled_from(["PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP"]), st.integers(1, 4000), st.binary(min_size=1))
def test_damage_anywhere_gives_an_image_or_an_image_error(kind: str, position: int, damage: bytes) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8))
    data = bytearray(encode(noise, kind))
    start = position % len(data)
    data[start : start + len(damage)] = damage
    try:
        assert load_image(bytes(data)).ndim == 3
    except ImageError as error:
        assert "image" in str(error)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no such file"):
        load_image(tmp_path / "no.jpg")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_large_image_is_downsampled_with_a_warning(
    kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 1000)
    with caplog.at_level(logging.WARNING, "facemood"):
        image = load_image(encode(red(size=(200, 100)), kind), name="large")
    assert image.shape == (20, 40, 3)
    assert image[10, 10, 2] > 240
    assert "large: of 200 x 100 pixels was reduced to 40 x 20" in caplog.text


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_huge_image_is_downsampled_by_eight(
    kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5000)  # Pillow refuses above twice that
    with caplog.at_level(logging.WARNING, "facemood"):
        image = load_image(encode(red(size=(160, 80)), kind))
    assert image.shape == (10, 20, 3)
    assert "reduced to 20 x 10" in caplog.text


def test_pillow_images_are_converted_to_bgr() -> None:
    assert from_pillow(red("RGBA"))[0, 0].tolist() == [0, 0, 255]


def png_of(width: int, height: int, *, colour: int = 2, depth: int = 8) -> bytes:
    """The head of a PNG that says how large it is, and no pixels."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    "data",
    [
        png_of(32_000, 32_000, colour=0, depth=1),
        png_of(2**31 - 1, 2**31 - 1),
        png_of(250_000_001, 1),
        png_of(16_000, 16_000, depth=16),
    ],
    ids=["one bit", "as large as can be said", "one row", "16 bits"],
)
def test_what_would_need_gigabytes_is_refused_before_it_is_decoded(data: bytes) -> None:
    tracemalloc.start()
    started = time.monotonic()
    with pytest.raises(ImageError, match=r"a\.png: .*(too large; expected at most 178 million pixels|cut short)"):
        load_image(data, name="a.png")
    assert time.monotonic() - started < 2
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_a_progressive_jpeg_is_refused_earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 1000)
    monkeypatch.setattr(images, "MAX_PROGRESSIVE", 5000)
    plain, progressive = (encode(red(size=(100, 80)), "JPEG", progressive=kind) for kind in (False, True))
    assert load_image(plain).shape == (26, 32, 3)
    with pytest.raises(ImageError, match="too large"):
        load_image(progressive)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # Pillow refuses above twice that
    assert load_image(plain).shape == (10, 13, 3)
    with pytest.raises(ImageError, match="too large"):
        load_image(progressive)


@pytest.mark.parametrize("size", [(4000, 1), (1, 4000), (3000, 2)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_a_large_image_of_extreme_shape_keeps_a_row_and_a_column(
    kind: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 1000)
    image = load_image(encode(red(size=size), kind))
    assert min(image.shape[:2]) >= 1
    assert image.shape[0] * image.shape[1] <= 2100
    assert image[0, 0, 2] > 240
