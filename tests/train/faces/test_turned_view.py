"""Turning the face of an image by the depth of the generic face."""

import numpy as np
import pytest

from facemood.geometry import Floats, box_of_points
from facemood.stages.pose import estimate_pose, generic_face
from facemood.train.faces.turned_view import AXIS, depth_map, turn_face

SIZE = 120


@pytest.fixture
def points() -> Floats:
    """The generic face from far away, 104 points of which the last 36 are copies."""
    points = np.asarray(generic_face()[:, :2] * 40 + (60, 50), np.float32)
    return np.concatenate([points, points[:36]])


@pytest.fixture
def image() -> Floats:
    """Random soft stripes, so that each place differs from others."""
    y, x = np.mgrid[:SIZE, :SIZE]
    return np.asarray(128 + 60 * np.sin(x / 5) + 50 * np.cos(y / 7), np.float32)


def test_the_depth_is_that_of_the_generic_face(points: Floats) -> None:
    depth = depth_map()
    nose, corner = generic_face()[30], generic_face()[36]
    middle = len(depth) / 2
    cells = {name: np.floor(middle + point[:2] * 32).astype(int) for name, point in (("nose", nose), ("eye", corner))}
    assert depth[cells["nose"][1], cells["nose"][0]] == pytest.approx(nose[2], abs=0.08)
    assert depth[cells["eye"][1], cells["eye"][0]] == pytest.approx(corner[2], abs=0.08)
    assert depth.max() > 0.8  # far outside


def test_a_face_that_is_not_turned_stays(image: Floats, points: Floats) -> None:
    turned, moved = turn_face(image, points, 0.0)
    inner = slice(30, 90)
    np.testing.assert_allclose(turned[inner, inner], image[inner, inner], atol=2)
    np.testing.assert_allclose(moved, points, atol=1e-3)


@pytest.mark.parametrize(("yaw", "pitch"), [(20, 0), (-35, 0), (50, 0), (0, 15), (25, -10)])
def test_the_points_have_the_pose(image: Floats, points: Floats, yaw: float, pitch: float) -> None:
    _, moved = turn_face(image, points, yaw, pitch)
    far = (moved[:68] - 60) * 0.1 + 5000  # nearly without perspective
    pose = estimate_pose(far, (10_000, 10_000))
    assert pose is not None
    np.testing.assert_allclose(pose[:2], (yaw, pitch), atol=4)
    nose = moved[30, 0] - box_of_points(moved[:68])[[0, 2]].mean()
    assert nose * yaw >= 0


@pytest.mark.parametrize("yaw", [-30, 15, 40])
def test_the_pixels_move_with_the_points(points: Floats, yaw: float) -> None:
    """A bright spot on the tip of the nose is where the tip of the nose goes."""
    y, x = np.mgrid[:SIZE, :SIZE]
    tip = points[30]
    spot = np.asarray(255 * np.exp(-((x + 0.5 - tip[0]) ** 2 + (y + 0.5 - tip[1]) ** 2) / 8), np.float32)
    turned, moved = turn_face(spot, points, yaw)
    row, column = np.unravel_index(turned.argmax(), turned.shape)
    assert turned.max() > 100
    assert np.hypot(column + 0.5 - moved[30, 0], row + 0.5 - moved[30, 1]) < 4


def test_the_axis_of_the_turn_is_inside_the_face() -> None:
    depth = generic_face()[:, 2]
    assert depth.min() < AXIS < depth.max()
