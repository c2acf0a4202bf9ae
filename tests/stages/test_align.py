import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood.schema import Face
from facemood.stages.align import crop_faces, frame_box

IMAGE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
coordinate = st.floats(-100, 180, width=32)


def face(*box: float) -> Face:
    return Face(np.array(box, np.float32), score=1)


def test_framing_is_in_units_of_the_box() -> None:
    framed = frame_box(np.array([10, 10, 30, 30], np.float32), (-0.1, -0.2, 1.1, 1.0))
    np.testing.assert_allclose(framed, [8, 6, 32, 30])


def test_a_box_that_is_not_square_gets_a_square_around_its_centre() -> None:
    framed = frame_box(np.array([0, 0, 20, 40], np.float32), (0, 0, 1, 1))
    np.testing.assert_allclose(framed, [-5, 5, 25, 35])


def test_a_crop_inside_the_image_is_a_slice_of_it() -> None:
    (crop,) = crop_faces(IMAGE, [face(10, 12, 30, 32)])
    np.testing.assert_array_equal(crop, IMAGE[12:32, 10:30])


def test_outside_of_the_image_its_edge_is_repeated() -> None:
    (crop,) = crop_faces(IMAGE, [face(-10, -5, 20, 25)])
    assert crop.shape == (30, 30, 3)
    np.testing.assert_array_equal(crop[5:, 10:], IMAGE[:25, :20])
    np.testing.assert_array_equal(crop[0, 10:], IMAGE[0, :20])
    np.testing.assert_array_equal(crop[:, 0], crop[:, 10])


@given(coordinate, coordinate, st.floats(0.125, 150, width=32))
def test_any_box_gives_a_square_crop(x: float, y: float, side: float) -> None:
    (crop,) = crop_faces(IMAGE, [face(x, y, x + side, y + side)])
    height, width, channels = crop.shape
    assert height == width == max(1, round(side)) or abs(height - side) <= 1
    assert channels == 3


@pytest.mark.parametrize("count", [0, 3])
def test_every_face_gets_a_crop(count: int) -> None:
    assert len(crop_faces(IMAGE, [face(0, 0, 9, 9)] * count)) == count
