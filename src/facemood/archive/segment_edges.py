"""Segments of long videos in an archive: how many there are, and what joins their people over the seams."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from facemood.errors import FacemoodError
from facemood.results import Result
from facemood.sources.container import duration_of, is_countable, open_container, video_stream
from facemood.sources.items import VideoSpan
from facemood.tracking.seams import WARM_UP, EdgeFace, edge_faces
from facemood.video_segments import SegmentTimes


class SegmentEdges(NamedTuple):
    """What joins the people of a segment with those of its neighbours.

    Attributes:
        tracks: The tracks in the order in which they come into the rows.
        head: Faces in the time before the segment.
        tail: Faces at its end, in the time that the next segment reads too.
    """

    tracks: list[int]
    head: list[EdgeFace]
    tail: list[EdgeFace]

    @classmethod
    def parse(cls, told: Sequence[Sequence[Any]]) -> SegmentEdges:
        """Return the edges in JSON's lists.

        Example:
            >>> SegmentEdges.parse([[1], [], [[7, 1, [0, 0, 9, 9]]]]).tail
            [EdgeFace(frame=7, track_id=1, box=(0, 0, 9, 9))]
        """
        tracks, *ends = told
        head, tail = ([EdgeFace(frame, track, tuple(box)) for frame, track, box in end] for end in ends)
        return cls(list(tracks), head, tail)

    def add(self, result: Result, times: SegmentTimes, segment: int) -> bool:
        """Note the faces of a result; return whether it belongs to the segment, and not to the time before it."""
        time, faces = result.timestamp or 0.0, edge_faces(result.index, result.faces)
        if times.is_warm_up(time, segment):
            self.head.extend(faces)
            return False
        self.tracks.extend(face.track_id for face in faces if face.track_id not in self.tracks)
        if times.number_at(time) == segment and times.warms_up(time):
            self.tail.extend(faces)
        return True


def count_segments(name: str, segment: float) -> int:
    """Return in how many segments a video is cut. Its head is read, and no frame is decoded.

    A video that cannot be opened is not cut, nor one in which a time cannot be found without decoding all before it.
    The last segment goes on to the end of the video.

    Args:
        name: The video.
        segment: Length of a segment in seconds.

    Example:
        >>> count_segments("none.mp4", 600)
        1
    """
    seconds = seconds_of(name, countable=True)
    return 1 if seconds is None else max(1, math.ceil((seconds - WARM_UP) / segment))


def seconds_of(name: str, *, countable: bool = False) -> float | None:
    """Return how long a video is, as its head says; None if it does not, or cannot be read.

    Args:
        name: The video.
        countable: Whether a time must be found in it without decoding all before it.

    Example:
        >>> seconds_of("none.mp4") is None
        True
    """
    with contextlib.suppress(FacemoodError), open_container(name) as container:
        stream = video_stream(container, name)
        if is_countable(stream) or not countable:
            seconds = duration_of(container, stream, 0)
            return None if seconds is None else float(seconds)
    return None


def span_of(name: str, segment: int, segments: int) -> VideoSpan:
    """Return what is read of a video for one of its segments.

    Example:
        >>> span_of("a.mp4", 1, 3), span_of("a.mp4", 2, 3)
        (VideoSpan(path='a.mp4', first=1, last=1), VideoSpan(path='a.mp4', first=2, last=None))
    """
    return VideoSpan(name, segment, segment if segment + 1 < segments else None)
