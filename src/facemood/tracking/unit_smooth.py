"""Smooth each person's action units over time, but keep onsets sharp; a unit that is briefly hidden keeps its value."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facemood.defaults import SMOOTH
from facemood.facs import KEYS
from facemood.schema import Face
from facemood.stages.action_units.estimate import intensities_by_key, spreads_by_key
from facemood.tracking.smooth import FAST_SECONDS

NOISE_BELOW = 0.4
"""Spreads between the fast and the smoothed average up to which the difference counts as noise. It was chosen on two
clips, in which `scripts/measure_action_units.py` counts activations that are too short to be real."""

CHANGE_FROM = 0.8
"""Spreads from which it counts as a change, and the smoothed average follows as fast as the fast one."""

HOLD = 0.3
"""Seconds for which a unit that is not measured keeps its value: the classifier of covered faces flickers, and a hand
before the mouth stays for longer."""

UNSMOOTHED = np.array([key.startswith("AU43") for key in KEYS])
"""(U,) bool, which units are not smoothed: a blink is as short as noise."""

Spreads = NDArray[np.float64]
"""(U,) float64 spreads in the order of `KEYS`; NaN if unknown."""


class _UnitState:
    """What is remembered of a person.

    Attributes:
        smoothed: The smoothed average.
        fast: The fast average.
        seen: When each unit was last measured, in seconds of the clock; (U,) float64.
        last_seen: When the person was last visible.
    """

    def __init__(self, clock: float) -> None:
        self.smoothed: Spreads = np.full(len(KEYS), np.nan)
        self.fast: Spreads = np.full(len(KEYS), np.nan)
        self.seen: Spreads = np.full(len(KEYS), -np.inf)
        self.last_seen: float = clock


class UnitSmoother:
    """Smooths the action units of one source's people, frame by frame.

    It works as `Smoother` does for probabilities: an exponential average, which follows as fast as a fast one where the
    two differ clearly. It works in spreads, before the comparison with the person's baseline. Constants are in seconds,
    so results hardly depend on the frame rate.

    Args:
        seconds: Time constant while little changes; 0 smooths nothing, and holds nothing.

    Example:
        >>> smoother, box = UnitSmoother(), np.zeros(4, np.float32)
        >>> for place, value in enumerate((0.5, 0.6, 0.4, 0.5, 0.6)):
        ...     face = Face(box, 0.9, track_id=1, action_units={"AU04": value})
        ...     (smoothed,) = smoother.update([face], place / 25)
        >>> round(smoothed.action_units["AU04"], 2)
        0.51
    """

    def __init__(self, seconds: float = SMOOTH) -> None:
        self.seconds: float = seconds
        self._states: dict[int, _UnitState] = {}
        self._clock = 0.0
        self._last: float | None = None

    def update(self, faces: Sequence[Face], timestamp: float) -> list[Face]:
        """Smooth the action units of the next frame.

        Args:
            faces: Faces, each person once; those without `track_id` stay as they are.
            timestamp: Seconds since the source began. If it goes back, the clock stands still.

        Returns:
            The same faces in the same order.
        """
        self._clock += 0.0 if self._last is None else max(timestamp - self._last, 0.0)
        self._last = timestamp
        if self.seconds == 0:
            return list(faces)
        self._states = {key: one for key, one in self._states.items() if self._clock - one.last_seen <= HOLD}
        return [self._smooth(face) for face in faces]

    def _smooth(self, face: Face) -> Face:
        """Smooth one face's units."""
        state = None if face.track_id is None else self._states.get(face.track_id)
        if face.track_id is None or (state is None and not face.action_units):
            return face
        state = self._states.setdefault(face.track_id, state or _UnitState(self._clock))
        self._follow(state, spreads_by_key(face.action_units), self._clock - state.last_seen)
        state.last_seen = self._clock
        shown = np.where(self._clock - state.seen <= HOLD, state.smoothed, np.nan)
        return dataclasses.replace(face, action_units=intensities_by_key(shown))

    def _follow(self, state: _UnitState, now: Spreads, passed: float) -> None:
        """Update a person's averages, `passed` seconds after their last frame."""
        known = ~np.isnan(now)
        new = known & (UNSMOOTHED | (self._clock - state.seen > HOLD))
        fast_seconds = min(FAST_SECONDS, self.seconds)
        fast = state.fast + (1 - np.exp(-passed / fast_seconds)) * (now - state.fast)
        differ = np.abs(fast - state.smoothed)
        change = np.clip((differ - NOISE_BELOW) / (CHANGE_FROM - NOISE_BELOW), 0, 1)
        rate = (1 - change) / self.seconds + change / fast_seconds
        smoothed = state.smoothed + (1 - np.exp(-passed * rate)) * (now - state.smoothed)
        state.fast = np.where(new, now, np.where(known, fast, state.fast))
        state.smoothed = np.where(new, now, np.where(known, smoothed, state.smoothed))
        state.seen = np.where(known, self._clock, state.seen)
