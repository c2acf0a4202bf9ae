"""The recent past of each person's action units, against which arousal is measured."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Hashable, Sequence

import numpy as np

from facemood.affect import AROUSAL, AROUSAL_UNITS, PAST_SECONDS, Activations, activations_of, arousal_of
from facemood.schema import Face

STEP = 0.25
"""Seconds of the past that are kept as one sum, so that its memory does not grow with the frame rate."""

SHORTEST = 1e-3
"""Shortest time, in seconds, for which a frame counts, so that the first frame counts too."""


class _PersonPast:
    """The sums of one person's activations times seconds, and of the seconds, in steps."""

    def __init__(self) -> None:
        self.steps: deque[tuple[float, Activations]] = deque()
        self.total: Activations = np.zeros((2, len(AROUSAL_UNITS)))

    def add(self, activations: Activations, clock: float, seconds: float) -> None:
        """Add one frame."""
        known = ~np.isnan(activations)
        counted = np.stack([np.where(known, activations, 0) * seconds, known * seconds])
        if not self.steps or clock - self.steps[-1][0] >= STEP:
            self.steps.append((clock, np.zeros_like(counted)))
        self.steps[-1][1][:] += counted
        self.total = self.total + counted

    def forget(self, before: float) -> None:
        """Forget the steps that began before a time."""
        while self.steps and self.steps[0][0] < before:
            self.total = self.total - self.steps.popleft()[1]

    @property
    def mean(self) -> Activations:
        """Mean activations; NaN for units without a value."""
        sums, seconds = self.total
        return np.asarray(np.where(seconds > SHORTEST / 2, sums / np.maximum(seconds, SHORTEST / 2), np.nan))


class RecentPast:
    """Measures the arousal of the people of one video, camera or screen, frame by frame.

    A person's past is the mean over the frames of the last seconds, this one included; each counts for the time since
    the one before. So the first frame of a person has an arousal of 0.

    Args:
        seconds: Length of the past.

    Example:
        >>> past, box = RecentPast(), np.zeros(4, np.float32)
        >>> still = Face(box, 0.9, action_units=dict.fromkeys(AROUSAL_UNITS, 0.1))
        >>> lively = Face(box, 0.9, action_units=dict.fromkeys(AROUSAL_UNITS, 0.9))
        >>> for second in range(9):
        ...     (face,) = past.update([still], ["p01"], now=float(second), seconds=1.0)
        >>> (now,) = past.update([lively], ["p01"], now=9.0, seconds=1.0)
        >>> round(face.measures["arousal"], 2), round(now.measures["arousal"], 2)
        (0.0, 0.72)
    """

    def __init__(self, seconds: float = PAST_SECONDS) -> None:
        self.seconds: float = seconds
        self._people: dict[Hashable, _PersonPast] = {}
        self._clock = 0.0
        self._last: float | None = None

    def update(self, faces: Sequence[Face], keys: Sequence[Hashable], *, now: float, seconds: float) -> list[Face]:
        """Return the faces of the next frame with their arousal, as far as it can be measured.

        Args:
            faces: The faces.
            keys: Who each of them is; None for nobody in particular.
            now: Time of the frame in seconds. If it goes back, the clock stands still.
            seconds: Time since the last frame, for which this one counts.
        """
        self._clock += 0.0 if self._last is None else max(now - self._last, 0.0)
        self._last = now
        for past in self._people.values():
            past.forget(self._clock - self.seconds)
        self._people = {key: past for key, past in self._people.items() if past.steps}
        return [self._measure(face, key, max(seconds, SHORTEST)) for face, key in zip(faces, keys, strict=True)]

    def _measure(self, face: Face, key: Hashable, seconds: float) -> Face:
        """Return one face with its arousal."""
        if key is None or not face.action_units:
            return face
        activations = activations_of(face.action_units)
        past = self._people.setdefault(key, _PersonPast())
        past.add(activations, self._clock, seconds)
        arousal = arousal_of(activations, past.mean)
        return face if arousal is None else dataclasses.replace(face, measures={**face.measures, AROUSAL: arousal})
