"""The script that makes the generic face: from faces in all positions it finds the one that they were made of."""

import numpy as np
import pytest
from numpy.typing import NDArray

from facemood.geometry import MIRRORED, rotation_of
from facemood.stages.pose import generic_face
from scripts.mean_face import align, canonical, mean_face, mean_pitch


def crowd(count: int, *, yaw: float, pitch: float = 0.0, noise: float = 0.0) -> NDArray[np.float64]:
    """The generic face, turned, enlarged and shifted into tiles: (count, 68, 3), some of it guessed wrongly."""
    random = np.random.default_rng(5)
    angles = random.uniform((-yaw, pitch - 8, -20), (yaw, pitch + 8, 20), (count, 3))
    turned = [generic_face() @ rotation_of(angle.astype(np.float32)).T for angle in angles]
    shapes = np.stack(turned) * random.uniform(15, 25, (count, 1, 1)) + random.uniform(20, 28, (count, 1, 3))
    return np.asarray(shapes + random.normal(0, noise, shapes.shape))


def test_the_mean_of_turned_faces_is_the_face() -> None:
    found = canonical(align(crowd(60, yaw=40)))
    distances = [np.linalg.norm(face[:, None] - face[None], axis=2) for face in (found, generic_face())]
    np.testing.assert_allclose(distances[0], distances[1], atol=2e-3)


def test_the_mean_is_symmetric_in_the_unit_of_the_eyes_and_without_pitch() -> None:
    face = mean_face(crowd(80, yaw=30, pitch=12, noise=0.4))
    np.testing.assert_allclose(face[MIRRORED] * [-1, 1, 1], face, atol=1e-9)
    np.testing.assert_allclose(face[[36, 45]], [[-0.5, 0, 0], [0.5, 0, 0]], atol=1e-9)
    assert face[30, 2] < -0.3
    assert mean_pitch(face, crowd(80, yaw=15, pitch=12)) == pytest.approx(0, abs=1)


def test_faces_that_look_aside_are_left_out() -> None:
    wrong = crowd(6, yaw=0.1) @ rotation_of(np.array([60, 0, 0], np.float32)).T
    wrong[:, 8, 1] += 20
    facing = crowd(80, yaw=10)
    np.testing.assert_allclose(mean_face(np.concatenate([facing, wrong])), mean_face(facing), atol=0.02)
