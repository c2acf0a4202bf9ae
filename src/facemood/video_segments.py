"""Read a long video in segments. Each has a scene of its own, which warms up before the segment begins.

All segments are read in one pass, or each by another process; the results are the same. People keep their track IDs
over the seams (`facemood.tracking.seams`).
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from facemood.frame_batches import FrameBatch
from facemood.results import Result
from facemood.schema import Frame
from facemood.sources.items import VideoSpan
from facemood.sources.video import SLACK
from facemood.tracking import Scene, VideoOptions
from facemood.tracking.follow import time_of
from facemood.tracking.seams import EdgeFace, TrackNames, edge_faces

TOLERANCE = float(SLACK)
"""Tolerance of times in seconds, as in `read_video`."""

MARGIN = 0.01
"""Seconds that are decoded beyond a span, so that the rule for its first and last frame stands here alone."""

ReadBatch: TypeAlias = "Callable[[Sequence[Frame], Scene], Iterable[Result]]"
"""Runs the pipeline on frames of one scene."""


@dataclass(frozen=True)
class SegmentTimes:
    """Which segment a frame belongs to.

    Attributes:
        segment: Length of a segment in seconds.
        warm_up: Seconds that are read before a segment.

    Example:
        >>> times = SegmentTimes.of(VideoOptions(segment=600))
        >>> times.number_at(599.9), times.number_at(600), times.warms_up(598), times.is_warm_up(598, 1)
        (0, 1, True, True)
    """

    segment: float
    warm_up: float

    @classmethod
    def of(cls, options: VideoOptions) -> SegmentTimes:
        """Return the segments that options ask for; the whole video if they ask for none."""
        return cls(options.segment or math.inf, options.warm_up)

    def number_at(self, time: float) -> int:
        """Return the number of the segment that a time lies in, from 0."""
        return math.floor((time + TOLERANCE) / self.segment)

    def warms_up(self, time: float) -> bool:
        """Return whether the next segment warms up at a time."""
        return time + TOLERANCE >= (self.number_at(time) + 1) * self.segment - self.warm_up

    def is_warm_up(self, time: float, number: int) -> bool:
        """Return whether a time lies before a segment."""
        return self.number_at(time) < number

    def bounds(self, span: VideoSpan) -> tuple[float, float | None]:
        """Return the first and last second that are decoded for some segments; None for the end of the video."""
        start = max(0.0, span.first * self.segment - self.warm_up - MARGIN) if span.first else 0.0
        return start, None if span.last is None else (span.last + 1) * self.segment + MARGIN


class SegmentJoiner:
    """Joins the segments of a video: leaves out what is only warm-up, and gives people the IDs of the whole video.

    Args:
        times: Which segment a frame belongs to.
        first: Number of the first segment. The results of its warm-up are not left out.
    """

    def __init__(self, times: SegmentTimes, first: int = 0) -> None:
        self._times, self._first, self._current = times, first, first
        self._names = TrackNames()
        self._heads = defaultdict[int, list[EdgeFace]](list)  # faces of segments that warm up
        self._tails = defaultdict[int, list[EdgeFace]](list)  # faces in the time in which the next one warms up

    def join(self, result: Result, number: int) -> Result | None:
        """Return a result with the track IDs of the whole video; None for one that another segment has.

        Args:
            result: The next result of a segment. A segment ends before the next one begins, but not before that
                warms up.
            number: Number of the segment.
        """
        time, faces = result.timestamp or 0.0, edge_faces(result.index, result.faces)
        if self._times.is_warm_up(time, number):
            self._heads[number] += faces
            if number > self._first:
                return None
        elif number > self._current:
            self._names.pass_seam(self._tails.pop(number - 1, []), self._heads.pop(number, []))
            self._current = number
        if self._times.number_at(time) == number and self._times.warms_up(time):
            self._tails[number] += faces
        return self._named(result)

    def _named(self, result: Result) -> Result:
        """Return a result with the track IDs of the whole video."""
        faces = tuple(
            face if face.track_id is None else dataclasses.replace(face, track_id=self._names.name(face.track_id))
            for face in result.faces
        )
        return dataclasses.replace(result, faces=faces)


@dataclass(slots=True)
class _OpenSegment:
    """A segment that is being read.

    Attributes:
        number: Its number.
        scene: Its scene.
        batch: Frames that wait.
    """

    number: int
    scene: Scene
    batch: FrameBatch


class SegmentReader:
    """Reads some segments of one video.

    Args:
        times: Which segment a frame belongs to.
        span: The segments. The results of the first one begin with those of its warm-up; see `SegmentTimes.is_warm_up`.
        open_scene: Returns a new scene.
        read: Runs the pipeline.
        batch: Frames whose faces go through the network together.
    """

    def __init__(
        self, times: SegmentTimes, span: VideoSpan, open_scene: Callable[[], Scene], read: ReadBatch, batch: int
    ) -> None:
        self._times, self._span = times, span
        self._open_scene, self._read, self._size = open_scene, read, batch
        self._open: list[_OpenSegment] = []
        self._next = span.first
        self._joiner = SegmentJoiner(times, span.first)

    def run(self, frames: Iterable[Frame]) -> Iterator[list[Result]]:
        """Yield the results of each batch, in order. The frames may begin and end outside of the segments."""
        for frame in frames:
            number = self._times.number_at(time_of(frame))
            if self._span.last is not None and number > self._span.last:
                break
            yield from self._close_before(number)
            self._open_at(time_of(frame))
            for segment in self._open:
                if segment.batch.add(frame):
                    yield self._flush(segment)
        yield from self._close_before(None)

    def _open_at(self, time: float) -> None:
        """Open the segment of a time, and the next one if it warms up."""
        current = self._times.number_at(time)
        for number in range(max(current, self._next), current + 1 + self._times.warms_up(time)):
            if self._span.last is None or number <= self._span.last:
                self._open.append(_OpenSegment(number, self._open_scene(), FrameBatch(self._size)))
                self._next = number + 1

    def _close_before(self, number: int | None) -> Iterator[list[Result]]:
        """Finish the segments before one; all for None."""
        while self._open and (number is None or self._open[0].number < number):
            yield self._flush(self._open[0])
            del self._open[0]

    def _flush(self, segment: _OpenSegment) -> list[Result]:
        """Read the frames of a segment that wait."""
        joined = (self._joiner.join(one, segment.number) for one in self._read(segment.batch.take(), segment.scene))
        return [result for result in joined if result is not None]
