"""Each bound at its edge: just inside is accepted, just outside is refused."""

from __future__ import annotations

import numpy as np
import pytest

from facemood.errors import LimitError
from facemood.isolation.bounds import ImageBounds, VideoBounds, decoding_work
from facemood.isolation.sent_image import Measured, decode_sent_image, measure_image
from tests.server.attacks import png, scans_jpeg

BOUNDS = ImageBounds(pixels=1000, side=100, aspect=30, scans=5)


@pytest.mark.parametrize(
    ("inside", "outside", "words"),
    [
        ((40, 25), (91, 11), "91 x 11 pixels; expected at most 1,000 in all"),
        ((100, 4), (101, 4), "101 x 4 pixels; expected at most 100 a side"),
        ((4, 100), (4, 101), "4 x 101 pixels; expected at most 100 a side"),
        ((90, 3), (91, 3), "91 x 3 pixels; expected one side to be at most 30 times the other"),
        ((3, 90), (3, 91), "3 x 91 pixels; expected one side to be at most 30 times the other"),
    ],
)
def test_sizes(inside: tuple[int, int], outside: tuple[int, int], words: str) -> None:
    assert measure_image(png(*inside), BOUNDS)[:2] == inside
    with pytest.raises(LimitError, match=words):
        measure_image(png(*outside), BOUNDS)


def test_scans_of_a_progressive_jpeg() -> None:
    image = decode_sent_image(scans_jpeg(24, 16, 5), BOUNDS)
    assert isinstance(image, np.ndarray)
    assert image.shape == (16, 24, 3)
    with pytest.raises(LimitError, match="6 scans; expected at most 5"):
        decode_sent_image(scans_jpeg(24, 16, 6), BOUNDS)


def test_images_that_cost_much_are_only_measured() -> None:
    quick = ImageBounds(quick=100)
    assert isinstance(decode_sent_image(png(10, 10), quick), np.ndarray)
    assert decode_sent_image(png(101, 1), quick) == Measured(101, 1, 101)
    costly = decode_sent_image(scans_jpeg(10, 10, 8), quick)
    assert costly == Measured(10, 10, 200)
    assert decoding_work(10, 10, 8) == 200


def test_videos() -> None:
    bounds = VideoBounds(seconds=10, frames=5)
    bounds.check_time(10)
    bounds.check_count(5)
    with pytest.raises(LimitError, match="longer than 10 seconds"):
        bounds.check_time(10.01)
    with pytest.raises(LimitError, match="more than 5 frames"):
        bounds.check_count(6)
