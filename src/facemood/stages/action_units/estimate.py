"""Read the action units of a face, and tell where they cannot be read."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
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
from facemood.stages.action_units.texture import cut_patch, openness_of, texture_of
from facemood.stages.landmarks import landmarks_of

MOST_YAW, MOST_PITCH = 35.0, 30.0
"""Degrees from which on a face is turned away: half of it is hidden, and what is read of it is guessed."""

LEAST_SCORE = 0.6
"""A face of a lower score may be none, or covered."""

LEAST_EYES = 10.0
"""Pixels from one outer eye corner to the other, below which nothing can be told of lids and lips."""

MOST_OUTSIDE = 0.1
"""The share of brows, eyes, nose and lips that may lie outside of the picture."""

COVERED = 0.5
"""From this probability on a part of a face is taken to be covered, and its units are not told."""

HALF, SLOPE = 1.5, 0.6
"""Spreads of faces at rest above their mean at which an intensity is one half, and the width of the change about it."""

TAUGHT, SEEN = (np.array([unit.way == way for unit in UNITS]) for way in (LEARNED, PIXELS))

LEAST_OPEN = 0.02
"""Eyes that look less open count as so much, so that there is a logarithm."""


class Reading(NamedTuple):
    """What is read of a face.

    Attributes:
        units: Intensities 0..1 by the keys of `facemood.facs.KEYS`.
        openness: How open the subject's right and left eye look; None where that is not known.
    """

    units: dict[str, float]
    openness: tuple[float, float] | None


NOTHING = Reading({}, None)


def with_units(image: Image, faces: Sequence[Face]) -> list[Face]:
    """Return the faces of a picture with their `Face.action_units` and `Face.openness`.

    Args:
        image: (H, W, 3) uint8 BGR.
        faces: Its faces, with points and pose where these are known.
    """
    readings = [read_units(image, face) for face in faces]
    return [
        dataclasses.replace(face, action_units=read.units, openness=read.openness)
        for face, read in zip(faces, readings, strict=True)
    ]


def read_units(image: Image, face: Face) -> Reading:
    """Read how far each action unit is active.

    Args:
        image: The picture, (H, W, 3) uint8 BGR or (H, W) grey.
        face: One of its faces.

    Returns:
        Intensities, about 0.1 for a face at rest. None at all where the face has no points, is turned aside by more
        than `MOST_YAW` or up or down by more than `MOST_PITCH` degrees, is too small or too little sure, or reaches out
        of the picture; where its eyes or its mouth are covered, none of the units there.

    Example:
        >>> nothing, unmarked = np.zeros((90, 120, 3), np.uint8), Face(np.float32([10, 20, 50, 60]), score=0.9)
        >>> read_units(nothing, unmarked)
        Reading(units={}, openness=None)
    """
    points = landmarks_of(face)
    if points is None or face.pose is None or not is_readable(points, face, (image.shape[1], image.shape[0])):
        return NOTHING
    seen = frontal(points, face.pose)
    return read_patch(_patch(image, points, seen), seen, face.pose)


def is_covered(image: Image, face: Face) -> bool:
    """Tell whether the eyes or the mouth of a face are covered; False where that cannot be judged, as in `read_units`.

    Args:
        image: The picture, (H, W, 3) uint8 BGR or (H, W) grey.
        face: One of its faces. Its `Face.action_units` are believed; where it has none they are read.
    """
    points = landmarks_of(face)
    if points is None or not is_readable(points, face, (image.shape[1], image.shape[0])):
        return False
    return len(face.action_units or read_units(image, face).units) < len(KEYS)


def read_patch(patch: NDArray[np.uint8], seen: Frontal, pose: Floats) -> Reading:
    """Read a face that is cut out and freed of its pose.

    Args:
        patch: (PATCH, PATCH) uint8, as `cut_patch` cuts it.
        seen: The face.
        pose: (3,) yaw, pitch and roll in degrees.
    """
    features, openness = features_of(seen.halves, texture_of(patch)), openness_of(patch, seen)
    measured = measure_points(seen.halves)
    measured[:, TAUGHT] = (features @ weights().units.T)[:, TAUGHT]
    measured[:, SEEN] = closing_of(openness)
    hidden = covered_parts(features)
    return Reading(told(measured, pose, neutral_faces(), hidden=hidden), None if "upper" in hidden else openness)


def closing_of(openness: tuple[float, float]) -> Matrix:
    """Return what is measured of closed eyes, (2, 1): the logarithm of how open they look, with the other sign."""
    return np.asarray(-np.log(np.maximum(np.array(openness)[:, None], LEAST_OPEN)))


def is_readable(points: Floats, face: Face, size: tuple[int, int]) -> bool:
    """Tell whether so much of a face is seen that its units can be read.

    Args:
        points: (68, 2) its points, in pixels.
        face: The face, with its pose.
        size: Width and height of the picture.
    """
    if face.pose is None or face.score < LEAST_SCORE:
        return False
    yaw, pitch = abs(face.pose[:2]).tolist()
    inner = points[17:]
    outside = float(((inner < 0) | (inner > np.array(size) - 1)).any(axis=1).mean())
    large = math.dist(points[36].tolist(), points[45].tolist()) >= LEAST_EYES
    return yaw <= MOST_YAW and pitch <= MOST_PITCH and large and outside <= MOST_OUTSIDE


def covered_parts(features: Matrix) -> set[str]:
    """Say which of `PARTS` are covered, by features (2, D)."""
    known = weights()
    odds = unusual(features.mean(axis=0), known.usual) @ known.cover.T + known.bias
    return {part for part, odd in zip(PARTS, odds.tolist(), strict=True) if odd >= np.log(COVERED / (1 - COVERED))}


def told(measured: Matrix, pose: Floats, neutral: Neutral, *, hidden: set[str]) -> dict[str, float]:
    """Return intensities by their keys.

    Args:
        measured: (2, U) of the subject's right side and the left one.
        pose: (3,) yaw, pitch and roll in degrees.
        neutral: How faces at rest measure.
        hidden: Parts of the face whose units are left out.
    """
    above = measured - heads(pose) @ neutral.slopes
    both, sides = above.mean(axis=0) / neutral.spread, above / neutral.side_spread
    strong = intensity_of(np.concatenate([both[None], sides])).T  # (U, 3)
    return {
        key: value
        for unit, values in zip(UNITS, strong.tolist(), strict=True)
        if unit.part not in hidden
        for key, value in zip(unit.keys, values, strict=False)
    }


def intensity_of(spreads: Matrix | float) -> Matrix:
    """Turn spreads above the mean of faces at rest into intensities 0..1.

    Example:
        >>> intensity_of(np.array([0, HALF, 3])).round(2).tolist()
        [0.08, 0.5, 0.92]
    """
    return np.asarray(0.5 + 0.5 * np.tanh((np.asarray(spreads) - HALF) / (2 * SLOPE)))  # the logistic function


def spreads_of(strong: Matrix) -> Matrix:
    """Turn intensities 0..1 back into spreads above the mean of faces at rest, held within 12 of `HALF`.

    Example:
        >>> spreads_of(np.array([0.5, 1])).round(1).tolist()
        [1.5, 13.5]
    """
    held = np.clip(strong, 2e-9, 1 - 2e-9)
    return np.asarray(HALF + SLOPE * np.log(held / (1 - held)))


def _patch(image: Image, points: Floats, seen: Frontal) -> NDArray[np.uint8]:
    """Cut the face's patch; only its surroundings are turned grey."""
    first, last = points.min(axis=0), points.max(axis=0)
    room = (last - first).max() / 2
    height, width = image.shape[:2]
    x1, y1 = np.clip(first - room, 0, (width - 2, height - 2)).astype(int).tolist()
    x2, y2 = np.clip(last + room, (x1 + 2, y1 + 2), (width, height)).astype(int).tolist()
    near = image[y1:y2, x1:x2]
    grey = near if near.ndim == 2 else np.asarray(cv2.cvtColor(near, cv2.COLOR_BGR2GRAY), np.uint8)
    shifted = seen.plane - np.array([[0, 0, x1], [0, 0, y1]])
    return cut_patch(grey, seen._replace(plane=shifted))
