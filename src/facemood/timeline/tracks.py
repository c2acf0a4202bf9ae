"""A person over the frames of a video, and the video with all its people: plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]

POINTS = 1500
"""How many points a drawn series keeps at most: about the pixels that it is drawn on."""

INSTANT = 1e-9
"""Seconds below which two times are the same, whatever was added up to them."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One person of a video, over the frames in which their face was read.

    Attributes:
        source: The video.
        track_id: The person's number within it.
        labels: The K words that the probabilities stand for.
        timestamps: (T,) float64 seconds at which each of these frames begins, rising.
        ends: (T,) float64 seconds at which the next frame of the video takes its place.
        probabilities: (T, K) float32; each row sums to 1.
        shown: (T,) int64, which label is shown: the one that `Face.display_label` names, else the most probable.
        boxes: (T, 4) float32 x1 y1 x2 y2 in pixels.
        units: (T, U) float32 intensities 0..1 of the action units in the order of `facemood.facs.KEYS`; not a number
            where one was not read. None where nothing is known of them.
        eyes: (T, 2) float32 how open the subject's right and left eye look (`Face.openness`); not a number where that
        is
            not known.

    Example:
        >>> times, sure = np.array([0.0, 0.1]), np.array([[0.9, 0.1], [0.4, 0.6]], np.float32)
        >>> track = Track("a.mp4", 1, ("happy", "sad"), times, times + 0.1, sure, sure.argmax(1), np.zeros((2, 4)))
        >>> len(track), round(track.seconds, 3), {label: round(share, 3) for label, share in track.shares.items()}
        (2, 0.2, {'happy': 0.5, 'sad': 0.5})
    """

    source: str
    track_id: int
    labels: tuple[str, ...]
    timestamps: Times
    ends: Times
    probabilities: NDArray[np.float32]
    shown: NDArray[np.int64]
    boxes: NDArray[np.float32]
    units: NDArray[np.float32] | None = None
    eyes: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.timestamps)

    @property
    def durations(self) -> Times:
        """How long each frame lasts in seconds, (T,) float64."""
        return self.ends - self.timestamps

    @property
    def seconds(self) -> float:
        """For how long the person is visible, without the time between."""
        return float(self.durations.sum())

    @property
    def shares(self) -> dict[str, float]:
        """Each label's share of the visible time, 0..1, by what is shown; they sum to 1."""
        weights = weights_of(self.durations)
        counts = np.bincount(self.shown, weights, minlength=len(self.labels)) / weights.sum()
        return dict(zip(self.labels, counts.tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """A video as it was read: its frames, how many faces each has, and its people.

    Attributes:
        source: The video.
        labels: The label words that the model knows.
        timestamps: (F,) float64 seconds at which each frame that was read begins.
        ends: (F,) float64 seconds at which the next one takes its place.
        heads: (F,) int32 faces in each frame, with a person's number or without.
        tracks: Its people, in the order of their numbers.
    """

    source: str
    labels: tuple[str, ...]
    timestamps: Times
    ends: Times
    heads: NDArray[np.int32]
    tracks: tuple[Track, ...]


def thin(track: Track, *, points: int = POINTS) -> Track:
    """Return a track of fewer points, as it is drawn: the time from its first frame to its last in equal bins.

    Args:
        track: The person; where it has no more points than that, it comes back as it is.
        points: How many bins there are.

    Returns:
        For each bin in which the person is seen, means of probabilities and boxes, weighted by how long frames last,
        and the label that is shown longest; of action units the means of those frames in which they were read, and of
        the eyes nothing. A bin lasts from the beginning of its first frame to the end of its last;
        where the person is out of sight for less than a bin, that is lost.

    Raises:
        ValueError: There shall be no point at all.
    """
    if points < 1:
        raise ValueError(f"points must be 1 or more, but is {points}")
    if len(track) <= points:
        return track
    width = max((track.ends[-1] - track.timestamps[0]) / points, INSTANT)
    bins = np.minimum((track.timestamps - track.timestamps[0]) // width, points - 1)
    firsts = np.flatnonzero(np.diff(bins, prepend=-1))
    weights = np.maximum(track.durations, INSTANT)[:, None]
    totals = np.add.reduceat(weights, firsts)
    longest = np.add.reduceat(weights * np.eye(len(track.labels))[track.shown], firsts)
    return Track(
        track.source,
        track.track_id,
        track.labels,
        track.timestamps[firsts],
        track.ends[np.append(firsts[1:], len(track)) - 1],
        (np.add.reduceat(weights * track.probabilities, firsts) / totals).astype(np.float32),
        longest.argmax(axis=1),
        (np.add.reduceat(weights * track.boxes, firsts) / totals).astype(np.float32),
        None if track.units is None else _known_means(track.units, weights, firsts),
    )


def _known_means(values: NDArray[np.float32], weights: Times, firsts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the means of (T, U) values over bins, without those that are no number; no number where all are none."""
    known = ~np.isnan(values)
    sums = np.add.reduceat(np.where(known, values, 0) * weights, firsts)
    totals = np.add.reduceat(known * weights, firsts)
    means = np.full(sums.shape, np.nan)
    np.divide(sums, totals, out=means, where=totals > 0)
    return means.astype(np.float32)


def weights_of(durations: Times) -> Times:
    """Return what frames count for, (T,): how long they last, or one each where no time passes at all."""
    return durations if durations.sum() > 0 else np.ones(len(durations))
