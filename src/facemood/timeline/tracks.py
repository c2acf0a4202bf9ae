"""Track and Timeline: one person over the frames of a video, and a video with all its people, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facemood.text import count, person_name, share_percent
from facemood.timeline.share_intervals import share_interval

Times = NDArray[np.float64]
"""Times in seconds."""

MAX_POINTS = 1500
"""Most points of a drawn series: about one for each pixel of its width."""

INSTANT = 1e-9
"""Tolerance in seconds when two times are compared, for rounding errors of sums."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Track:
    """One person in a video, over the T frames with a prediction for their face.

    Attributes:
        source: The video.
        track_id: The person's track ID.
        labels: The K labels of the probabilities.
        timestamps: (T,) float64 start of each frame in seconds, increasing.
        ends: (T,) float64 end of each frame in seconds: the start of the video's next frame.
        probabilities: (T, K) float32; each row sums to 1.
        display_labels: (T,) int64 index in `labels` of `Face.display_label`, or of the most probable label without one.
        boxes: (T, 4) float32 x1 y1 x2 y2 in pixels.
        units: (T, U) float32 intensities 0..1 of the action units in the order of `facemood.facs.KEYS`; NaN if unknown.
            None if no action units were measured.
        eyes: (T, 2) float32 openness of the subject's right and left eye (`Face.openness`); NaN if unknown.
        certain: (T,) int8 `Face.certain`: 1, 0, or -1 if unknown.
        change: (T, K) float32 `Face.change`; NaN in frames without it. None without a baseline.
        participants: Who of a study this is, by the plan; mostly one or none.
        measures: (T,) float32 of each derived measure (`Face.measures`) that is known at some time; NaN if unknown.

    Example:
        >>> times, rows = np.array([0.0, 0.1]), np.array([[0.9, 0.1], [0.4, 0.6]], np.float32)
        >>> track = Track("a.mp4", 1, ("happy", "sad"), times, times + 0.1, rows, rows.argmax(1), np.zeros((2, 4)))
        >>> len(track), round(track.seconds, 3), {label: round(share, 3) for label, share in track.shares.items()}
        (2, 0.2, {'happy': 0.5, 'sad': 0.5})
    """

    source: str
    track_id: int
    labels: tuple[str, ...]
    timestamps: Times
    ends: Times
    probabilities: NDArray[np.float32]
    display_labels: NDArray[np.int64]
    boxes: NDArray[np.float32]
    units: NDArray[np.float32] | None = None
    eyes: NDArray[np.float32] | None = None
    certain: NDArray[np.int8] | None = None
    change: NDArray[np.float32] | None = None
    participants: tuple[str, ...] = ()
    measures: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.timestamps)

    def __repr__(self) -> str:
        label, share = max(self.shares.items(), key=lambda item: item[1], default=("", 0.0))
        said = f", {label} {share_percent(share)} of the time" if share else ""
        return (
            f"<Track: {self.source!r}, person {self.name}, {self.seconds:.1f} s in {count(len(self), 'frame')}{said}>"
        )

    @property
    def name(self) -> str:
        """Track ID, with the participants of a study: ``3 (p01)``."""
        return person_name(self.track_id, self.participants)

    @property
    def durations(self) -> Times:
        """Duration of each frame in seconds, (T,) float64."""
        return self.ends - self.timestamps

    @property
    def seconds(self) -> float:
        """Seconds for which the person is visible, without gaps."""
        return float(self.durations.sum())

    @property
    def best(self) -> NDArray[np.int64]:
        """Index of the most probable label in each frame, (T,) int64.

        Smoothed probabilities without hysteresis: so shares and episodes hardly depend on how many frames are read.
        """
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @property
    def shares(self) -> dict[str, float]:
        """Share of the visible time for which each label is the most probable, 0..1; they sum to 1."""
        weights = weights_of(self.durations)
        seconds = np.bincount(self.best, weights, minlength=len(self.labels))
        return dict(
            zip(self.labels, (seconds / (seconds.sum() or 1.0)).tolist(), strict=True)
        )  # a label alone has exactly 1

    @property
    def share_intervals(self) -> dict[str, tuple[float, float]]:
        """95% sampling interval of each share: wide for a short video, or a label that seldom changes."""
        best, weights = self.best, weights_of(self.durations)
        runs = int((np.diff(best) != 0).sum()) + 1
        return {label: share_interval(best == column, weights, runs=runs) for column, label in enumerate(self.labels)}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Timeline:
    """A video over the F frames that were read: number of faces per frame, and the people.

    Attributes:
        source: The video.
        labels: The model's labels.
        timestamps: (F,) float64 start of each frame in seconds.
        ends: (F,) float64 end of each frame in seconds: the start of the next one.
        face_counts: (F,) int32 faces in each frame, with or without a track ID.
        tracks: The people, ordered by track ID.
    """

    source: str
    labels: tuple[str, ...]
    timestamps: Times
    ends: Times
    face_counts: NDArray[np.int32]
    tracks: tuple[Track, ...]

    def __repr__(self) -> str:
        frames, people = count(len(self.timestamps), "frame"), count(len(self.tracks), "person", "people")
        return f"<Timeline: {self.source!r}, {frames}, {people}>"


def downsample(track: Track, *, points: int = MAX_POINTS) -> Track:
    """Downsample a track for drawing, in bins of equal time.

    Args:
        track: The person. A track of no more frames than `points` is returned unchanged.
        points: Number of bins from the first frame to the last, 1 or more.

    Returns:
        One point for each bin in which the person is visible. It has the means of probabilities, boxes, known action
        units and derived measures, weighted by the lengths of the frames, and the display label of the longest time;
        eyes, certainty and change are left out. A bin lasts from the start of its first frame to the end of its last,
        so gaps within a bin are lost.

    Raises:
        ValueError: `points` is below 1.
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
    longest = np.add.reduceat(weights * np.eye(len(track.labels))[track.display_labels], firsts)
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
        participants=track.participants,
        measures={name: _known_means(row[:, None], weights, firsts)[:, 0] for name, row in track.measures.items()},
    )


def _known_means(values: NDArray[np.float32], weights: Times, firsts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the means of (T, U) values over bins, ignoring NaN; NaN if all values of a bin are NaN.

    Args:
        values: (T, U) values, or NaN.
        weights: (T, 1) weights.
        firsts: Index of the first frame of each bin.
    """
    known = ~np.isnan(values)
    sums = np.add.reduceat(np.where(known, values, 0) * weights, firsts)
    totals = np.add.reduceat(known * weights, firsts)
    means = np.full(sums.shape, np.nan)
    np.divide(sums, totals, out=means, where=totals > 0)
    return means.astype(np.float32)


def weights_of(durations: Times) -> Times:
    """Return the weights of frames, (T,): their durations, or 1 each if all durations are 0."""
    return durations if durations.sum() > 0 else np.ones(len(durations))
