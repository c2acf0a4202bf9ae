"""Action units from landmarks and pixels: their invariances, and faces without a prediction."""

import dataclasses
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facemood import EmotionRecognizer, Face
from facemood.facs import CODES, KEYS, UNITS
from facemood.geometry import MIRRORED, Floats, rotation_of
from facemood.schema import Image
from facemood.sources import load_image
from facemood.stages.action_units import MAX_PITCH, MAX_YAW, predict_units, with_units
from facemood.stages.action_units.estimate import (
    HALF,
    STRONGEST,
    intensities_by_key,
    intensities_of,
    intensity_of,
    spreads_by_key,
    spreads_of,
)
from facemood.stages.action_units.frontal import Frontal, frontal
from facemood.stages.action_units.measures import measure_points
from facemood.stages.action_units.taught import neutral_faces, weights
from facemood.stages.action_units.texture import ABOVE, PATCH, RESOLUTION, openness_of, texture_of
from facemood.stages.pose import generic_face
from tests.conftest import PHOTOS

AHEAD = np.zeros(3, np.float32)
UPPER = {key for unit in UNITS if unit.part == "upper" for key in unit.keys}
LOWER = set(KEYS) - UPPER


@pytest.fixture(scope="module")
def photo() -> Image:
    return load_image(PHOTOS / "astronaut.png")


@pytest.fixture(scope="module")
def face(recognizer: EmotionRecognizer, photo: Image) -> Face:
    return recognizer.detect(photo)[0]


def points_of(face: Face) -> Floats:
    """The landmarks of a face, which must have some."""
    assert face.landmarks is not None
    return face.landmarks


def units_by_points(points: Floats, pose: Floats) -> dict[str, float]:
    """Intensities by landmarks alone."""
    measured = measure_points(frontal(points, pose).halves)
    return intensities_of(measured, pose, neutral_faces("points"), hidden=set())


def seen_at(pose: Floats, *, scale: float = 100, shift: tuple[float, float] = (300, 200)) -> Floats:
    """The generic face, projected from far away."""
    return ((generic_face() @ rotation_of(pose).T)[:, :2] * scale + shift).astype(np.float32)


def changed(**moves: tuple[list[int], tuple[float, float]]) -> Floats:
    """The generic face with landmarks of the right half moved, and their counterparts on the left too."""
    shape = generic_face()[:, :2].astype(np.float64).copy()
    for points, (x, y) in moves.values():
        for point in points:
            shape[point] += (x, y)
            if MIRRORED[point] != point:
                shape[MIRRORED[point]] += (-x, y)
    return (shape * 100 + 300).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(20, 400), st.floats(-500, 2000), st.floats(-500, 2000), st.floats(-90, 90), st.floats(-25, 25),
    st.floats(-20, 20),
)  # fmt: skip
def test_position_size_and_pose_change_nothing(
    scale: float, x: float, y: float, roll: float, yaw: float, pitch: float
) -> None:
    pose = np.array([yaw, pitch, roll], np.float32)
    shape = frontal(seen_at(pose, scale=scale, shift=(x, y)), pose).shape
    np.testing.assert_allclose(shape, generic_face()[:, :2], atol=2e-3)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.15), st.floats(-30, 30), st.floats(-25, 25))
def test_intensities_are_shares_and_a_mirror_swaps_the_sides(
    seed: int, spread: float, yaw: float, pitch: float
) -> None:
    pose = np.array([yaw, pitch, 0], np.float32)
    random = np.random.default_rng(seed)
    points = seen_at(pose) + random.normal(0, 100 * spread, (68, 2)).astype(np.float32)
    units = units_by_points(points, pose)
    assert tuple(units) == KEYS
    assert all(0 <= value <= 1 for value in units.values())
    flipped = (points[MIRRORED] * (-1, 1) + (600, 0)).astype(np.float32)
    mirrored = units_by_points(flipped, pose * np.array([-1, 1, -1], np.float32))
    for unit in UNITS:
        whole, *sides = (units[key] for key in unit.keys)
        assert mirrored[unit.code] == pytest.approx(whole, abs=1e-3)
        assert [mirrored[key] for key in unit.keys[1:]] == pytest.approx(sides[::-1], abs=1e-3)


@pytest.mark.parametrize(
    ("code", "points", "move"),
    [
        ("AU01", [20, 21], (0, -0.08)),
        ("AU02", [17, 18, 19], (0, -0.08)),
        ("AU04", [19, 20, 21], (0.03, 0.06)),
        ("AU05", [37, 38], (0, -0.03)),
        ("AU07", [37, 38, 40, 41], (0, 0.0)),
        ("AU12", [48, 60], (-0.08, -0.08)),
        ("AU15", [48, 60], (0.02, 0.06)),
        ("AU25", [57, 58, 65, 66, 67], (0, 0.1)),
        ("AU27", [8, 57, 58, 65, 66, 67], (0, 0.2)),
    ],
)
def test_a_movement_makes_its_unit_stronger(code: str, points: list[int], move: tuple[float, float]) -> None:
    before = units_by_points(changed(), AHEAD)
    if code == "AU07":
        after = units_by_points(changed(up=([40, 41], (0, -0.02)), down=([37, 38], (0, 0.02))), AHEAD)
    else:
        after = units_by_points(changed(one=(points, move)), AHEAD)
    assert after[code] > before[code] + 0.2


def test_a_movement_of_one_side_activates_that_side() -> None:
    points = changed()
    points[[48, 60]] += (-8, -6)  # the lip corner on the left of the image is the subject's right one
    units, before = units_by_points(points, AHEAD), units_by_points(changed(), AHEAD)
    assert units["AU12R"] > before["AU12R"] + 0.3
    assert units["AU12L"] == pytest.approx(before["AU12L"], abs=0.05)


def test_neutral_statistics_and_weights_match_the_table() -> None:
    for way in ("", "points"):
        neutral = neutral_faces(way)
        assert neutral.slopes.shape == (5, len(UNITS))
        assert (neutral.spread > 0).all()
        assert (neutral.side_spread >= neutral.spread * 0.99).all()
    learned = (weights().units != 0).sum(axis=1) > 0
    assert [unit.code for unit, known in zip(UNITS, learned, strict=True) if known] == [
        unit.code for unit in UNITS if unit.way == "learned"
    ]


@given(st.floats(-8, 10))
def test_spreads_come_back_from_intensities(spreads: float) -> None:
    assert spreads_of(intensity_of(np.array([spreads])))[0] == pytest.approx(spreads, abs=1e-4)


@given(st.floats(-8, 12))
def test_the_spreads_of_all_units_come_back_and_only_strong_ones_have_another_scale(spreads: float) -> None:
    units = intensities_by_key(np.full(len(KEYS), spreads))
    assert spreads_by_key(units) == pytest.approx(np.full(len(KEYS), spreads), abs=1e-3)
    for key, value in units.items():
        if spreads <= HALF or key[:4] not in STRONGEST:
            assert value == pytest.approx(float(intensity_of(spreads)))
        else:
            assert 0.5 <= value <= float(intensity_of(spreads))


def test_a_unit_reaches_its_upper_end_at_its_99th_percentile() -> None:
    for code, spreads in STRONGEST.items():
        assert intensities_by_key(np.full(len(KEYS), spreads))[code] == pytest.approx(0.95)


def test_a_unit_that_is_hidden_is_left_out() -> None:
    spreads = np.zeros(len(KEYS))
    spreads[KEYS.index("AU12L")] = np.nan
    assert set(intensities_by_key(spreads)) == set(KEYS) - {"AU12L"}


def test_a_smiling_photo_has_a_smile(photo: Image, face: Face) -> None:
    units = predict_units(photo, face).units
    assert tuple(units) == KEYS
    assert min(units["AU06"], units["AU12"], units["AU12R"], units["AU12L"]) > 0.8
    assert max(units["AU04"], units["AU15"], units["AU27"]) < 0.2
    happy = dataclasses.replace(face, action_units=units, labels=("happy",), probabilities=np.ones(1, np.float32))
    assert "AU12 lip corner puller" in happy.facs()
    assert "against" not in happy.facs()


def test_a_mirrored_photo_swaps_the_sides(photo: Image, face: Face) -> None:
    width = photo.shape[1]
    assert face.pose is not None
    points = points_of(face)[MIRRORED] * np.array([-1, 1], np.float32) + np.array([width - 1, 0], np.float32)
    other = dataclasses.replace(face, landmarks=points, pose=face.pose * np.array([-1, 1, -1], np.float32))
    one, two = predict_units(photo, face), predict_units(np.ascontiguousarray(photo[:, ::-1]), other)
    for unit in UNITS:
        wanted = [one.units[key] for key in unit.keys]
        found = [two.units[key] for key in (unit.keys[0], *unit.keys[:0:-1])]
        assert found == pytest.approx(wanted, abs=0.15)  # its pixels are interpolated differently
    assert one.openness is not None
    assert two.openness == pytest.approx(one.openness[::-1], rel=0.2)


@pytest.mark.parametrize(("angle", "scale"), [(15, 1.0), (-30, 1.0), (0, 0.6), (0, 1.7), (10, 0.5)])
def test_a_tilted_and_scaled_photo_has_similar_units(
    recognizer: EmotionRecognizer, photo: Image, face: Face, angle: float, scale: float
) -> None:
    middle = (face.box[:2] + face.box[2:]) / 2
    matrix = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), angle, scale)
    turned = np.asarray(cv2.warpAffine(photo, matrix, photo.shape[1::-1], flags=cv2.INTER_AREA), np.uint8)
    points = (points_of(face) @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    assert face.pose is not None
    pose = (face.pose - (0, 0, angle)).astype(np.float32)
    one, two = (
        predict_units(photo, face).units,
        predict_units(turned, dataclasses.replace(face, landmarks=points, pose=pose)).units,
    )
    assert max(abs(one[code] - two[code]) for code in CODES) < 0.2


@pytest.mark.parametrize(
    "pose", [(MAX_YAW + 1, 0, 0), (-MAX_YAW - 1, 0, 0), (0, MAX_PITCH + 1, 0), (0, -MAX_PITCH - 1, 0)]
)
def test_a_face_that_is_turned_away_has_no_units(photo: Image, face: Face, pose: tuple[float, float, float]) -> None:
    turned = dataclasses.replace(face, pose=np.array(pose, np.float32))
    assert predict_units(photo, turned) == ({}, None)


def test_an_uncertain_face_has_no_units(photo: Image, face: Face) -> None:
    for other in (
        dataclasses.replace(face, landmarks=None),
        dataclasses.replace(face, landmarks=points_of(face)[:5]),
        dataclasses.replace(face, pose=None),
        dataclasses.replace(face, score=0.55),
        dataclasses.replace(face, landmarks=points_of(face) * 0.1),
    ):
        assert with_units(photo, [other])[0].action_units == {}
    assert with_units(photo, []) == []


def test_a_face_partly_outside_of_the_image_has_no_units(
    recognizer: EmotionRecognizer, photo: Image, face: Face
) -> None:
    points = points_of(face)
    for cut in (photo[:, : int(points[30, 0])], photo[: int(points[51, 1])]):
        half = np.ascontiguousarray(cut)
        assert predict_units(half, face).units == {}
        assert all(found.action_units == {} for found in recognizer.analyze_image(half))


def cover(photo: Image, points: Floats, shades: tuple[int, int, int]) -> Image:
    """A photo with an ellipse over some landmarks, and lines across it like fingers."""
    middle, size = points.mean(axis=0), np.ptp(points, axis=0)
    covered = photo.copy()
    half = int(0.85 * size[0]), int(max(0.95 * size[1], 0.5 * size[0]))
    cv2.ellipse(covered, (int(middle[0]), int(middle[1])), half, 10, 0, 360, shades, -1)
    for step in (-0.5, 0.0, 0.5):
        y = int(middle[1] + step * half[1])
        dark = tuple(int(0.7 * shade) for shade in shades)
        cv2.line(covered, (int(middle[0] - 0.8 * half[0]), y), (int(middle[0] + 0.8 * half[0]), y + 4), dark, 2)
    return covered


MASKS = [(10, 10, 10), (40, 40, 40), (80, 80, 80), (160, 110, 60), (120, 150, 205), (230, 225, 225)]
"""Colours of masks, BGR."""


@pytest.mark.parametrize("shades", MASKS)
@pytest.mark.parametrize("name", ["astronaut.png", "grace_hopper.jpg"])
def test_a_covered_mouth_leaves_out_the_units_there(
    recognizer: EmotionRecognizer, name: str, shades: tuple[int, int, int]
) -> None:
    image = load_image(PHOTOS / name)
    open_face = recognizer.detect(image)[0]
    assert LOWER & set(open_face.action_units)
    covered = cover(image, points_of(open_face)[48:], shades)
    for found in recognizer.detect(covered):
        assert not LOWER & set(found.action_units)


def test_covered_eyes_leave_out_the_units_there(recognizer: EmotionRecognizer, photo: Image, face: Face) -> None:
    covered = cover(photo, points_of(face)[36:48], (20, 20, 20))
    predicted = predict_units(covered, face)  # as if it were followed
    assert not UPPER & set(predicted.units)
    assert predicted.openness is None


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_mirrored_pixels_have_a_mirrored_texture(seed: int) -> None:
    patch = np.random.default_rng(seed).integers(0, 256, (PATCH, PATCH)).astype(np.uint8)
    right, left = texture_of(patch)
    mirrored = texture_of(np.ascontiguousarray(patch[:, ::-1]))
    np.testing.assert_allclose(mirrored, [left, right], atol=1e-4)
    assert np.isfinite(right).all()


def test_even_pixels_have_a_texture_without_edges() -> None:
    even = texture_of(np.full((PATCH, PATCH), 77, np.uint8))
    np.testing.assert_allclose(even, 0, atol=1e-6)


def drawn_eyes(*, shut: bool) -> tuple[NDArray[np.uint8], Frontal]:
    """A grey patch with two eyes, each an iris on white or a line of lashes."""
    shape = generic_face()[:, :2].astype(np.float64)
    patch = np.full((PATCH, PATCH), 150, np.uint8)
    for points in (slice(36, 42), slice(42, 48)):
        x, y = (shape[points].mean(axis=0) + np.array([0, ABOVE])) * RESOLUTION + (PATCH / 2, 0)
        place = (int(x), int(y))
        if shut:
            cv2.line(patch, (place[0] - 4, place[1] + 1), (place[0] + 4, place[1] + 1), 60, 1)
        else:
            cv2.ellipse(patch, place, (4, 2), 0, 0, 360, 210, -1)
            cv2.circle(patch, place, 1, 40, -1)
    noisy = patch + np.random.default_rng(3).normal(0, 6, patch.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), Frontal(shape, np.eye(2, 3))


def test_shut_eyes_look_less_open() -> None:
    opened, closed = openness_of(*drawn_eyes(shut=False)), openness_of(*drawn_eyes(shut=True))
    assert max(closed) < 0.7 * min(opened)


def test_the_pipeline_adds_units(recognizer: EmotionRecognizer, astronaut: Path) -> None:
    result = recognizer.analyze_image(astronaut)
    known: dict[str, Any] = result.faces[0].to_dict()
    assert known["action_units"]["AU12"] > 0.8
    assert result.faces[0].facs().startswith("happy: AU06")
    assert next(result.rows())["AU12"] == known["action_units"]["AU12"]
