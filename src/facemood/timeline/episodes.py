"""Episodes: start and end of each expression that a person shows."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from facemood.participants import Segment
from facemood.timeline.tracks import INSTANT, Track, weights_of

MIN_SECONDS = 0.3
"""Shortest episode by default, in seconds. Shorter ones are only a few frames, which are not reliable."""

MAX_GAP = 0.0
"""Longest time, in seconds, for which a person may be out of sight within an episode, by default: not at all."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A period in which a person shows one expression.

    Attributes:
        source: The video.
        track_id: The person's track ID.
        label: The expression.
        start: Start of the first frame, in seconds.
        end: End of the last frame, in seconds.
        peak_time: Time of the frame with the highest probability, in seconds.
        peak: The highest probability, 0..1.
        mean: Mean probability, 0..1, weighted by the lengths of the frames.
        segment: The segment of a study that it lies in. Then it is of the segment's participant, and `track_id` is 0.
    """

    source: str
    track_id: int
    label: str
    start: float
    end: float
    peak_time: float
    peak: float
    mean: float
    segment: Segment | None = None

    @property
    def who(self) -> str:
        """Who shows it: the participant of a study, or ``person`` and the track ID."""
        return self.segment.participant if self.segment else f"person {self.track_id}"

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return self.end - self.start


def find_episodes(track: Track, *, min_seconds: float = MIN_SECONDS, max_gap: float = MAX_GAP) -> list[Episode]:
    """Return the episodes of a person in order: maximal periods with the same most probable label.

    The label is that of the smoothed probabilities, as in `Track.shares`. An episode lasts from the start of its first
    frame to the end of its last. It ends when another label is more probable, or when the person is out of sight. With
    both limits 0, episodes cover the visible time exactly once. Episodes on both sides of one that is too short are not
    merged.

    Args:
        track: The person.
        min_seconds: Shorter episodes are left out; 0 keeps all.
        max_gap: Longest time out of sight, in seconds, that does not end an episode. The gap counts to the episode.

    Raises:
        ValueError: A limit is below 0.

    Example:
        >>> times, rows = np.arange(4.0), np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.6, 0.4]], np.float32)
        >>> track = Track("a.mp4", 1, ("happy", "sad"), times, times + 1, rows, rows.argmax(1), np.zeros((4, 4)))
        >>> [(episode.label, episode.start, episode.end) for episode in find_episodes(track)]
        [('happy', 0.0, 2.0), ('sad', 2.0, 3.0), ('happy', 3.0, 4.0)]
    """
    check_limits(min_seconds, max_gap)
    gaps = track.timestamps[1:] - track.ends[:-1] > max_gap + INSTANT
    changes = np.flatnonzero(gaps | (np.diff(track.best) != 0)) + 1
    bounds = [0, *changes.tolist(), len(track)] if len(track) else []
    episodes = [_episode(track, first, end) for first, end in itertools.pairwise(bounds)]
    return [episode for episode in episodes if episode.seconds >= min_seconds - INSTANT]


def check_limits(min_seconds: float, max_gap: float) -> None:
    """Check the limits of episodes.

    Raises:
        ValueError: A limit is below 0 or NaN.
    """
    if not (min_seconds >= 0 and max_gap >= 0):
        raise ValueError(f"min_seconds and max_gap must be 0 s or more, but are {min_seconds:g} and {max_gap:g}")


def _episode(track: Track, first: int, end: int) -> Episode:
    """Return the episode from one frame of a track to another (exclusive)."""
    part, label = slice(first, end), int(track.best[first])
    probabilities = track.probabilities[part, label].astype(np.float64)
    top = int(probabilities.argmax())
    return Episode(
        track.source,
        track.track_id,
        track.labels[label],
        start=float(track.timestamps[first]),
        end=float(track.ends[end - 1]),
        peak_time=float(track.timestamps[first + top]),
        peak=float(probabilities[top]),
        mean=float(np.average(probabilities, weights=weights_of(track.durations[part]))),
    )
