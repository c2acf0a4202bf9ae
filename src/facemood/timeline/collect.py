"""Collect the predictions for each person, frame by frame."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from facemood.facs import KEYS
from facemood.schema import Face
from facemood.timeline.tracks import Timeline, Times, Track

if TYPE_CHECKING:
    from facemood.results import Result

ONLY_FRAME = 0.04
"""Length of a video's only frame in seconds, as at 25 frames per second."""

STEPS = 250
"""Steps from 0 to 1 in which the intensity of an action unit is stored, in one byte, to save memory."""

UNKNOWN = 255
"""Byte for an action unit without a value."""

UNKNOWN_EYES = (math.nan, math.nan)
"""Openness of the right and left eye if it is unknown."""


class TrackCollector:
    """Collects the predictions for each person of videos. It needs about 120 bytes per face and stores no images.

    Results without a timestamp (photos) are skipped. Faces without a track ID or without a prediction only count as
    faces. If the time of a source goes back, a new timeline begins.

    Example:
        >>> from facemood.results import Result
        >>> face = Face(np.zeros(4), 0.9, labels=("happy", "sad"), probabilities=np.array([0.8, 0.2]), track_id=7)
        >>> collector = TrackCollector()
        >>> for index in range(3):
        ...     place = collector.add(Result("a.mp4", index, index / 10, labels=face.labels, faces=(face,)))
        >>> [(track.track_id, len(track)) for track in collector.tracks()]
        [(7, 3)]
    """

    def __init__(self) -> None:
        self._videos: list[_OpenVideo] = []
        self._current: dict[str, int] = {}

    def add(self, result: Result) -> int | None:
        """Add one frame. The frames of a video must be in order; frames of several videos may alternate.

        Returns:
            Index of its video in `timelines`; None for a photo.
        """
        if result.timestamp is None:
            return None
        place = self._current.get(result.source)
        if place is None or result.timestamp < self._videos[place].times[-1]:
            place = self._current[result.source] = len(self._videos)
            self._videos.append(_OpenVideo(result.source, result.labels))
        self._videos[place].add(result.timestamp, result)
        return place

    def timelines(self) -> list[Timeline]:
        """Return the timelines of the videos so far, in the order of their first frames."""
        return [video.timeline() for video in self._videos]

    def tracks(self) -> list[Track]:
        """Return the tracks of all people so far, video by video, ordered by track ID."""
        return [track for timeline in self.timelines() for track in timeline.tracks]


def collect_tracks(results: Iterable[Result]) -> list[Track]:
    """Return the tracks of all people in videos, video by video, ordered by track ID.

    Args:
        results: The frames of one or more videos, in order.

    Returns:
        One Track per person; empty for photos, and if no face has a track ID.

    Example:
        >>> collect_tracks([])
        []
    """
    collector = TrackCollector()
    for result in results:
        collector.add(result)
    return collector.tracks()


def count_faces(results: Iterable[Result]) -> Times:
    """Count the faces in each frame of a video.

    Args:
        results: The frames; those without a timestamp are skipped.

    Returns:
        (F, 2) float64: time of the frame in seconds, number of faces.

    Example:
        >>> from facemood.results import Result
        >>> count_faces([Result("a.mp4", 0, 0.0), Result("a.mp4", 1, 0.5)]).tolist()
        [[0.0, 0.0], [0.5, 0.0]]
    """
    rows = [(result.timestamp, len(result)) for result in results if result.timestamp is not None]
    return np.array(rows, np.float64).reshape(-1, 2)


def ends_of(times: Times, video_end: float | None = None) -> Times:
    """Return the end of each frame in seconds, (F,): the start of the next one.

    The last one has the median length, or ends with the video.

    Args:
        times: (F,) start of each frame in seconds, increasing.
        video_end: Time at which the video ends; None if that is unknown.

    Example:
        >>> ends_of(np.array([0.0, 0.5, 1.0])).tolist(), ends_of(np.array([0.0, 0.5, 1.0]), 1.2).tolist()
        ([0.5, 1.0, 1.5], [0.5, 1.0, 1.2])
    """
    steps = np.diff(times)
    last = times[-1:] + (np.median(steps) if len(steps) else ONLY_FRAME)
    if video_end is not None and len(times) and video_end > times[-1]:
        last = np.minimum(last, video_end)
    return np.append(times[1:], last)


@dataclass(slots=True)
class _OpenVideo:
    """A video that is being read: frame times, face counts, and people."""

    source: str
    labels: tuple[str, ...]
    times: array[float] = field(default_factory=lambda: array("d"))
    face_counts: array[int] = field(default_factory=lambda: array("i"))
    people: dict[int, OpenPerson] = field(default_factory=dict)
    video_end: float | None = None

    def add(self, timestamp: float, result: Result) -> None:
        """Add one frame."""
        for face in result.faces:
            if face.track_id is not None and face.labels:
                person = self.people.setdefault(face.track_id, OpenPerson(face.labels))
                person.add(len(self.times), face)
        self.times.append(timestamp)
        self.face_counts.append(len(result.faces))
        self.video_end = result.video_end

    def timeline(self) -> Timeline:
        """Return the timeline of the frames so far."""
        times = np.array(self.times)
        ends = ends_of(times, self.video_end)
        tracks = [self.people[number].track(self.source, number, times, ends) for number in sorted(self.people)]
        return Timeline(self.source, self.labels, times, ends, np.array(self.face_counts, np.int32), tuple(tracks))


@dataclass(slots=True)
class OpenPerson:
    """A person so far: the frames they are in, and the predictions for these.

    Attributes:
        labels: The labels of the predictions.
        frames: Index of each frame in the video; the other arrays have the values of these frames, one after the other.
        probabilities: Of each label.
        display_labels: Index of the label.
        boxes: Four numbers each.
        units: A byte for each key of `facemood.facs.KEYS`.
        eyes: Two numbers each.
        certain: 1, 0 or -1 for unknown.
        change: `Face.change` of each label; NaN without a baseline, and empty if nobody had one so far.
        participants: Who of a study this is, as keys.
        measures: Of each derived measure; NaN where it is unknown, and shorter where it is unknown in the last frames.
    """

    labels: tuple[str, ...]
    frames: array[int] = field(default_factory=lambda: array("i"))
    probabilities: array[float] = field(default_factory=lambda: array("f"))
    display_labels: array[int] = field(default_factory=lambda: array("h"))
    boxes: array[float] = field(default_factory=lambda: array("f"))
    units: bytearray = field(default_factory=bytearray)
    eyes: array[float] = field(default_factory=lambda: array("f"))
    certain: array[int] = field(default_factory=lambda: array("b"))
    change: array[float] = field(default_factory=lambda: array("f"))
    participants: dict[str, None] = field(default_factory=dict)
    measures: dict[str, array[float]] = field(default_factory=dict)

    def add(self, frame: int, face: Face) -> None:
        """Add the person's face in a frame; a second face in the same frame is ignored."""
        if self.frames and self.frames[-1] == frame:
            return
        self.frames.append(frame)
        self.probabilities.extend(face.probabilities.tolist())
        self.display_labels.append(self.labels.index(face.display_label or face.emotion))
        self.boxes.extend(face.box.tolist())
        units = face.action_units
        self.units.extend(round(STEPS * units[key]) if key in units else UNKNOWN for key in KEYS)
        self.eyes.extend(face.openness or UNKNOWN_EYES)
        self.certain.append(-1 if face.certain is None else face.certain)
        if face.change is not None:
            self._pad_change(len(self.frames) - 1)
            self.change.extend(face.change.tolist())
        for name, value in face.measures.items():
            kept = self.measures.setdefault(name, array("f"))
            kept.extend([math.nan] * (len(self.frames) - 1 - len(kept)))
            kept.append(value)
        if face.segment is not None:
            self.participants[face.segment.participant] = None

    def _pad_change(self, frames: int) -> None:
        """Fill the changes up to a number of frames with NaN. Without a baseline they take no memory."""
        self.change.extend([math.nan] * (frames * len(self.labels) - len(self.change)))

    def track(self, source: str, number: int, times: Times, ends: Times) -> Track:
        """Return the person's track so far.

        Args:
            source: The video.
            number: The person's track ID.
            times: (F,) seconds at which all frames of the video begin.
            ends: (F,) seconds at which they end.
        """
        frames = np.array(self.frames, np.int64)
        if self.change:
            self._pad_change(len(frames))
        return Track(
            source,
            number,
            self.labels,
            times[frames],
            ends[frames],
            np.array(self.probabilities, np.float32).reshape(len(frames), len(self.labels)),
            np.array(self.display_labels, np.int64),
            np.array(self.boxes, np.float32).reshape(-1, 4),
            _from_bytes(self.units).reshape(-1, len(KEYS)),
            np.array(self.eyes, np.float32).reshape(-1, 2),
            np.array(self.certain, np.int8),
            np.array(self.change, np.float32).reshape(len(frames), len(self.labels)) if self.change else None,
            tuple(self.participants),
            {name: _padded(kept, len(frames)) for name, kept in self.measures.items()},
        )


def _padded(values: array[float], length: int) -> NDArray[np.float32]:
    """Return values as (N,) float32; NaN behind the last one."""
    return np.array([*values, *[math.nan] * (length - len(values))], np.float32)


def _from_bytes(stored: bytearray) -> NDArray[np.float32]:
    """Return stored intensities as (N,) float32, 0..1; NaN if unknown."""
    steps = np.frombuffer(bytes(stored), np.uint8).astype(np.float32)
    return np.where(steps == UNKNOWN, np.float32(np.nan), steps / STEPS).astype(np.float32)
