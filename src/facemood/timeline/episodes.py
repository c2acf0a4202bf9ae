"""Episodes: from when to when a person shows an expression."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from facemood.timeline.tracks import INSTANT, Track, weights_of

MIN_SECONDS = 0.3
"""Shorter episodes are left out unless they are asked for; a few frames are little to rely on."""

MAX_GAP = 0.0
"""For how many seconds a person may be out of sight within an episode."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch of time in which a person shows one expression.

    Attributes:
        source: The video.
        track_id: The person's number within it.
        label: The expression.
        start: Seconds at which its first frame begins.
        end: Seconds at which its last frame ends.
        peak_time: The frame in which it is the most probable, in seconds.
        peak: Its probability there, 0..1.
        mean: Its mean probability over the frames of the episode, 0..1, weighted by how long they last.
    """

    source: str
    track_id: int
    label: str
    start: float
    end: float
    peak_time: float
    peak: float
    mean: float

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end - self.start


def find_episodes(track: Track, *, min_seconds: float = MIN_SECONDS, max_gap: float = MAX_GAP) -> list[Episode]:
    """Return the longest stretches in which a person shows one and the same expression, in the order of time.

    An episode reaches from the beginning of its first frame to the end of its last. It ends where another label is
    shown, and where the person is out of sight. Without the two limits episodes cover the visible time, all of it and
    none of it twice. An episode that is left out for being short does not join its neighbours.

    Args:
        track: The person.
        min_seconds: Episodes that are shorter are left out; 0 keeps all.
        max_gap: A person who is out of sight for no longer than that goes on with the episode, which then includes the
            time between.

    Raises:
        ValueError: A limit is below 0.

    Example:
        >>> times, sure = np.arange(4.0), np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.6, 0.4]], np.float32)
        >>> track = Track("a.mp4", 1, ("happy", "sad"), times, times + 1, sure, sure.argmax(1), np.zeros((4, 4)))
        >>> [(episode.label, episode.start, episode.end) for episode in find_episodes(track)]
        [('happy', 0.0, 2.0), ('sad', 2.0, 3.0), ('happy', 3.0, 4.0)]
    """
    check_limits(min_seconds, max_gap)
    apart = track.timestamps[1:] - track.ends[:-1] > max_gap + INSTANT
    changes = np.flatnonzero(apart | (np.diff(track.shown) != 0)) + 1
    bounds = [0, *changes.tolist(), len(track)] if len(track) else []
    episodes = [_episode(track, first, end) for first, end in itertools.pairwise(bounds)]
    return [episode for episode in episodes if episode.seconds >= min_seconds - INSTANT]


def check_limits(min_seconds: float, max_gap: float) -> None:
    """Refuse what can be no limits of episodes.

    Raises:
        ValueError: One is below 0, or no number.
    """
    if not (min_seconds >= 0 and max_gap >= 0):
        raise ValueError(f"min_seconds and max_gap must be 0 s or more, but are {min_seconds:g} and {max_gap:g}")


def _episode(track: Track, first: int, end: int) -> Episode:
    """Return what one label did from a frame of a track up to but not including another."""
    part, label = slice(first, end), int(track.shown[first])
    sure = track.probabilities[part, label].astype(np.float64)
    top = int(sure.argmax())
    return Episode(
        track.source,
        track.track_id,
        track.labels[label],
        start=float(track.timestamps[first]),
        end=float(track.ends[end - 1]),
        peak_time=float(track.timestamps[first + top]),
        peak=float(sure[top]),
        mean=float(np.average(sure, weights=weights_of(track.durations[part]))),
    )
