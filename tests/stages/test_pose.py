import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from facemood.geometry import MIRRORED, angles_of, eye_aspect_ratio, rotation_of
from facemood.stages.pose import estimate_pose, generic_face

SIZE = (640, 480)

YAW, PITCH, ROLL = st.floats(-50, 50), st.floats(-35, 35), st.floats(-45, 45)
PLACES, WIDTHS = st.tuples(st.floats(0, 640), st.floats(0, 480)), st.floats(8, 50)

BROWS, LOW_LIPS, CHIN = slice(17, 27), [55, 56, 57, 58, 59, 65, 66, 67], slice(5, 12)


def project(
    yaw: float = 0,
    pitch: float = 0,
    roll: float = 0,
    *,
    place: tuple[float, float] = (320, 240),
    width: float = 40,
    focal: float = 640,
    face: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Project a face with a camera in the middle of 640 x 480 pixels.

    Angles are relative to the line of sight; between the eyes it stands at `place`, and a frontal one measures `width`
    from one outer corner of the eyes to the other.
    """
    ahead = np.array([place[0] - 320, place[1] - 240, focal], np.float64)
    ahead /= np.linalg.norm(ahead)
    axis = np.cross([0, 0, 1], ahead)
    swing = cv2.Rodrigues(axis / max(np.linalg.norm(axis), 1e-12) * np.arccos(ahead[2]))[0]
    solid = (generic_face() if face is None else face) @ rotation_of(np.array([yaw, pitch, roll], np.float32)).T
    points = (solid + np.array([0, 0, focal / width])) @ swing.T
    return np.asarray(points[:, :2] / points[:, 2:] * focal + (320, 240), np.float32)


def pose_of(points: NDArray[np.float32], size: tuple[int, int] = SIZE) -> NDArray[np.float32]:
    """The pose of points, which must have one."""
    pose = estimate_pose(points, size)
    assert pose is not None
    assert pose.shape == (3,)
    assert pose.dtype == np.float32
    return pose


@settings(deadline=None)
@given(YAW, PITCH, ROLL, PLACES, WIDTHS)
def test_known_angles_are_recovered_anywhere_in_the_frame(
    yaw: float, pitch: float, roll: float, place: tuple[float, float], width: float
) -> None:
    points = project(yaw, pitch, roll, place=place, width=width)
    np.testing.assert_allclose(pose_of(points), [yaw, pitch, roll], atol=0.5)


@settings(deadline=None)
@given(YAW, PITCH, ROLL, PLACES, WIDTHS)
def test_mirroring_an_image_negates_yaw_and_roll(
    yaw: float, pitch: float, roll: float, place: tuple[float, float], width: float
) -> None:
    points = project(yaw, pitch, roll, place=place, width=width)
    mirrored = np.array([640, 0], np.float32) + points[MIRRORED] * np.array([-1, 1], np.float32)
    np.testing.assert_allclose(pose_of(mirrored), pose_of(points) * [-1, 1, -1], atol=0.05)


def test_the_signs_are_those_of_the_image() -> None:
    """By construction: parts near the camera, such as the nose, move in the direction of the turn."""
    flat, near = generic_face()[:, :2], -generic_face()[:, 2:]
    to_the_right = flat + 0.3 * near * [1, 0]
    upward = flat + 0.3 * near * [0, -1]
    clockwise = flat @ np.array([[0.94, 0.34], [-0.34, 0.94]])
    assert clockwise[45, 1] > clockwise[36, 1]  # the eye on the right of the image is the lower one
    for points, signs in ((to_the_right, [1, 0, 0]), (upward, [0, 1, 0]), (clockwise, [0, 0, 1])):
        pose = pose_of((points * 12 + (320, 240)).astype(np.float32))
        assert np.where(np.abs(pose) > 4, np.sign(pose), 0).tolist() == signs
        assert 12 < np.abs(pose).max() < 24


@pytest.mark.parametrize("place", [(20, 20), (620, 20), (320, 470), (20, 470)])
def test_a_face_that_looks_into_the_camera_is_frontal_in_every_corner(place: tuple[float, float]) -> None:
    np.testing.assert_allclose(pose_of(project(place=place)), 0, atol=0.05)


def test_a_crop_gives_nearly_the_pose_of_the_photo() -> None:
    points = project(20, -10, 15, place=(500, 120), width=30)
    corner = np.floor(points.min(axis=0)) - 20
    crop = np.ceil(points.max(axis=0) + 20 - corner).astype(int)
    np.testing.assert_allclose(pose_of(points - corner, (int(crop[0]), int(crop[1]))), [20, -10, 15], atol=3)


@pytest.mark.parametrize(("focal", "error"), [(450, 2.5), (960, 1.5), (1920, 2.5)])
def test_another_lens_changes_the_angles_little(focal: float, error: float) -> None:
    for place in ((320, 240), (560, 80)):
        pose = pose_of(project(30, 15, -20, place=place, width=50, focal=focal))
        np.testing.assert_allclose(pose, [30, 15, -20], atol=error)


def test_a_tight_crop_is_not_mistaken_for_perspective_distortion() -> None:
    """A face from far away, cropped tightly."""
    points = project(0, 0, 0, width=20, focal=40_000)
    points = ((points - points.min(axis=0)) * 2).astype(np.float32)
    width, height = (int(side) for side in points.max(axis=0))
    np.testing.assert_allclose(pose_of(points, (width, height)), 0, atol=4)


def test_talking_and_frowning_do_not_change_the_pose() -> None:
    still = pose_of(project(25, 10, 5))
    face = generic_face().copy()
    face[BROWS, 1] -= 0.12
    face[LOW_LIPS, 1] += 0.3
    face[CHIN, 1] += 0.3
    np.testing.assert_allclose(pose_of(project(25, 10, 5, face=face)), still, atol=1.5)


def test_noisy_points_change_the_angles_little() -> None:
    """Each point has an error of 2% of the distance of the outer eye corners."""
    random = np.random.default_rng(3)
    errors = []
    for _ in range(300):
        angles = random.uniform((-50, -35, -45), (50, 35, 45))
        points = project(*angles, place=(random.uniform(0, 640), random.uniform(0, 480)))
        errors.append(np.abs(pose_of((points + random.normal(0, 0.8, (68, 2))).astype(np.float32)) - angles))
    assert (np.mean(errors, axis=0) < [0.7, 1.1, 0.8]).all()
    assert np.max(errors) < 6


def test_points_that_are_not_a_face_have_no_pose() -> None:
    points = project()
    line = np.stack([points[:, 0], 2 * points[:, 0]], axis=1)
    for nothing in (np.zeros_like(points), np.full_like(points, 7), line, points * np.nan):
        assert estimate_pose(nothing, SIZE) is None
    points[3, 1] = np.inf
    assert estimate_pose(points, SIZE) is None


@settings(deadline=None, max_examples=200)
@given(arrays(np.float32, (68, 2), elements=st.floats(width=32)))
def test_no_points_raise_an_error(points: NDArray[np.float32]) -> None:
    pose = estimate_pose(points, SIZE)
    assert pose is None or (np.isfinite(pose).all() and (np.abs(pose) <= [90, 180, 180]).all())


def test_point_sets_other_than_68_are_rejected() -> None:
    with pytest.raises(ValueError, match=r"a pose needs 68 points \(68, 2\), but got \(5, 2\)"):
        estimate_pose(np.zeros((5, 2), np.float32), SIZE)


@given(st.floats(-89, 89), st.floats(-179, 179), st.floats(-179, 179))
def test_a_rotation_has_the_angles_that_it_was_made_from(yaw: float, pitch: float, roll: float) -> None:
    rotation = rotation_of(np.array([yaw, pitch, roll], np.float32))
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-5)
    assert np.linalg.det(rotation) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(angles_of(rotation), [yaw, pitch, roll], atol=0.02)


def test_an_eye_without_a_width_has_no_aspect_ratio() -> None:
    points = project()
    points[36:42] = points[36]
    right, left = eye_aspect_ratio(points)
    assert np.isnan(right)
    assert 0.2 < left < 0.35


def test_the_generic_face_is_symmetric_and_in_its_coordinates() -> None:
    face = generic_face()
    assert face.shape == (68, 3)
    assert face.dtype == np.float32
    assert not face.flags.writeable
    np.testing.assert_allclose(face[MIRRORED] * [-1, 1, 1], face, atol=2e-4)
    assert face[[36, 45]].tolist() == [[-0.5, 0, 0], [0.5, 0, 0]]
    assert face[:, 2].argmin() == 30  # the tip of the nose is nearest to the camera
    assert face[:, 1].argmax() == 8  # the chin is lowest
    assert face[[0, 16], 2].min() > 0.4  # and the ends of the jaw are behind the eyes
