"""Gather what the frames of videos say of each person, as they come."""

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
"""Seconds that a frame lasts where a video has no other to tell it by."""

STEPS, UNREAD = 250, 255
"""Intensities of action units are held in a byte each, in so many steps; and what stands for one that was not read."""

UNSEEN = (math.nan, math.nan)
"""The openness of eyes that nobody knows."""


class TrackCollector:
    """Gathers what the frames of videos say of each person, in little memory: about 120 bytes a face, and no images.

    Results without a timestamp (photos) are passed over, and so are faces without a number or without a reading, but
    that they count as heads. Where a source begins anew, at an earlier time, a new timeline begins as well.

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
        """Take in one frame; the frames of a video come in their order, those of several videos may alternate.

        Returns:
            The place of its video in `timelines`; None for a photo.
        """
        if result.timestamp is None:
            return None
        place = self._current.get(result.source)
        if place is None or result.timestamp < self._videos[place].times[-1]:
            place = self._current[result.source] = len(self._videos)
            self._videos.append(_OpenVideo(result.source, result.labels))
        self._videos[place].add(result.timestamp, result.faces)
        return place

    def timelines(self) -> list[Timeline]:
        """Return the videos as they are known by now, in the order in which they began."""
        return [video.timeline() for video in self._videos]

    def tracks(self) -> list[Track]:
        """Return the people of all videos, video by video, in the order of their numbers."""
        return [track for timeline in self.timelines() for track in timeline.tracks]


def collect_tracks(results: Iterable[Result]) -> list[Track]:
    """Return the people of videos, video by video, in the order of their numbers.

    Args:
        results: The frames of one video or several, in their order.

    Returns:
        One Track for each person; empty for photos, and where no face has a person's number.

    Example:
        >>> collect_tracks([])
        []
    """
    collector = TrackCollector()
    for result in results:
        collector.add(result)
    return collector.tracks()


def head_counts(results: Iterable[Result]) -> Times:
    """Count the faces of each frame of a video.

    Args:
        results: Its frames; those without a timestamp are passed over.

    Returns:
        (F, 2) float64: the frame's time in seconds, and the number of its faces.

    Example:
        >>> from facemood.results import Result
        >>> head_counts([Result("a.mp4", 0, 0.0), Result("a.mp4", 1, 0.5)]).tolist()
        [[0.0, 0.0], [0.5, 0.0]]
    """
    rows = [(result.timestamp, len(result)) for result in results if result.timestamp is not None]
    return np.array(rows, np.float64).reshape(-1, 2)


@dataclass(slots=True)
class _OpenVideo:
    """A video that is being read: the times of its frames, their heads, and its people."""

    source: str
    labels: tuple[str, ...]
    times: array[float] = field(default_factory=lambda: array("d"))
    heads: array[int] = field(default_factory=lambda: array("i"))
    people: dict[int, _Person] = field(default_factory=dict)

    def add(self, timestamp: float, faces: tuple[Face, ...]) -> None:
        """Take in one frame."""
        for face in faces:
            if face.track_id is not None and face.labels:
                person = self.people.setdefault(face.track_id, _Person(face.labels))
                person.add(len(self.times), face)
        self.times.append(timestamp)
        self.heads.append(len(faces))

    def timeline(self) -> Timeline:
        """Return the video as it is known by now."""
        times = np.array(self.times)
        steps = np.diff(times)
        ends = np.append(times[1:], times[-1] + (np.median(steps) if len(steps) else ONLY_FRAME))
        tracks = [self.people[number].track(self.source, number, times, ends) for number in sorted(self.people)]
        return Timeline(self.source, self.labels, times, ends, np.array(self.heads, np.int32), tuple(tracks))


@dataclass(slots=True)
class _Person:
    """A person who is being watched: in which frames of the video, and what was read there."""

    labels: tuple[str, ...]
    frames: array[int] = field(default_factory=lambda: array("i"))
    probabilities: array[float] = field(default_factory=lambda: array("f"))
    shown: array[int] = field(default_factory=lambda: array("h"))
    boxes: array[float] = field(default_factory=lambda: array("f"))
    units: bytearray = field(default_factory=bytearray)
    eyes: array[float] = field(default_factory=lambda: array("f"))

    def add(self, frame: int, face: Face) -> None:
        """Take in the person's face in a frame; nobody is in one twice, so a second face is passed over."""
        if self.frames and self.frames[-1] == frame:
            return
        self.frames.append(frame)
        self.probabilities.extend(face.probabilities.tolist())
        self.shown.append(self.labels.index(face.display_label or face.emotion))
        self.boxes.extend(face.box.tolist())
        self.units.extend(round(STEPS * face.action_units[key]) if key in face.action_units else UNREAD for key in KEYS)
        self.eyes.extend(face.openness or UNSEEN)

    def track(self, source: str, number: int, times: Times, ends: Times) -> Track:
        """Return what is known by now; times and ends are those of all frames of the video, (F,)."""
        frames = np.array(self.frames)
        return Track(
            source,
            number,
            self.labels,
            times[frames],
            ends[frames],
            np.array(self.probabilities, np.float32).reshape(len(frames), len(self.labels)),
            np.array(self.shown, np.int64),
            np.array(self.boxes, np.float32).reshape(-1, 4),
            _from_bytes(self.units).reshape(-1, len(KEYS)),
            np.array(self.eyes, np.float32).reshape(-1, 2),
        )


def _from_bytes(held: bytearray) -> NDArray[np.float32]:
    """Return the intensities that bytes stand for, (N,) 0..1; not a number where none was read."""
    steps = np.frombuffer(bytes(held), np.uint8).astype(np.float32)
    return np.where(steps == UNREAD, np.float32(np.nan), steps / STEPS).astype(np.float32)
