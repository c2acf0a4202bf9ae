"""Expression baselines: neutral faces are predicted differently, so each person is compared with their own baseline."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import NDArray

from facemood.geometry import Floats
from facemood.schema import Face

FLOOR = 1e-3
"""Probabilities are clipped to this distance from 0 and 1: log-odds stay within 6.9, and tiny ones do not count as
changes."""


class ExpressionBaseline:
    """The mean log-odds of each person during the baseline period.

    Example:
        >>> baseline, box = ExpressionBaseline(), np.zeros(4, np.float32)
        >>> who = {"labels": ("sad", "neutral"), "track_id": 1}
        >>> baseline.add([Face(box, 1.0, probabilities=np.array([0.5, 0.5]), **who)], [1])
        >>> later = Face(box, 1.0, probabilities=np.array([0.8, 0.2]), **who)
        >>> np.round(baseline.compare([later], [1])[0].change.astype(float), 2).tolist()
        [1.39, -1.39]
    """

    def __init__(self) -> None:
        self._sums: dict[Hashable, NDArray[np.float64]] = {}
        self._counts: dict[Hashable, int] = {}

    @property
    def people(self) -> tuple[Hashable, ...]:
        """Who has a baseline."""
        return tuple(self._sums)

    def add(self, faces: Iterable[Face], keys: Iterable[Hashable]) -> None:
        """Add the faces of one more frame of the baseline period.

        Args:
            faces: The faces.
            keys: Who each of them is; None for nobody in particular.
        """
        for face, key in zip(faces, keys, strict=True):
            if key is None or not face.labels:
                continue
            self._sums[key] = self._sums.get(key, 0.0) + log_odds(face.probabilities)
            self._counts[key] = self._counts.get(key, 0) + 1

    def compare(self, faces: Iterable[Face], keys: Iterable[Hashable]) -> list[Face]:
        """Return the faces with `Face.change`; faces without a baseline stay as they are."""
        return [self._compare(face, key) for face, key in zip(faces, keys, strict=True)]

    def _compare(self, face: Face, key: Hashable) -> Face:
        """Return one face with its change: log-odds now minus the mean log-odds of the baseline."""
        if key is None or key not in self._sums or not face.labels:
            return face
        baseline = self._sums[key] / self._counts[key]
        return dataclasses.replace(face, change=(log_odds(face.probabilities) - baseline).astype(np.float32))


def log_odds(probabilities: Floats) -> NDArray[np.float64]:
    """Return log(p / (1 - p)) of each probability, clipped to `FLOOR` and 1 - `FLOOR`.

    Args:
        probabilities: (K,), 0..1.

    Returns:
        (K,) float64, within about -6.9..6.9.
    """
    clipped = np.clip(np.asarray(probabilities, np.float64), FLOOR, 1 - FLOOR)
    return np.asarray(np.log(clipped) - np.log1p(-clipped), np.float64)
