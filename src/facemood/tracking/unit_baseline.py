"""Action-unit baselines: some people have high brows or thin lips, which is not an expression."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable

import numpy as np

from facemood.facs import KEYS
from facemood.schema import Face
from facemood.stages.action_units.estimate import intensities_by_key, spreads_by_key
from facemood.stages.action_units.frontal import Matrix

TRUSTED_SECONDS = 10.0
"""Seconds after which the running mean of a person has half the weight of a full baseline, if no period is given."""

MOST_SPREAD = 1.5
"""Spreads to which the running mean clips each face, so that a long smile does not become the baseline."""


class UnitBaseline:
    """The baseline of each person's action units: from the baseline period, or a running mean.

    Without a baseline period, the mean of all frames so far is used instead. Large movements are clipped in it, and its
    weight grows with the seconds for which the person was visible.

    Args:
        running: A baseline whose running mean is used; None for an own one.

    Example:
        >>> baseline, box = UnitBaseline(), np.zeros(4, np.float32)
        >>> baseline.learn([Face(box, 0.9, action_units={"AU12": 0.4})], [1], seconds=1)
        >>> (later,) = baseline.compare([Face(box, 0.9, action_units={"AU12": 0.4})], [1])
        >>> round(later.action_units["AU12"], 2)  # that of a neutral face
        0.08
    """

    def __init__(self, running: UnitBaseline | None = None) -> None:
        self._known: dict[Hashable, Matrix] = {}
        self._running: dict[Hashable, Matrix] = {} if running is None else running._running

    @property
    def people(self) -> tuple[Hashable, ...]:
        """Who has a baseline from the baseline period."""
        return tuple(self._known)

    def learn(self, faces: Iterable[Face], keys: Iterable[Hashable], *, seconds: float) -> None:
        """Add faces of the baseline period, weighted by their duration in seconds.

        Args:
            faces: The faces.
            keys: Who each of them is; None for nobody in particular.
            seconds: Duration of the frame.
        """
        for face, key in zip(faces, keys, strict=True):
            _add(self._known, face, key, seconds, np.inf)

    def follow(self, faces: Iterable[Face], keys: Iterable[Hashable], *, seconds: float) -> None:
        """Add faces of any other time to the running mean, weighted by their duration in seconds."""
        for face, key in zip(faces, keys, strict=True):
            _add(self._running, face, key, seconds, MOST_SPREAD)

    def compare(self, faces: Iterable[Face], keys: Iterable[Hashable]) -> list[Face]:
        """Return the faces with units relative to the baselines, as far as these are known."""
        return [self._compare(face, key) for face, key in zip(faces, keys, strict=True)]

    def _compare(self, face: Face, key: Hashable) -> Face:
        """Return one face with units relative to the person's baseline."""
        if key is None or not face.action_units:
            return face
        changed = spreads_by_key(face.action_units) - self._baseline_of(key)
        return dataclasses.replace(face, action_units=intensities_by_key(changed))

    def _baseline_of(self, person: Hashable) -> Matrix:
        """Return a person's baseline in spreads, (K,) in the order of `KEYS`; 0 where it is not known."""
        nothing = np.zeros((2, len(KEYS)))
        sums, seconds = self._running.get(person, nothing)
        running = sums / (seconds + TRUSTED_SECONDS)
        sums, seconds = self._known.get(person, nothing)
        return np.asarray(np.where(seconds > 0, sums / np.maximum(seconds, 1e-9), running))


def _add(people: dict[Hashable, Matrix], face: Face, key: Hashable, seconds: float, most: float) -> None:
    """Add a face to its person's sums: of spreads, clipped to `most`, times seconds; and of seconds, (2, K)."""
    if key is None or not face.action_units:
        return
    spreads = spreads_by_key(face.action_units).clip(-most, most)
    known = ~np.isnan(spreads)
    counted = np.stack([np.where(known, spreads, 0) * seconds, known * seconds])
    people[key] = people.get(key, 0) + counted
