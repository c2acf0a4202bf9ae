"""Smooth each person's probabilities over time but keep onsets sharp; the display label has hysteresis."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facemood.defaults import SMOOTH
from facemood.errors import OptionError
from facemood.schema import Face

FAST_SECONDS = 0.05
"""Time constant, in seconds, of the fast average, which distinguishes a change from a single flicker."""

NOISE_BELOW = 0.12
"""Total variation, 0..1, between the fast and the smoothed average up to which the difference counts as noise."""

CHANGE_FROM = 0.22
"""Total variation, 0..1, from which it counts as a change, and the smoothed average follows as fast as the fast one."""

MIN_PROBABILITY = 1e-4
"""Probabilities are raised to this, so that their logarithms are finite and tiny ones do not count as changes."""

FORGET_SECONDS = 5.0
"""Seconds after which the state of a person who is not visible is dropped."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SmoothOptions:
    """How probabilities are smoothed, and when the display label changes.

    Attributes:
        seconds: Time constant, in seconds, while little changes; 0 smooths nothing.
        margin: How far another label must lead the display label, in probability 0..1.
        quick: Seconds after which a label that leads by 1 replaces it. A smaller lead takes longer, in proportion to
            how far it exceeds the margin.
        hold: Longest time, in seconds, for which the display label stays while the smoothed probability of another one
            leads it by the margin.

    Raises:
        OptionError: An option is out of its range.

    Example:
        >>> SmoothOptions(seconds=0).margin
        0.1
    """

    seconds: float = SMOOTH
    margin: float = 0.1
    quick: float = 0.21
    hold: float = 0.75

    def __post_init__(self) -> None:
        if not (self.seconds >= 0 and 0 <= self.margin <= 1 and self.quick >= 0 and self.hold >= 0):
            raise OptionError(
                "expected seconds >= 0, margin 0..1, quick >= 0 and hold >= 0, but got "
                f"{self.seconds}, {self.margin}, {self.quick} and {self.hold}"
            )


@dataclasses.dataclass(slots=True)
class SmoothState:
    """What the smoother remembers of a person.

    Attributes:
        labels: The labels of the probabilities.
        smoothed: (K,) float64, smoothed log-probabilities.
        fast: (K,) float64, the fast average of log-probabilities.
        displayed: Index of the display label.
        evidence: (K,) float64, how far each label led it in the frames beyond the margin, times seconds; 0 or more.
        behind: Seconds for which another label has led it by the margin, smoothed.
        last_seen: When the person was last visible, in seconds of that clock.
    """

    labels: tuple[str, ...]
    smoothed: NDArray[np.float64]
    fast: NDArray[np.float64]
    displayed: int
    evidence: NDArray[np.float64]
    behind: float
    last_seen: float


class Smoother:
    """Smooths the expressions of one source's people, frame by frame.

    Log-probabilities are averaged exponentially, with two time constants. If the smoothed average and the fast one
    differ clearly, the expression has changed, and the smoothed one follows as fast; otherwise the difference is noise,
    and the usual time constant holds. As in the one-euro filter, the rate rises with the speed of change (Casiez,
    Roussel & Vogel 2012). All constants are in seconds, and a prediction counts for the time since the last one, so
    results hardly depend on the frame rate. At few frames a second a single prediction has a large weight.

    The display label has a hysteresis, decided in seconds too: the leads of another label, frame by frame and beyond a
    margin, are summed over time, and a large sum changes it (CUSUM, Page 1954). So a clear change is shown soon, a
    doubtful one later, and a flicker never. It also changes if another label leads the smoothed probabilities by the
    margin for `SmoothOptions.hold`. A frame counts for the time since the last one: of sparse frames, each counts.

    `Face.certain` speaks of the display label and of the most probable one: it is False if the frame's own prediction,
    the smoothed one and the display label are not the same.

    Args:
        options: How probabilities are smoothed.

    Example:
        >>> smoother, box = Smoother(), np.zeros(4, np.float32)
        >>> def predicted(*values: float) -> Face:
        ...     probabilities = np.array(values, np.float32)
        ...     return Face(box, 0.9, labels=("happy", "sad"), probabilities=probabilities, track_id=1)
        >>> for time in (0.0, 0.03, 0.06):
        ...     (face,) = smoother.update([predicted(0.9, 0.1)], time)
        >>> (face,) = smoother.update([predicted(0.2, 0.8)], 0.09)  # one frame
        >>> face.display_label, face.emotion, face.raw_probabilities.round(1)
        ('happy', 'happy', array([0.2, 0.8], dtype=float32))
    """

    def __init__(self, options: SmoothOptions | None = None) -> None:
        self.options: SmoothOptions = options or SmoothOptions()
        self._states: dict[int, SmoothState] = {}
        self._clock = 0.0
        self._last: float | None = None

    def update(self, faces: Sequence[Face], timestamp: float) -> list[Face]:
        """Smooth the predictions of the next frame.

        Args:
            faces: Faces with `track_id`, each person once; those without probabilities stay as they are.
            timestamp: Seconds since the source began. If it goes back, the clock stands still.

        Returns:
            The same faces in the same order, with smoothed `probabilities`, this frame's `raw_probabilities`, and a
            `display_label`.

        Raises:
            ValueError: A face has no `track_id`.
        """
        passed = 0.0 if self._last is None else max(timestamp - self._last, 0.0)
        self._clock, self._last = self._clock + passed, timestamp
        self._states = {
            key: state for key, state in self._states.items() if self._clock - state.last_seen <= FORGET_SECONDS
        }
        return [self._smooth(face) if face.labels else face for face in faces]

    def _smooth(self, face: Face) -> Face:
        """Smooth one face's prediction."""
        if face.track_id is None:
            raise ValueError("only faces with a track_id can be smoothed, but one has none; run the Tracker first")
        raw = face.probabilities
        logs = np.log(np.maximum(raw.astype(np.float64), MIN_PROBABILITY))
        state = self._states.get(face.track_id)
        if state is None or state.labels != face.labels:
            first = int(raw.argmax())
            state = SmoothState(face.labels, logs, logs, first, np.zeros(len(raw)), 0.0, self._clock)
            self._states[face.track_id] = state
        passed, state.last_seen = self._clock - state.last_seen, self._clock
        self._follow(state, logs, passed)
        smoothed = _normalize(state.smoothed).astype(np.float32) if self.options.seconds > 0 else raw
        self._choose(state, smoothed, raw, passed)
        return dataclasses.replace(
            face,
            probabilities=smoothed,
            raw_probabilities=raw,
            display_label=face.labels[state.displayed],
            certain=face.certain and int(raw.argmax()) == int(smoothed.argmax()) == state.displayed,
        )

    def _follow(self, state: SmoothState, logs: NDArray[np.float64], passed: float) -> None:
        """Update a person's averages, `passed` seconds after their last frame."""
        if passed == 0 or self.options.seconds == 0:
            return
        state.fast = state.fast + (1 - np.exp(-passed / FAST_SECONDS)) * (logs - state.fast)
        differ = float(np.abs(_normalize(state.fast) - _normalize(state.smoothed)).sum()) / 2
        change = min(max((differ - NOISE_BELOW) / (CHANGE_FROM - NOISE_BELOW), 0.0), 1.0)
        rate = (1 - change) / self.options.seconds + change / min(FAST_SECONDS, self.options.seconds)
        state.smoothed = state.smoothed + (1 - np.exp(-passed * rate)) * (logs - state.smoothed)

    def _choose(
        self, state: SmoothState, smoothed: NDArray[np.float32], raw: NDArray[np.float32], passed: float
    ) -> None:
        """Change the display label if another one leads the smoothed probabilities, and has led for long enough."""
        leads = (raw - raw[state.displayed]).astype(np.float64)
        state.evidence = np.maximum(state.evidence + passed * (leads - self.options.margin), 0.0)
        best = int(smoothed.argmax())
        if smoothed[best] - smoothed[state.displayed] < max(self.options.margin, np.finfo(np.float32).tiny):
            state.behind = 0.0
            return
        state.behind += passed
        if state.evidence[best] > self.options.quick * (1 - self.options.margin) or state.behind > self.options.hold:
            state.displayed, state.behind = best, 0.0
            state.evidence = np.zeros(len(raw))


def _normalize(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn (K,) log-probabilities, known up to a constant, into probabilities that sum to 1."""
    powers = np.exp(logs)
    return np.asarray(powers / powers.sum(), np.float64)
