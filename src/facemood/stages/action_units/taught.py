"""What `scripts/teach_action_units.py` learned from training faces: the measures of neutral faces, and weights."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from facemood.facs import LEARNED, UNITS
from facemood.geometry import Floats
from facemood.stages.action_units.frontal import Matrix

NEUTRAL = "neutral.csv"
"""File of the measures of neutral faces, by unit and way."""

WEIGHTS = "weights.npz"
"""File of the weights of the learned units and of the classifier of covered faces."""

STORED = ("units", "usual", "cover", "bias")
"""Names of the arrays in that file."""

MAX_DEVIATION = 4.0
"""Spreads to which deviations from the usual features are clipped, so that outliers do not dominate."""

PARTS = ("upper", "lower")
"""The parts of a face that may be covered."""

SCALE = 8.0
"""Factor of the coordinates among the features, so that they vary about as much as the texture."""


class Neutral(NamedTuple):
    """The measures of neutral faces, in the order of `UNITS`.

    Attributes:
        slopes: (5, U) what is expected of a head: constant, pitch, its square, yaw, its square; in units of 30 degrees.
        spread: (U,) the standard deviation about that of both sides' mean.
        side_spread: (U,) that of one side.
    """

    slopes: Matrix
    spread: Matrix
    side_spread: Matrix


class Weights(NamedTuple):
    """What is learned.

    Attributes:
        units: (U, D) of each feature for each unit; rows of zeros for units that are not learned.
        usual: (2, D) what features are usually, and how far they spread.
        cover: (2, 2D) what counts for `PARTS` that are covered, of `unusual`.
        bias: (2,) what is added for those.
    """

    units: Matrix
    usual: Matrix
    cover: Matrix
    bias: Matrix


def features_of(halves: Matrix, texture: Matrix) -> Matrix:
    """Return the features of the models: (2, D) float64, of the subject's right half and the mirrored left one.

    Args:
        halves: (2, 68, 2) pose-free shapes.
        texture: (2, rows, columns, channels), as `texture_of` gives it.
    """
    return np.concatenate([halves.reshape(2, -1) * SCALE, texture.reshape(2, -1)], axis=1)


def unusual(features: Matrix, usual: Matrix) -> Matrix:
    """Return by how many spreads features differ from the usual, (..., 2D): with their sign, and squared.

    Args:
        features: (..., D) the mean of both halves.
        usual: (2, D) mean and spread.
    """
    spreads = np.clip((features - usual[0]) / usual[1], -MAX_DEVIATION, MAX_DEVIATION)
    return np.concatenate([spreads, spreads**2], axis=-1)


def heads(pose: Floats) -> Matrix:
    """Return what a measure may hang on of a head, for `Neutral.slopes`: (2, 5), of the right half and the left one.

    Args:
        pose: (3,) yaw, pitch and roll in degrees.
    """
    yaw, pitch = float(pose[0]) / 30, float(pose[1]) / 30
    return np.array([[1, pitch, pitch**2, side * yaw, yaw**2] for side in (1, -1)])


@functools.cache
def neutral_faces(way: str = "") -> Neutral:
    """Return the measures of neutral faces.

    Args:
        way: `facs.POINTS` for all units by points alone; empty for each unit in the way in which it is read.
    """
    table = Path(__file__).with_name(NEUTRAL)
    lines = [line.split(",") for line in table.read_text(encoding="utf-8").splitlines()[1:]]
    known = {(code, by): np.array(numbers, np.float64) for code, by, *numbers in lines}
    rows = [known[unit.code, way or unit.way] for unit in UNITS]
    columns = np.stack(rows, axis=1)  # (7, U)
    columns.setflags(write=False)
    return Neutral(columns[:5], columns[5], columns[6])


@functools.cache
def weights() -> Weights:
    """Return what was learned."""
    with np.load(Path(__file__).with_name(WEIGHTS)) as archive:
        learned, usual, cover, bias = (archive[name].astype(np.float64) for name in STORED)
    units = np.zeros((len(UNITS), learned.shape[1]))
    units[[unit.way == LEARNED for unit in UNITS]] = learned
    for array in (units, usual, cover, bias):
        array.setflags(write=False)
    return Weights(units, usual, cover, bias)
