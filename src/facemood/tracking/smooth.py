"""Smooth each person's expressions over time so that onsets are kept, and let the shown label not flicker."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facemood.schema import Face

QUICK = 0.05
"""Seconds of the quick average, which tells a change from a flicker."""

AGREE, DIFFER = 0.15, 0.3
"""Where the quick average and the smoothed one differ by less than the first, as a total variation 0..1, the usual time
constant holds; from the second on, the smoothed one follows as fast as the quick one does."""

LEAST = 1e-4
"""Probabilities below this count as this: whether it is one in ten thousand or in a million is not a change."""

FORGET = 5.0
"""Seconds after which somebody who was not seen is forgotten."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SmoothOptions:
    """How readings are smoothed.

    Attributes:
        seconds: Time constant while little changes; 0 smooths nothing.
        margin: By how much another label must lead the shown one, in probability 0..1.
        hold: Seconds for which it must lead before it is shown.

    Raises:
        ValueError: One is out of its range.

    Example:
        >>> SmoothOptions(seconds=0).margin
        0.1
    """

    seconds: float = 0.4
    margin: float = 0.1
    hold: float = 0.15

    def __post_init__(self) -> None:
        if not (self.seconds >= 0 and 0 <= self.margin <= 1 and self.hold >= 0):
            raise ValueError(
                "expected seconds >= 0, margin 0..1 and hold >= 0, but got "
                f"{self.seconds}, {self.margin} and {self.hold}"
            )


@dataclasses.dataclass(slots=True)
class SmoothState:
    """What the smoother remembers of a person.

    Attributes:
        labels: The words of the probabilities.
        smoothed: (K,) float64, logarithms.
        quick: (K,) float64, logarithms of the quick average.
        shown: Position of the label that is shown.
        rival: Position of the label that leads it; `shown` where none does.
        since: When the rival began to lead, in seconds of the smoother's clock.
        seen: When the person was last seen.
    """

    labels: tuple[str, ...]
    smoothed: NDArray[np.float64]
    quick: NDArray[np.float64]
    shown: int
    rival: int
    since: float
    seen: float


class Smoother:
    """Smooths the expressions of one source's people, frame by frame.

    The logarithms of the probabilities are averaged exponentially. Beside the smoothed average runs a quick one: where
    both differ clearly something has changed, and the smoothed one follows as fast; where they do not, it is noise, and
    the usual time constant holds. It is the one-euro filter's thought, that the rate rises with the speed of change
    (Casiez, Roussel & Vogel 2012). All constants are in seconds, and each reading stands for the time since the last
    one, so that results hardly depend on the frame rate; at few frames a second a single reading counts for much.

    The shown label stays until another one has led it by a margin for some time, and still does so in the frame's own
    reading: one frame alone never changes it.

    Args:
        options: How readings are smoothed.

    Example:
        >>> smoother, box = Smoother(), np.zeros(4, np.float32)
        >>> def read(*shares: float) -> Face:
        ...     shares = np.array(shares, np.float32)
        ...     return Face(box, 0.9, labels=("happy", "sad"), probabilities=shares, track_id=1)
        >>> for time in (0.0, 0.03, 0.06):
        ...     (face,) = smoother.update([read(0.9, 0.1)], time)
        >>> (face,) = smoother.update([read(0.2, 0.8)], 0.09)  # one frame
        >>> face.display_label, face.emotion, face.raw_probabilities.round(1)
        ('happy', 'happy', array([0.2, 0.8], dtype=float32))
    """

    def __init__(self, options: SmoothOptions | None = None) -> None:
        self.options = options or SmoothOptions()
        self._moods: dict[int, SmoothState] = {}
        self._clock = 0.0
        self._last: float | None = None

    def update(self, faces: Sequence[Face], timestamp: float) -> list[Face]:
        """Smooth the readings of the next frame.

        Args:
            faces: Faces with `track_id`, each person once; those without probabilities come back as they are.
            timestamp: Seconds since the source began; where it goes back, no time is taken to have passed.

        Returns:
            The same faces in the same order: `probabilities` smoothed, `raw_probabilities` as read from this frame, and
            `shown`.

        Raises:
            ValueError: A face has no `track_id`.
        """
        passed = 0.0 if self._last is None else max(timestamp - self._last, 0.0)
        self._clock, self._last = self._clock + passed, timestamp
        self._moods = {key: mood for key, mood in self._moods.items() if self._clock - mood.seen <= FORGET}
        return [self._smooth(face) if face.labels else face for face in faces]

    def _smooth(self, face: Face) -> Face:
        """Smooth one face's reading."""
        if face.track_id is None:
            raise ValueError(
                "only faces of known people can be smoothed, but one has no track_id; run the Tracker before"
            )
        read = face.probabilities
        logs = np.log(np.maximum(read.astype(np.float64), LEAST))
        mood = self._moods.get(face.track_id)
        if mood is None or mood.labels != face.labels:
            first = int(read.argmax())
            mood = SmoothState(face.labels, logs, logs, first, first, self._clock, self._clock)
            self._moods[face.track_id] = mood
        self._follow(mood, logs)
        smoothed = _shares(mood.smoothed).astype(np.float32) if self.options.seconds > 0 else read
        self._choose(mood, smoothed, read)
        return dataclasses.replace(
            face, probabilities=smoothed, raw_probabilities=read, display_label=face.labels[mood.shown]
        )

    def _follow(self, mood: SmoothState, logs: NDArray[np.float64]) -> None:
        """Move a person's averages toward a reading."""
        passed, mood.seen = self._clock - mood.seen, self._clock
        if passed == 0 or self.options.seconds == 0:
            return
        mood.quick = mood.quick + (1 - np.exp(-passed / QUICK)) * (logs - mood.quick)
        differ = float(np.abs(_shares(mood.quick) - _shares(mood.smoothed)).sum()) / 2
        change = min(max((differ - AGREE) / (DIFFER - AGREE), 0.0), 1.0)
        rate = (1 - change) / self.options.seconds + change / min(QUICK, self.options.seconds)
        mood.smoothed = mood.smoothed + (1 - np.exp(-passed * rate)) * (logs - mood.smoothed)

    def _choose(self, mood: SmoothState, smoothed: NDArray[np.float32], read: NDArray[np.float32]) -> None:
        """Let the shown label change, where another has led it for long enough, and does so in this frame's reading."""
        best = int(smoothed.argmax())
        if smoothed[best] - smoothed[mood.shown] < self.options.margin:
            best = mood.shown
        if best != mood.rival:
            mood.rival, mood.since = best, self._clock
        if self._clock - mood.since >= self.options.hold and read[mood.rival] > read[mood.shown]:
            mood.shown = mood.rival


def _shares(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (K,) probabilities that sum to 1, of their logarithms up to a constant."""
    shares = np.exp(logs)
    return np.asarray(shares / shares.sum(), np.float64)
