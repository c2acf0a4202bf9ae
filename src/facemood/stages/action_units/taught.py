"""Trained parameters of the action units, from `scripts/teach_action_units.py`: neutral faces, and model weights."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from facemood.array_files import read_arrays
from facemood.errors import ModelError
from facemood.facs import LEARNED, UNITS
from facemood.geometry import Floats
from facemood.stages.action_units.frontal import Matrix

NEUTRAL = "neutral.csv"
"""File of the measures of neutral faces, by unit and kind of measure."""

WEIGHTS = "weights.npz"
"""File of the weights of the learned units and of the classifier of covered faces."""

STORED = ("units", "usual", "cover", "bias")
"""Names of the arrays in the file of weights."""

MAX_DEVIATION = 4.0
"""Standard deviations to which deviations from the mean features are clipped, so that outliers do not dominate."""

PARTS = ("upper", "lower")
"""The parts of a face that may be covered."""

SCALE = 8.0
"""Factor of the coordinates in the features, so that they vary about as much as the texture."""


class Neutral(NamedTuple):
    """The measures of neutral faces, in the order of `UNITS`.

    Attributes:
        slopes: (5, U) coefficients of the expected measure by pose: constant, pitch, pitch squared, yaw, yaw squared,
            with angles in units of 30 degrees.
        spread: (U,) standard deviation of the mean of both sides around it.
        side_spread: (U,) standard deviation of one side.
    """

    slopes: Matrix
    spread: Matrix
    side_spread: Matrix


class Weights(NamedTuple):
    """Weights of the linear models.

    Attributes:
        units: (U, D) weight of each feature for each unit; rows of zeros for units that are not learned.
        usual: (2, D) mean and standard deviation of each feature.
        cover: (2, 2D) weights of the classifier of covered `PARTS`, for the output of `unusual`.
        bias: (2,) biases of that classifier.
    """

    units: Matrix
    usual: Matrix
    cover: Matrix
    bias: Matrix


def features_of(halves: Matrix, texture: Matrix) -> Matrix:
    """Return the features of the models: (2, D) float64, of the subject's right half and the mirrored left half.

    Args:
        halves: (2, 68, 2) frontalized shapes.
        texture: (2, rows, columns, channels), as `texture_of` returns it.
    """
    return np.concatenate([halves.reshape(2, -1) * SCALE, texture.reshape(2, -1)], axis=1)


def unusual(features: Matrix, usual: Matrix) -> Matrix:
    """Return the deviations of features from their mean in standard deviations, and their squares: (..., 2D).

    Args:
        features: (..., D) means of both halves.
        usual: (2, D) mean and standard deviation.
    """
    spreads = np.clip((features - usual[0]) / usual[1], -MAX_DEVIATION, MAX_DEVIATION)
    return np.concatenate([spreads, spreads**2], axis=-1)


def heads(pose: Floats) -> Matrix:
    """Return the pose terms of `Neutral.slopes` for the right half and the left half: (2, 5).

    Args:
        pose: (3,) yaw, pitch and roll in degrees.
    """
    yaw, pitch = float(pose[0]) / 30, float(pose[1]) / 30
    return np.array([[1, pitch, pitch**2, side * yaw, yaw**2] for side in (1, -1)])


@functools.cache
def neutral_faces(way: str = "") -> Neutral:
    """Return the measures of neutral faces.

    Args:
        way: `facs.POINTS` for all units by landmarks alone; empty for each unit as `ActionUnit.way` says.
    """
    table = Path(__file__).with_name(NEUTRAL)
    try:
        lines = [line.split(",") for line in table.read_text(encoding="utf-8").splitlines()[1:]]
        known = {(code, by): np.array(numbers, np.float64) for code, by, *numbers in lines}
        columns = np.stack([known[unit.code, way or unit.way] for unit in UNITS], axis=1).reshape(7, -1)  # (7, U)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{table}: is damaged ({error}); install facemood again") from error
    columns.setflags(write=False)
    return Neutral(columns[:5], columns[5], columns[6])


@functools.cache
def weights() -> Weights:
    """Return the trained weights.

    Raises:
        ModelError: The package's file of weights is damaged.
    """
    file = Path(__file__).with_name(WEIGHTS)
    try:
        archive = read_arrays(file, needed=STORED)
    except (OSError, ValueError) as error:
        raise ModelError(f"{file}: is damaged ({error}); install facemood again") from error
    learned, usual, cover, bias = (archive[name].astype(np.float64) for name in STORED)
    units = np.zeros((len(UNITS), learned.shape[1]))
    units[[unit.way == LEARNED for unit in UNITS]] = learned
    for array in (units, usual, cover, bias):
        array.setflags(write=False)
    return Weights(units, usual, cover, bias)
