"""Units against a person's own rest: some brows are high and some lips are thin, and that is no expression."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np

from facemood.facs import KEYS
from facemood.schema import Face
from facemood.stages.action_units.estimate import intensity_of, spreads_of
from facemood.stages.action_units.frontal import Matrix

TRUSTED = 10.0
"""Seconds after which half of what was seen of a person counts as their rest, as long as nobody says when they rest."""

USUAL = 1.5
"""Spreads within which a face may be at rest: more or less counts as that much, so that a long smile is no rest."""


class UnitBaseline:
    """What the units of each person measure at rest: from seconds in which they are known to rest, or as it runs.

    Without such seconds, the mean of what was seen by now stands for it, in which large movements are held back, and it
    counts for the more the longer a person was seen.

    Example:
        >>> rest, box = UnitBaseline(), np.zeros(4, np.float32)
        >>> rest.learn([Face(box, 0.9, track_id=1, action_units={"AU12": 0.4})], seconds=1)
        >>> (later,) = rest.compare([Face(box, 0.9, track_id=1, action_units={"AU12": 0.4})])
        >>> round(later.action_units["AU12"], 3) == round(float(intensity_of(0.0)), 3)
        True
    """

    def __init__(self) -> None:
        self._resting: dict[int, Matrix] = {}
        self._running: dict[int, Matrix] = {}

    @property
    def people(self) -> tuple[int, ...]:
        """The persons who were seen at rest, by `Face.track_id`."""
        return tuple(sorted(self._resting))

    def learn(self, faces: Iterable[Face], *, seconds: float) -> None:
        """Count faces of people who are at rest; each stands for some seconds."""
        for face in faces:
            _add(self._resting, face, seconds, np.inf)

    def follow(self, faces: Iterable[Face], *, seconds: float) -> None:
        """Count faces of people of whom nobody knows whether they are at rest."""
        for face in faces:
            _add(self._running, face, seconds, USUAL)

    def compare(self, faces: Iterable[Face]) -> list[Face]:
        """Return the faces with units that are told against their people's rest, as far as it is known."""
        return [self._compare(face) for face in faces]

    def _compare(self, face: Face) -> Face:
        """Tell one face's units against its person's rest."""
        if face.track_id is None or not face.action_units:
            return face
        spreads = _row(face.action_units)
        strong = intensity_of(spreads - self._rest(face.track_id))
        told = zip(KEYS, np.isnan(spreads).tolist(), strong.tolist(), strict=True)
        return dataclasses.replace(face, action_units={key: value for key, missing, value in told if not missing})

    def _rest(self, person: int) -> Matrix:
        """Return the spreads that a person has at rest, (K,) in the order of `KEYS`; 0 where that is not known."""
        nothing = np.zeros((2, len(KEYS)))
        sums, seconds = self._running.get(person, nothing)
        guessed = sums / (seconds + TRUSTED)
        sums, seconds = self._resting.get(person, nothing)
        return np.asarray(np.where(seconds > 0, sums / np.maximum(seconds, 1e-9), guessed))


def _add(people: dict[int, Matrix], face: Face, seconds: float, most: float) -> None:
    """Count a face: its person's sums of spreads, held within some, and the seconds that they stand for, (2, K)."""
    if face.track_id is None or not face.action_units:
        return
    spreads = _row(face.action_units).clip(-most, most)
    known = ~np.isnan(spreads)
    counted = np.stack([np.where(known, spreads, 0) * seconds, known * seconds])
    people[face.track_id] = people.get(face.track_id, 0) + counted


def _row(units: Mapping[str, float]) -> Matrix:
    """Return the spreads of a face's units, (K,) in the order of `KEYS`; not a number where one is not told."""
    return spreads_of(np.array([units.get(key, np.nan) for key in KEYS]))
