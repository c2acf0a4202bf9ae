"""Pillow images become upright BGR, at any reduction, as Pillow itself converts them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageOps

from facemood.imaging import pillow_image
from facemood.imaging.pillow_image import ORIENTATION, from_pillow
from facemood.sources.images import load_image

NOISE = np.random.default_rng(5).integers(0, 256, (24, 36, 3), np.uint8)


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_photos_are_turned_upright_whole_or_reduced(orientation: int, factor: int) -> None:
    exif, data = Pillow.Exif(), io.BytesIO()
    exif[ORIENTATION] = orientation
    Pillow.fromarray(NOISE).save(data, "PNG", exif=exif)
    with Pillow.open(data) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture).reduce(factor))[:, :, ::-1]
        image = from_pillow(picture, factor=factor)
    assert image.flags.c_contiguous
    assert np.abs(image.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "CMYK", "I;16", "I", "F"])
@pytest.mark.parametrize("size", [(36, 24), (1, 24), (36, 1), (35, 23), (2, 3)])
def test_strips_give_what_the_whole_gives(mode: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    colours = Pillow.fromarray(NOISE).resize(size)
    picture = colours.convert("L").convert("I").convert(mode) if mode in ("I;16", "F") else colours.convert(mode)
    whole = {factor: from_pillow(picture, factor=factor) for factor in (1, 2, 5)}
    monkeypatch.setattr(pillow_image, "STRIP", 40)
    for factor, image in whole.items():
        width, height = (side // min(factor, side) for side in size)
        assert image.shape == (height, width, 3)
        np.testing.assert_array_equal(from_pillow(picture, factor=factor), image)


def test_what_is_transparent_is_white_and_half_is_half() -> None:
    picture = Pillow.new("RGBA", (2, 1), (0, 0, 0, 0))
    picture.putpixel((1, 0), (0, 0, 0, 255))
    assert from_pillow(picture)[0].tolist() == [[255] * 3, [0] * 3]
    assert abs(int(from_pillow(picture, factor=2)[0, 0, 0]) - 127) <= 1


def test_a_palette_keeps_its_transparency_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pillow_image, "STRIP", 8)
    data = io.BytesIO()
    picture = Pillow.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) % 2).convert("P")
    picture.putpalette([0, 0, 0, 0, 0, 255])
    picture.save(data, "PNG", transparency=0)
    image = load_image(data.getvalue())
    assert image[:, ::2].min() == 255
    assert (image[:, 1::2] == [255, 0, 0]).all()
