"""Large JPEGs are decoded at a fraction of their size, upright; any other file is left to `load_image`."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from facemood.imaging.pillow_image import ORIENTATION
from facemood.schema import Image
from facemood.sources import read_frames
from facemood.sources.images import load_image
from facemood.sources.scaled_jpeg import LARGE, REDUCTIONS, load_scaled
from tests.conftest import PHOTOS

SIZE = (2301, 1802)
"""Width and height of a large photo, in pixels: neither can be halved."""

CLOSE = 6.0
"""Most grey levels between the decoder's reduction, which keeps edges sharper, and a mean; 80 if it is turned."""


@pytest.fixture(scope="module")
def picture() -> Pillow.Image:
    image = cv2.resize(load_image(PHOTOS / "astronaut.png"), SIZE)
    return Pillow.fromarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))


def encode(picture: Pillow.Image, kind: str = "JPEG", *, orientation: int = 1, **options: object) -> bytes:
    data, exif = io.BytesIO(), Pillow.Exif()
    exif[ORIENTATION] = orientation
    picture.save(data, kind, exif=exif, **options)
    return data.getvalue()


def like(image: Image, whole: Image) -> float:
    """The mean difference of an image and a whole one that is resized to it, in grey levels."""
    small = cv2.resize(whole, image.shape[1::-1], interpolation=cv2.INTER_AREA)
    return float(np.abs(small.astype(float) - image).mean())


@pytest.mark.parametrize("reduction", REDUCTIONS[1:])
def test_sides_are_divided_and_rounded_up(picture: Pillow.Image, reduction: int) -> None:
    found = load_scaled(encode(picture), reduction)
    assert found is not None
    image, size = found
    assert size == SIZE
    assert image.shape == (-(-SIZE[1] // reduction), -(-SIZE[0] // reduction), 3)
    assert like(image, load_image(encode(picture))) < CLOSE


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied(picture: Pillow.Image, orientation: int) -> None:
    data = encode(picture, orientation=orientation)
    found, whole = load_scaled(data, 4), load_image(data)
    assert found is not None
    assert found[1] == whole.shape[1::-1]
    assert like(found[0], whole) < CLOSE


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_colours_and_progressive_files_are_decoded_alike(picture: Pillow.Image, mode: str) -> None:
    data = encode(picture.convert(mode), progressive=True)
    found = load_scaled(data, 4)
    assert found is not None
    assert like(found[0], load_image(data)) < CLOSE


def test_of_several_pictures_in_a_file_the_first_is_decoded(picture: Pillow.Image) -> None:
    data = encode(picture, "MPO", save_all=True, append_images=[picture.resize((320, 240))])
    found = load_scaled(data, 2)
    assert found is not None
    assert found[1] == SIZE
    assert like(found[0], load_image(data)) < CLOSE


def test_other_files_are_left_to_others(picture: Pillow.Image, tmp_path: Path) -> None:
    small = picture.resize((1000, LARGE // 1000))
    path = tmp_path / "a.jpg"
    path.write_bytes(encode(picture))
    assert load_scaled(path, 2) is not None
    assert load_scaled(path, 1) is None
    others = [encode(small), encode(picture.resize((2000, 2001)), "PNG"), b"", b"\xff\xd8\xff", encode(picture)[:9000]]
    assert [load_scaled(data, 2) for data in others] == [None] * len(others)
    assert load_scaled(tmp_path / "missing.jpg", 2) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_not_touched(picture: Pillow.Image, tmp_path: Path) -> None:
    pipe = tmp_path / "a.jpg"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(encode(picture),), daemon=True)
    writer.start()
    (frame,) = read_frames(str(pipe), reduction=2)
    writer.join()
    assert frame.size == SIZE


def test_a_frame_says_what_it_was_reduced_from(picture: Pillow.Image) -> None:
    (frame,) = read_frames(encode(picture), reduction=2)
    assert (frame.size, frame.full_size, frame.reduction) == ((1151, 901), SIZE, 2)
    (whole,) = read_frames(encode(picture))
    assert (whole.size, whole.reduced_from, whole.reduction) == (SIZE, None, 1)
