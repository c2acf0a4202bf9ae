import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood.geometry import Floats, box_of_points, tilts
from facemood.schema import Face, Image
from facemood.sources import load_image
from facemood.stages.landmarks import PRESENT, LandmarkModel
from scripts.detection_metrics import point_errors, read_photos

BOX = np.array([181, 64, 269, 175], np.float32)

PLACES = {36: (195, 102), 45: (256, 104), 33: (223, 133), 8: (222, 176)}
"""Some landmarks of the astronaut, set by eye: outer corners of the eyes, base of the nose, chin."""


@pytest.fixture(scope="module")
def model() -> LandmarkModel:
    return LandmarkModel(threads=1)


@pytest.fixture(scope="module")
def portrait(astronaut: Path) -> Image:
    return load_image(astronaut)


def tilt(points: Floats) -> float:
    """The angle of the line between the outer corners of the eyes."""
    return float(tilts(points[None, 36], points[None, 45])[0])


def test_landmarks_of_a_portrait_are_correct(model: LandmarkModel, portrait: Image) -> None:
    (points,), (presence,) = model.predict(portrait, BOX[None])
    assert presence > 0.9
    for index, place in PLACES.items():
        np.testing.assert_allclose(points[index], place, atol=4)
    right, left = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    assert right[0] < left[0]  # the subject's right eye is on the left of the image


def test_a_background_is_not_a_face(model: LandmarkModel, portrait: Image) -> None:
    corner = np.array([[380, 20, 470, 110], [20, 300, 90, 380]], np.float32)
    _, presence = model.predict(portrait, corner)
    assert (presence < PRESENT).all()
    points, presence = model.predict(portrait, np.zeros((0, 4), np.float32))
    assert points.shape == (0, 68, 2)
    assert presence.shape == (0,)


def test_landmarks_of_a_tilted_face(model: LandmarkModel, portrait: Image) -> None:
    (upright,), _ = model.predict(portrait, BOX[None])
    matrix = cv2.getRotationMatrix2D((221, 125), -60, 1.0)  # clockwise in the image
    turned = np.asarray(cv2.warpAffine(portrait, matrix, (512, 512)), np.uint8)
    (points,), _ = model.predict(turned, BOX[None], np.array([60], np.float32))
    expected = upright @ matrix[:, :2].T.astype(np.float32) + matrix[:, 2].astype(np.float32)
    assert float(np.linalg.norm(points - expected, axis=1).mean()) < 3
    assert tilt(points) == pytest.approx(60 + tilt(upright), abs=4)


def test_grey_and_colour_give_the_same_landmarks(model: LandmarkModel, portrait: Image) -> None:
    grey = np.asarray(cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY), np.uint8)
    np.testing.assert_allclose(model.predict(grey, BOX[None])[0], model.predict(portrait, BOX[None])[0], atol=1e-3)


def test_faces_of_other_detectors_get_landmarks_and_keep_their_boxes(model: LandmarkModel, portrait: Image) -> None:
    loose, beside = np.array([165, 60, 280, 180], np.float32), np.array([380, 20, 470, 110], np.float32)
    there, nowhere = model.add_landmarks(portrait, [Face(loose, 0.9), Face(beside, 0.8)])
    assert there.landmarks is not None
    np.testing.assert_allclose(there.landmarks[36], PLACES[36], atol=5)
    assert there.box is loose
    assert nowhere.landmarks is None
    assert model.add_landmarks(portrait, [there]) == [there]
    assert model.add_landmarks(portrait, []) == []


def test_a_face_is_followed_by_its_landmarks(model: LandmarkModel, portrait: Image) -> None:
    (points,), _ = model.predict(portrait, BOX[None])
    face = Face(box_of_points(points), 1.0, landmarks=points)
    for step in range(1, 9):
        shift = np.array([[1, 0, 5 * step], [0, 1, -3 * step]], np.float32)
        frame = np.asarray(cv2.warpAffine(portrait, shift, (512, 512), borderMode=cv2.BORDER_REPLICATE), np.uint8)
        (followed,) = model.follow(frame, [face])
        assert followed is not None
        face = followed
    np.testing.assert_allclose(face.box, box_of_points(points) + np.tile([40, -24], 2), atol=5)
    assert model.follow(np.full_like(portrait, 128), [face]) == [None]
    assert model.follow(portrait, []) == []
    with pytest.raises(ValueError, match="1 of 2 faces have no 68 landmarks, so they cannot be followed"):
        model.follow(portrait, [face, Face(BOX, 0.9)])


def test_differences_of_rounding_do_not_grow_from_frame_to_frame(model: LandmarkModel, portrait: Image) -> None:
    (points,), _ = model.predict(portrait, BOX[None])
    faces = [Face(box_of_points(there), 1.0, landmarks=there) for there in (points, points + np.float32(0.001))]
    for _ in range(3):
        faces = [followed for face in faces for followed in model.follow(portrait, [face]) if followed]
        np.testing.assert_array_equal(faces[0].landmarks, faces[1].landmarks)


@pytest.mark.dataset
def test_landmarks_are_near_the_annotated_ones(model: LandmarkModel, shared_data: Path) -> None:
    errors = []
    for photo in read_photos(shared_data / "photos"):
        points, _ = model.predict(photo.image, box_of_points(photo.points))
        errors.append(point_errors(points, photo.points))
    error = np.concatenate(errors)
    assert len(error) == 43
    assert error.mean() <= 0.07
    assert (error > 0.1).mean() <= 0.15


def test_followed_faces_keep_their_other_fields(model: LandmarkModel, portrait: Image) -> None:
    (points,), _ = model.predict(portrait, BOX[None])
    face = dataclasses.replace(Face(BOX, 0.4, landmarks=points), track_id=7)
    (followed,) = model.follow(portrait, [face])
    assert followed is not None
    assert followed.track_id == 7
    assert followed.score > 0.9
