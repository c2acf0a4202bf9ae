"""Expression baselines: neutral faces are predicted differently, so each person is compared with their own baseline."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

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
        >>> baseline.add([Face(box, 1.0, probabilities=np.array([0.5, 0.5]), **who)])
        >>> later = Face(box, 1.0, probabilities=np.array([0.8, 0.2]), **who)
        >>> np.round(baseline.compare([later])[0].change.astype(float), 2).tolist()
        [1.39, -1.39]
    """

    def __init__(self) -> None:
        self._sums: dict[int, NDArray[np.float64]] = {}
        self._counts: dict[int, int] = {}

    @property
    def people(self) -> tuple[int, ...]:
        """Track IDs that have a baseline."""
        return tuple(sorted(self._sums))

    def add(self, faces: Iterable[Face]) -> None:
        """Add the faces of one more frame of the baseline period."""
        for face in faces:
            if face.track_id is None or not face.labels:
                continue
            self._sums[face.track_id] = self._sums.get(face.track_id, 0.0) + log_odds(face.probabilities)
            self._counts[face.track_id] = self._counts.get(face.track_id, 0) + 1

    def compare(self, faces: Iterable[Face]) -> list[Face]:
        """Return the faces with `Face.change`; faces without a baseline stay as they are."""
        return [self._compare(face) for face in faces]

    def _compare(self, face: Face) -> Face:
        """Return one face with its change: log-odds now minus the mean log-odds of the baseline."""
        if face.track_id is None or face.track_id not in self._sums or not face.labels:
            return face
        baseline = self._sums[face.track_id] / self._counts[face.track_id]
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
