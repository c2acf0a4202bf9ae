"""Frames that look like the last one that was read: what may differ, for how long, and what must not be missed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from facemood.schema import Face, Frame, Image
from facemood.sources import load_image
from facemood.stages.detect import FinderDetector
from facemood.tracking.follow import DETECT_SECONDS
from facemood.tracking.last_look import LONGEST, MOST_FACE_CHANGE, LastLook, cells_of_frame, largest_change
from tests.conftest import PHOTOS


@pytest.fixture(scope="module")
def picture() -> Image:
    """A portrait of 640 x 640 pixels."""
    return np.asarray(cv2.resize(load_image(PHOTOS / "astronaut.png"), (640, 640)), np.uint8)


@pytest.fixture(scope="module")
def face(picture: Image) -> Face:
    return FinderDetector(threads=1)(picture)[0]


@pytest.fixture
def look(picture: Image, face: Face) -> LastLook:
    look = LastLook()
    look.remember(Frame(picture, timestamp=1.0), [face])
    return look


def at(image: Image, timestamp: float = 1.04) -> Frame:
    return Frame(np.ascontiguousarray(image, np.uint8), timestamp=timestamp)


def test_nothing_is_like_a_frame_that_was_never_read(picture: Image) -> None:
    assert not LastLook().resembles(at(picture))


def test_the_same_picture_is_alike_until_the_detector_is_due(look: LastLook, picture: Image) -> None:
    assert LONGEST == DETECT_SECONDS
    assert [look.resembles(at(picture, time)) for time in (1.0, 1.04, 1.49, 1.5, 9.0, 0.9)] == [True] * 3 + [False] * 3


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_noise_of_a_camera_is_alike(look: LastLook, picture: Image, scale: int) -> None:
    noise = np.random.default_rng(5).normal(0, scale, picture.shape)
    assert look.resembles(at(np.clip(picture + noise, 0, 255)))


def test_a_picture_of_another_size_is_not_alike(look: LastLook, picture: Image) -> None:
    assert not look.resembles(at(picture[:-8]))


def test_a_blink_and_a_corner_of_the_mouth_are_not_alike(look: LastLook, picture: Image, face: Face) -> None:
    assert face.landmarks is not None
    for points in (slice(36, 42), slice(48, 49)):
        x, y = face.landmarks[points].mean(axis=0).round().astype(int).tolist()
        changed = picture.copy()
        half = round(float(face.size[0]) / 16)
        patch = changed[y - half : y + half, x - half : x + half]
        patch[:] = patch.mean(axis=(0, 1)).astype(np.uint8)  # the eye is covered by skin, the corner has moved
        assert not look.resembles(at(changed))


@pytest.mark.parametrize("place", [(0, 0), (301, 5), (600, 599)])
def test_the_smallest_face_that_comes_into_view_is_not_alike(
    look: LastLook, picture: Image, place: tuple[int, int]
) -> None:
    x, y = place
    small = np.asarray(cv2.resize(load_image(PHOTOS / "grace_hopper.jpg"), (32, 40), interpolation=cv2.INTER_AREA))
    changed = picture.copy()
    part = changed[y : y + 40, x : x + 32]
    part[:] = small[: part.shape[0], : part.shape[1]]
    assert not look.resembles(at(changed))


def test_a_head_that_moves_by_two_pixels_is_not_alike(look: LastLook, picture: Image) -> None:
    assert not look.resembles(at(np.roll(picture, 2, axis=1)))


def test_a_face_that_lies_outside_is_no_error(picture: Image) -> None:
    look = LastLook()
    look.remember(
        Frame(picture, timestamp=0.0),
        [Face(np.array([700, 700, 760, 760], np.float32), 0.9), Face(np.array([-9, -9, -5, -5], np.float32), 0.9)],
    )
    assert look.resembles(at(picture, 0.1))


@settings(max_examples=30, deadline=None)
@given(
    arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))),
    st.integers(0, MOST_FACE_CHANGE - 2),
)
def test_any_picture_is_like_itself_and_like_one_that_is_a_little_brighter(image: Image, more: int) -> None:
    image = np.minimum(image, 255 - MOST_FACE_CHANGE)
    look = LastLook()
    look.remember(Frame(image, timestamp=0.0), [Face(np.array([2, 3, 20, 30], np.float32), 0.9)])
    assert look.resembles(at(image + np.uint8(more), 0.1))


def test_cells_cover_the_frame() -> None:
    assert cells_of_frame(np.zeros((480, 640, 3), np.uint8)).shape == (60, 80)
    assert cells_of_frame(np.zeros((1, 1, 3), np.uint8)).shape == (1, 1)
    assert largest_change(np.array([[3, 200]], np.uint8), np.array([[9, 180]], np.uint8)) == 20
