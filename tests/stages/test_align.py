import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood.geometry import LEFT_EYE, RIGHT_EYE
from facemood.schema import Face
from facemood.stages.align import (
    LANDMARK_FRAMING,
    LARGEST_CROP,
    WHOLE_BOX,
    CropSquare,
    cut_faces,
    frame_box,
    place_of_points,
    square_of_points,
    squares_of,
)

IMAGE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
AROUND = (-1.6, -2.0, 1.6, 1.2)
coordinate = st.floats(-100, 180, width=32)


def square(*box: float, tilt: float = 0.0) -> CropSquare:
    return CropSquare(np.array(box, np.float32), tilt)


def points_of_a_face(x: float = 0, y: float = 0, size: float = 20, tilt: float = 0) -> np.ndarray:
    """68 points whose eyes are level before they are turned by some degrees, with a given mean and size."""
    points = np.random.default_rng(3).normal(size=(68, 2))
    points[RIGHT_EYE], points[LEFT_EYE] = (-0.5, -0.4), (0.5, -0.4)
    points -= points.mean(axis=0)
    points *= size / np.sqrt((points**2).sum(axis=1).mean())
    turn = np.deg2rad(tilt)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray(points @ rotation.T + (x, y), np.float32)


def test_framing_is_in_units_of_the_box() -> None:
    framed = frame_box(np.array([10, 10, 30, 30], np.float32), (-0.1, -0.2, 1.1, 1.0))
    np.testing.assert_allclose(framed, [8, 6, 32, 30])


def test_a_box_that_is_not_square_gets_a_square_around_its_centre() -> None:
    framed = frame_box(np.array([0, 0, 20, 40], np.float32), (0, 0, 1, 1))
    np.testing.assert_allclose(framed, [-5, 5, 25, 35])


def test_a_crop_inside_the_image_is_a_slice_of_it() -> None:
    (crop,) = cut_faces(IMAGE, [square(10, 12, 30, 32)])
    np.testing.assert_array_equal(crop, IMAGE[12:32, 10:30])


def test_outside_of_the_image_its_edge_is_repeated() -> None:
    (crop,) = cut_faces(IMAGE, [square(-10, -5, 20, 25)])
    assert crop.shape == (30, 30, 3)
    np.testing.assert_array_equal(crop[5:, 10:], IMAGE[:25, :20])
    np.testing.assert_array_equal(crop[0, 10:], IMAGE[0, :20])
    np.testing.assert_array_equal(crop[:, 0], crop[:, 10])


@given(coordinate, coordinate, st.floats(0.125, 150, width=32), st.floats(-180, 180, width=32))
def test_any_square_gives_a_square_crop(x: float, y: float, side: float, tilt: float) -> None:
    (crop,) = cut_faces(IMAGE, [square(x, y, x + side, y + side, tilt=tilt)])
    height, width, channels = crop.shape
    assert height == width == max(1, round(side)) or abs(height - side) <= 1
    assert channels == 3


@pytest.mark.parametrize("count", [0, 3])
def test_every_square_gets_a_crop(count: int) -> None:
    assert len(cut_faces(IMAGE, [square(0, 0, 9, 9)] * count)) == count


@given(st.floats(-40, 120), st.floats(-40, 120), st.floats(2, 60), st.floats(-179, 179))
def test_the_place_of_landmarks_is_their_mean_their_size_and_the_eye_line(
    x: float, y: float, size: float, tilt: float
) -> None:
    centre, measured, turn = place_of_points(points_of_a_face(x, y, size, tilt))
    np.testing.assert_allclose(centre, (x, y), atol=1e-3)
    assert measured == pytest.approx(size, rel=1e-4)
    assert np.rad2deg(turn) == pytest.approx(tilt, abs=0.02)


def test_the_square_of_landmarks_is_in_units_of_their_size_on_the_axes_of_the_eye_line() -> None:
    level = square_of_points(points_of_a_face(100, 50, size=10), AROUND)
    np.testing.assert_allclose(level.box, [84, 30, 116, 62], atol=1e-3)
    turned = square_of_points(points_of_a_face(100, 50, size=10, tilt=90), AROUND)
    assert turned.tilt == pytest.approx(90, abs=1e-3)
    np.testing.assert_allclose(turned.box, [88, 34, 120, 66], atol=1e-3)  # 4 above the mean is 4 to the right of it


@given(st.floats(-179, 179))
def test_landmarks_have_the_same_places_in_the_crop_however_the_head_is_tilted(tilt: float) -> None:
    def in_crop(points: np.ndarray) -> np.ndarray:
        matrix = square_of_points(points, AROUND).matrix(48)
        return np.asarray((points - 0.5 - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T)

    upright, turned = in_crop(points_of_a_face(60, 70)), in_crop(points_of_a_face(20, 30, size=35, tilt=tilt))
    np.testing.assert_allclose(turned, upright, atol=1e-2)


def test_a_tilted_face_is_cut_out_upright() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    points = points_of_a_face(100, 100, size=25, tilt=35)
    for eye, colour in ((RIGHT_EYE, (255, 0, 0)), (LEFT_EYE, (0, 0, 255))):
        cv2.circle(picture, np.rint(points[eye].mean(axis=0)).astype(int).tolist(), 4, colour, -1)
    (crop,) = cut_faces(picture, [square_of_points(points, AROUND)])
    blue, red = (np.argwhere(crop[:, :, channel] > 128).mean(axis=0) for channel in (0, 2))
    assert blue[0] == pytest.approx(red[0], abs=1)  # level
    assert blue[1] < red[1] - 10  # the right eye is on the left


def test_a_square_without_a_tilt_is_the_slice_that_its_matrix_says() -> None:
    matrix = square(10, 12, 30, 32).matrix(20)
    np.testing.assert_allclose(matrix, [[1, 0, 10], [0, 1, 12]], atol=1e-6)
    barely = square(10, 12, 30, 32, tilt=1e-4)
    np.testing.assert_array_equal(cut_faces(IMAGE, [barely])[0], IMAGE[12:32, 10:30])


def test_a_large_face_is_shrunk() -> None:
    (crop,) = cut_faces(np.full((1200, 1200, 3), 90, np.uint8), [square(0, 0, 1200, 1200, tilt=10)])
    assert crop.shape == (LARGEST_CROP, LARGEST_CROP, 3)
    assert (crop == 90).all()


def test_landmarks_decide_where_the_card_knows_them_and_the_face_has_them() -> None:
    box, points = np.array([10, 10, 30, 30], np.float32), points_of_a_face(50, 50, tilt=20)
    faces = [Face(box, 0.9, landmarks=points), Face(box, 0.9, landmarks=points[:5]), Face(box, 0.9)]
    both = {"finder": (0.0, 0.0, 2.0, 2.0), LANDMARK_FRAMING: AROUND}
    assert [round(one.tilt) for one in squares_of(faces, both, "finder")] == [20, 0, 0]
    assert squares_of(faces, both, "finder")[1].box.tolist() == [10, 10, 50, 50]
    assert [one.tilt for one in squares_of(faces, {"finder": WHOLE_BOX}, "finder")] == [0, 0, 0]
    assert squares_of(faces, {}, "other")[2].box.tolist() == box.tolist()
