"""Predict the action units of a face, and leave out what cannot be measured."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.facs import KEYS, LEARNED, PIXELS, UNITS
from facemood.geometry import Floats
from facemood.schema import Face, Image
from facemood.stages.action_units.frontal import Frontal, Matrix, frontal
from facemood.stages.action_units.measures import measure_points
from facemood.stages.action_units.taught import PARTS, Neutral, features_of, heads, neutral_faces, unusual, weights
from facemood.stages.action_units.texture import cut_patch, mouth_detail_of, openness_of, texture_of
from facemood.stages.landmarks import landmarks_of

MAX_YAW = 35.0
"""Degrees of yaw above which a face is turned away: half of it is hidden."""

MAX_PITCH = 30.0
"""Degrees of pitch above which a face is turned away."""

MIN_SCORE = 0.6
"""Detection score below which a face may be covered or a false alarm."""

MIN_EYE_DISTANCE = 10.0
"""Pixels from one outer eye corner to the other below which lids and lips are too coarse to measure."""

MAX_OUTSIDE = 0.1
"""Largest share of the landmarks of brows, eyes, nose and lips, 0..1, that may lie outside of the image."""

COVERED = 0.5
"""Probability from which a part of a face counts as covered, and its units are left out."""

MIN_MOUTH_DETAIL = 0.45
"""Detail of the mouth (`mouth_detail_of`) below which it is covered by something plain: less than 0.5% of uncovered
faces have less, by `scripts/measure_action_units.py`."""

HALF = 1.5
"""Spreads (standard deviations of neutral faces) above the neutral mean at which an intensity is 0.5."""

SLOPE = 0.6
"""Width, in spreads, of the logistic function that turns spreads into intensities."""

STRONG = 0.95
"""Intensity from which a unit is at its upper end."""

STRONGEST = {"AU06": 5.2, "AU12": 6.2, "AU16": 7.6, "AU25": 8.5, "AU26": 6.4, "AU27": 5.8}
"""Spreads at which the intensity reaches `STRONG`, for units that move far more than those of neutral faces vary, such
as lips that part. They are the 99th percentile of the faces in PublicTest, by `scripts/measure_action_units.py`. Other
units reach it at `HALF` + `SLOPE` * log(0.95 / 0.05), which is about their 99th percentile."""

WIDTHS = np.array(
    [(STRONGEST[key[:4]] - HALF) / math.log(STRONG / (1 - STRONG)) if key[:4] in STRONGEST else SLOPE for key in KEYS]
)
"""(K,) float64 in the order of `KEYS`: the width, in spreads, of the logistic function above an intensity of 0.5. Below
that, it is `SLOPE` for all units."""

BY_MODEL = np.array([unit.way == LEARNED for unit in UNITS])
"""(U,) bool, which units a trained model measures."""

BY_PIXELS = np.array([unit.way == PIXELS for unit in UNITS])
"""(U,) bool, which units are measured by how open the eyes look."""

IN_PART = {part: np.array([unit.part == part for unit in UNITS]) for part in PARTS}
"""(U,) bool by part of the face, which units are of it."""

MEASURED = np.array([(True, unit.sided, unit.sided) for unit in UNITS])
"""(U, 3) bool, of which units the mean of both sides, the right and the left side have a key."""

MIN_OPENNESS = 0.02
"""Openness of eyes is raised to this, so that its logarithm is finite."""


class UnitPrediction(NamedTuple):
    """The action units of a face.

    Attributes:
        units: Intensities 0..1 by the keys of `facemood.facs.KEYS`.
        openness: How open the subject's right and left eye look; None if it is not measured.
    """

    units: dict[str, float]
    openness: tuple[float, float] | None


NOTHING = UnitPrediction({}, None)
"""The prediction for a face whose units cannot be measured."""


def with_units(image: Image, faces: Sequence[Face]) -> list[Face]:
    """Add `Face.action_units` and `Face.openness` to the faces of an image.

    Args:
        image: (H, W, 3) uint8 BGR.
        faces: Its faces, with landmarks and pose if they are known.
    """
    predictions = [predict_units(image, face) for face in faces]
    return [
        dataclasses.replace(face, action_units=predicted.units, openness=predicted.openness)
        for face, predicted in zip(faces, predictions, strict=True)
    ]


def predict_units(image: Image, face: Face) -> UnitPrediction:
    """Predict the intensity of each action unit.

    Args:
        image: (H, W, 3) uint8 BGR or (H, W) grey.
        face: One of its faces.

    Returns:
        Intensities, about 0.1 for a neutral face. They are empty if the face has no landmarks, is turned by more than
        `MAX_YAW` or `MAX_PITCH` degrees, is too small, has too low a score, or lies partly outside of the image. If its
        eyes or mouth are covered, the units of that part are left out.

    Example:
        >>> black, unmarked = np.zeros((90, 120, 3), np.uint8), Face(np.float32([10, 20, 50, 60]), score=0.9)
        >>> predict_units(black, unmarked)
        UnitPrediction(units={}, openness=None)
    """
    points = landmarks_of(face)
    if points is None or face.pose is None or not is_measurable(points, face, (image.shape[1], image.shape[0])):
        return NOTHING
    frontalized = frontal(points, face.pose)
    return predict_patch(_patch(image, points, frontalized), frontalized, face.pose)


def is_covered(image: Image, face: Face) -> bool:
    """Return whether the eyes or the mouth of a face are covered; False if the face is not measured.

    Args:
        image: (H, W, 3) uint8 BGR or (H, W) grey.
        face: One of its faces. Its `Face.action_units` are used; if there are none, they are predicted.
    """
    points = landmarks_of(face)
    if points is None or not is_measurable(points, face, (image.shape[1], image.shape[0])):
        return False
    return len(face.action_units or predict_units(image, face).units) < len(KEYS)


def predict_patch(patch: NDArray[np.uint8], face: Frontal, pose: Floats) -> UnitPrediction:
    """Predict the action units of a frontalized face.

    Args:
        patch: (PATCH, PATCH) uint8, as `cut_patch` returns it.
        face: The frontalized landmarks.
        pose: (3,) yaw, pitch and roll in degrees.
    """
    features, openness = features_of(face.halves, texture_of(patch)), openness_of(patch, face)
    measured = measure_points(face.halves)
    measured[:, BY_MODEL] = (features @ weights().units.T)[:, BY_MODEL]
    measured[:, BY_PIXELS] = closing_of(openness)
    hidden = covered_parts(features) | plain_parts(patch, face)
    units = intensities_of(measured, pose, neutral_faces(), hidden=hidden)
    return UnitPrediction(units, None if "upper" in hidden else openness)


def closing_of(openness: tuple[float, float]) -> Matrix:
    """Return the measure of closed eyes, (2, 1) float64: the negative logarithm of how open they look."""
    return np.asarray(-np.log(np.maximum(np.array(openness)[:, None], MIN_OPENNESS)))


def is_measurable(points: Floats, face: Face, size: tuple[int, int]) -> bool:
    """Return whether enough of a face is visible to predict its units.

    Args:
        points: (68, 2) float32, its landmarks in pixels.
        face: The face, with its pose.
        size: Width and height of the image.
    """
    if face.pose is None or face.score < MIN_SCORE:
        return False
    yaw, pitch = abs(face.pose[:2]).tolist()
    inner = points[17:]
    outside = float(((inner < 0) | (inner > np.array(size) - 1)).any(axis=1).mean())
    large = math.dist(points[36].tolist(), points[45].tolist()) >= MIN_EYE_DISTANCE
    return yaw <= MAX_YAW and pitch <= MAX_PITCH and large and outside <= MAX_OUTSIDE


def covered_parts(features: Matrix) -> set[str]:
    """Return which of `PARTS` are covered, by features (2, D)."""
    known = weights()
    odds = unusual(features.mean(axis=0), known.usual) @ known.cover.T + known.bias
    return {part for part, odd in zip(PARTS, odds.tolist(), strict=True) if odd >= np.log(COVERED / (1 - COVERED))}


def plain_parts(patch: NDArray[np.uint8], face: Frontal) -> set[str]:
    """Return which of `PARTS` are covered by something without detail, such as a plain mask.

    Args:
        patch: (PATCH, PATCH) uint8, as `cut_patch` returns it.
        face: The frontalized landmarks.
    """
    return {"lower"} if mouth_detail_of(patch, face) < MIN_MOUTH_DETAIL else set()


def intensities_of(measured: Matrix, pose: Floats, neutral: Neutral, *, hidden: set[str]) -> dict[str, float]:
    """Return intensities 0..1 by their keys.

    Args:
        measured: (2, U) float64 of the subject's right and left side.
        pose: (3,) yaw, pitch and roll in degrees.
        neutral: The measures of neutral faces.
        hidden: Parts of the face whose units are left out.
    """
    above = measured - heads(pose) @ neutral.slopes
    both, sides = above.mean(axis=0) / neutral.spread, above / neutral.side_spread
    spreads = np.concatenate([both[None], sides]).T  # (U, 3)
    for part in hidden:
        spreads[IN_PART[part]] = math.nan
    return intensities_by_key(spreads[MEASURED])


def intensity_of(spreads: Matrix | float, width: Matrix | float = SLOPE) -> Matrix:
    """Turn spreads above the mean of neutral faces into intensities 0..1 (logistic function).

    Args:
        spreads: Spreads.
        width: Width of the function above an intensity of 0.5, in spreads: one of `WIDTHS`, or all of them.

    Example:
        >>> intensity_of(np.array([0, HALF, 3])).round(2).tolist()
        [0.08, 0.5, 0.92]
        >>> intensity_of(np.array([0, HALF, 3]), 1.0).round(2).tolist()
        [0.08, 0.5, 0.82]
    """
    above = np.asarray(spreads) - HALF
    return np.asarray(0.5 + 0.5 * np.tanh(above / (2 * np.where(above > 0, width, SLOPE))))


def spreads_of(strong: Matrix, width: Matrix | float = SLOPE) -> Matrix:
    """Turn intensities 0..1 back into spreads above the mean of neutral faces, clipped to 20 widths around `HALF`.

    Args:
        strong: Intensities.
        width: As for `intensity_of`.

    Example:
        >>> spreads_of(np.array([0.5, 1])).round(1).tolist()
        [1.5, 13.5]
    """
    held = np.clip(strong, 2e-9, 1 - 2e-9)
    return np.asarray(HALF + np.where(held > 0.5, width, SLOPE) * np.log(held / (1 - held)))


def intensities_by_key(spreads: Matrix) -> dict[str, float]:
    """Return the intensities of units by their keys.

    Args:
        spreads: (K,) spreads in the order of `KEYS`; those that are NaN are left out.
    """
    strong = intensity_of(spreads, WIDTHS).tolist()
    return {key: value for key, value in zip(KEYS, strong, strict=True) if not math.isnan(value)}


def spreads_by_key(units: Mapping[str, float]) -> Matrix:
    """Return the spreads of units, (K,) in the order of `KEYS`; NaN for units that are not measured.

    Args:
        units: Intensities 0..1 by their keys.
    """
    return spreads_of(np.array([units.get(key, math.nan) for key in KEYS]), WIDTHS)


def _patch(image: Image, points: Floats, face: Frontal) -> NDArray[np.uint8]:
    """Cut out the face's patch; only the part of the image around the face is converted to grey."""
    first, last = points.min(axis=0), points.max(axis=0)
    room = (last - first).max() / 2
    height, width = image.shape[:2]
    (left, top), (right, bottom) = (first - room).tolist(), (last + room).tolist()
    x1, y1 = int(min(max(0, left), width - 2)), int(min(max(0, top), height - 2))
    x2, y2 = int(min(max(x1 + 2, right), width)), int(min(max(y1 + 2, bottom), height))
    near = image[y1:y2, x1:x2]
    grey = near if near.ndim == 2 else np.asarray(cv2.cvtColor(near, cv2.COLOR_BGR2GRAY), np.uint8)
    shifted = face.plane.copy()
    shifted[:, 2] -= (x1, y1)
    return cut_patch(grey, face._replace(plane=shifted))
