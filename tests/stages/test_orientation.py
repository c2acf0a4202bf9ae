"""Turning frames upright, and their faces back."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood import Face, Frame
from facemood.errors import OptionError
from facemood.schema import ActivationMap, FaceParts
from facemood.stages.orientation import (
    AUTO,
    QUARTERS,
    check_orientation,
    turn_back,
    turn_frame,
    turn_points,
)

SIZE = (64, 40)
"""Width and height of the given frame."""


def marked_frame(x: int, y: int) -> Frame:
    """A dark frame with one bright pixel."""
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    image[y, x] = 255
    return Frame(image, source="a.png", index=3, timestamp=1.5)


@given(st.sampled_from(list(QUARTERS)), st.integers(0, SIZE[0] - 1), st.integers(0, SIZE[1] - 1))
def test_what_is_seen_in_the_turned_frame_is_where_it_was_given(degrees: int, x: int, y: int) -> None:
    turned = turn_frame(marked_frame(x, y), degrees)
    ((row, column),) = np.argwhere(turned.image[..., 0] == 255)
    assert (turned.source, turned.index, turned.timestamp) == ("a.png", 3, 1.5)
    seen = Face(np.array([column, row, column + 1, row + 1], np.float32), score=0.9)
    (face,) = turn_back([seen], degrees, SIZE)
    assert face.box.tolist() == [x, y, x + 1, y + 1]
    middle = np.array([[column + 0.5, row + 0.5]], np.float32)
    assert turn_points(middle, degrees, SIZE).tolist() == [[x + 0.5, y + 0.5]]


def test_ninety_degrees_are_a_quarter_clockwise() -> None:
    frame = marked_frame(0, 0)
    assert turn_frame(frame, 90).size == (SIZE[1], SIZE[0])
    np.testing.assert_array_equal(turn_frame(frame, 90).image, cv2.rotate(frame.image, cv2.ROTATE_90_CLOCKWISE))
    assert turn_frame(frame, 0) is frame


@pytest.mark.parametrize(
    ("degrees", "roll", "expected"), [(0, 5, 5), (90, 5, -85), (180, 5, -175), (180, 0, 180), (270, 5, 95)]
)
def test_the_roll_of_a_head_is_that_in_the_given_frame(degrees: int, roll: float, expected: float) -> None:
    face = Face(np.array([1, 2, 3, 4], np.float32), score=0.9, pose=np.array([20, -10, roll], np.float32))
    (turned,) = turn_back([face], degrees, SIZE)
    assert turned.pose is not None
    assert turned.pose.tolist() == [20, -10, expected]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_everything_with_a_place_is_turned_and_the_rest_stays(degrees: int) -> None:
    points = np.arange(136, dtype=np.float32).reshape(68, 2)
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    parts = FaceParts(points[:9], points[:48].reshape(24, 2, 2), np.arange(24, dtype=np.float32))
    box = np.array([4, 6, 20, 30], np.float32)
    face = Face(
        box, score=0.9, landmarks=points, labels=("happy",), probabilities=np.ones(1, np.float32), track_id=7,
        activation_map=ActivationMap(box, values, 10.0), parts=parts,
    )  # fmt: skip
    (turned,) = turn_back([face], degrees, SIZE)
    assert turned.landmarks is not None
    assert turned.parts is not None
    assert turned.activation_map is not None
    np.testing.assert_array_equal(turned.landmarks, turn_points(points, degrees, SIZE))
    np.testing.assert_array_equal(turned.parts.lines, turn_points(parts.lines, degrees, SIZE))
    np.testing.assert_array_equal(turned.parts.vector, parts.vector)
    np.testing.assert_array_equal(turned.activation_map.box, turned.box)
    np.testing.assert_array_equal(turned.activation_map.values, values)
    assert (turned.activation_map.tilt - 10 + degrees) % 360 == 0
    assert (turned.track_id, turned.emotion, turned.pose) == (7, "happy", None)


def test_an_orientation_may_be_a_text() -> None:
    assert [check_orientation(value) for value in ("auto", "0", 90, "180", 270)] == [AUTO, 0, 90, 180, 270]


@pytest.mark.parametrize("wrong", ["up", 45, "91", -90, 360, True, 90.5])
def test_other_orientations_are_refused(wrong: object) -> None:
    with pytest.raises(OptionError, match="orientation must be 'auto', 0, 90, 180 or 270, but is "):
        check_orientation(wrong)  # type: ignore[arg-type]
