"""Level 1: masks of real photos, faces without background, and the overlap of masks."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from facemood import EmotionRecognizer
from facemood.ferc import MaskModel, mask_overlap
from facemood.ferc.face_mask import MaskedFaces, outline_of
from facemood.geometry import Floats
from facemood.schema import Image
from facemood.sources import load_image
from tests.conftest import PHOTOS

MASKS = arrays.arrays(np.float32, (4, 5), elements=st.sampled_from([0.0, 0.25, 0.75, 1.0]))
STRAIGHT = np.array([[1, 0, 0], [0, 1, 0]], np.float32)


@pytest.fixture(scope="module")
def model() -> MaskModel:
    return MaskModel(threads=1)


@pytest.fixture(scope="module", params=["astronaut.png", "grace_hopper.jpg"])
def photo(request: pytest.FixtureRequest, recognizer: EmotionRecognizer) -> tuple[Image, Floats]:
    """A photo and the 68 landmarks of its face."""
    image = load_image(PHOTOS / request.param)
    (face,) = recognizer.detect(image)
    assert face.landmarks is not None
    return image, face.landmarks


def test_the_mask_covers_the_face_and_not_its_surroundings(model: MaskModel, photo: tuple[Image, Floats]) -> None:
    image, points = photo
    found = model.predict(image, points[None])
    (mask,), (frame,) = found.masks, found.frames
    inside = (points - frame[:, 2]) @ np.linalg.inv(frame[:, :2]).T
    seen = cv2.remap(mask, *inside.T[:, None].astype(np.float32), cv2.INTER_LINEAR)[0]  # type: ignore[call-overload]
    assert seen[17:].min() > 0.5  # brows, nose, eyes, lips
    assert mask[[0, -1]].max() < 0.5
    assert mask[:, [0, -1]].max() < 0.5
    assert 0.2 < (mask >= 0.5).mean() < 0.6


def test_the_outline_encloses_the_landmarks(model: MaskModel, photo: tuple[Image, Floats]) -> None:
    image, points = photo
    found = model.predict(image, points[None])
    outline = outline_of(found.masks[0], found.frames[0])
    around = [cv2.pointPolygonTest(outline, point.tolist(), False) for point in points[17:].astype(float)]
    assert min(around) > 0
    assert outline[:, 1].min() < points[17:27, 1].min()  # above the brows: the forehead
    height = np.ptp(points[:, 1])
    assert abs(outline[:, 1].max() - points[8, 1]) < 0.1 * height  # down to the chin


def test_without_background_only_the_face_is_left(model: MaskModel, photo: tuple[Image, Floats]) -> None:
    image, points = photo
    found = model.predict(image, points[None])
    (left,), (crop,), (mask,) = found.without_background(), found.crops, found.masks
    assert np.abs(left[mask > 0.999].astype(int) - crop[mask > 0.999]).max() <= 1
    assert np.ptp(left[mask < 0.001].astype(int)) <= 1
    assert crop[mask < 0.001].std() > 10


def test_grey_and_colour_are_the_same(model: MaskModel, photo: tuple[Image, Floats]) -> None:
    image, points = photo
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    np.testing.assert_array_equal(model.predict(image, points[None]).masks, model.predict(grey, points[None]).masks)


def test_a_larger_image_has_the_same_mask(model: MaskModel, photo: tuple[Image, Floats]) -> None:
    image, points = photo
    larger = np.asarray(cv2.resize(image, None, fx=1.5, fy=1.5), np.uint8)
    one, other = model.predict(image, points[None]), model.predict(larger, points[None] * np.float32(1.5))
    assert mask_overlap(one.masks[0], other.masks[0]) > 0.95


def test_without_faces_there_are_no_masks(model: MaskModel) -> None:
    found = model.predict(np.zeros((9, 9, 3), np.uint8), np.zeros((0, 68, 2), np.float32))
    assert [len(part) for part in found] == [0, 0, 0]
    assert len(outline_of(np.zeros((8, 8), np.float32), STRAIGHT)) == 0


def test_the_share_inside_is_weighted_by_the_mask() -> None:
    masks = np.zeros((2, 8, 8), np.float32)
    masks[:, 2:6, 2:6] = 1
    frames = np.stack([STRAIGHT, STRAIGHT + np.array([[0, 0, -4], [0, 0, 0]], np.float32)])  # 4 pixels to the left
    found = MaskedFaces(np.zeros((2, 8, 8), np.uint8), masks, frames)
    assert found.shares_inside((8, 8)).tolist() == [1.0, 0.5]


def test_the_outline_of_a_square_is_that_square() -> None:
    mask = np.zeros((20, 20), np.float32)
    mask[4:16, 5:15] = 1
    outline = outline_of(mask, np.array([[2, 0, 100], [0, 2, 0]], np.float32))
    assert outline.min(axis=0).tolist() == pytest.approx((110, 8), abs=0.6)
    assert outline.max(axis=0).tolist() == pytest.approx((130, 32), abs=0.6)


@settings(max_examples=50, deadline=None)
@given(MASKS, MASKS)
def test_overlap_is_a_symmetric_share(one: Floats, other: Floats) -> None:
    shared = mask_overlap(one, other)
    assert 0 <= shared <= 1
    assert shared == mask_overlap(other, one)
    assert mask_overlap(one, one) == 1
    assert (shared == 1) == ((one >= 0.5) == (other >= 0.5)).all()


def test_masks_of_different_shapes_are_rejected() -> None:
    with pytest.raises(ValueError, match=r"two masks must have the same shape, but have \(2, 2\) and \(3, 2\)"):
        mask_overlap(np.ones((2, 2), np.float32), np.ones((3, 2), np.float32))


def test_the_network_is_small(tmp_path: Path) -> None:
    from facemood.models import find_model

    assert find_model("mask").stat().st_size < 250_000
