"""Decode a video frame by frame, with the number and time of each frame; report damaged and missing frames."""

from __future__ import annotations

import heapq
import logging
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from facemood.errors import VideoError
from facemood.sources.container import DEFAULT_RATE, KeyFrame, duration_of, is_countable, tick_of, video_stream

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

logger: logging.Logger = logging.getLogger("facemood")

MIN_MISSING = 0.5
"""Shortest missing end of a video, in seconds, that is reported. Stated durations are often off by some frames."""


class DecodedFrame(NamedTuple):
    """A decoded frame, its number in the video from 0, and its time in seconds from the first frame."""

    number: int
    time: Fraction
    frame: VideoFrame


class VideoDecoder:
    """Decodes a video, and counts frames, time and damaged frames.

    Args:
        name: The video's name in messages.
        container: The open video.
        start: The key frame to begin with; None for the beginning.

    Attributes:
        number: Number of the next frame.
        damaged: Damaged frames so far.
        reached: End of the last frame, in seconds from the first one.
        longest: Longest time between two frames so far, in seconds.
    """

    name: str
    container: InputContainer
    start: KeyFrame | None
    number: int
    damaged: int
    reached: Fraction
    longest: Fraction

    def __init__(self, name: str, container: InputContainer, start: KeyFrame | None = None) -> None:
        self.name, self.container, self.start = name, container, start
        self.stream: VideoStream = video_stream(container, name)
        self.tick: Fraction = tick_of(self.stream)
        rate = self.stream.average_rate or self.stream.guessed_rate or Fraction(DEFAULT_RATE)
        self.interval: Fraction = Fraction(rate.denominator, rate.numerator)
        self.origin: int | None = start.origin if start else None
        self.number, self.damaged = start.number if start else 0, 0
        self.time: Fraction | None = None
        self.reached, self.longest = Fraction(0), Fraction(0)
        self.sizes: list[tuple[int, int]] = []
        self._countable = is_countable(self.stream)
        self.due: list[int] = []  # a heap: times, in ticks, of frames that were read but not yet decoded

    def __iter__(self) -> Iterator[DecodedFrame]:
        """Yield the frames that can be decoded."""
        if self.start:
            self.container.seek(self.start.ticks, stream=self.stream)
        for frame in self._decode():
            if self.start and frame.pts is not None and frame.pts < self.start.ticks:
                continue  # later frames refer to it, but it lies before the start
            if self._is_due(frame):
                self.origin = (frame.pts or 0) if self.origin is None else self.origin
                if frame.is_corrupt:
                    self._skip()
                else:
                    yield self._numbered(frame)

    @property
    def duration(self) -> Fraction | None:
        """How many seconds the video should last from its first frame; None if unknown."""
        return duration_of(self.container, self.stream, self.origin or 0)

    def warn_of_damage(self) -> None:
        """Log a warning if damaged frames were skipped."""
        if self.damaged:
            logger.warning("%s: damaged frames were left out: %d", self.name, self.damaged)

    def check_complete(self) -> None:
        """Log a warning if the video ends too early; to be called after the last frame.

        Raises:
            VideoError: No frame could be decoded.
        """
        if self.time is None:
            raise VideoError(no_frames_in(self.name, self.damaged + len(self.due)))
        whole = self.duration
        missing = Fraction(0) if whole is None else whole - self.reached
        if missing > MIN_MISSING and missing > 2 * self.longest:
            logger.warning(
                "%s: the video breaks off at %.2f s; %.2f of %.2f s are missing",
                self.name, self.reached, missing, whole,
            )  # fmt: skip
        else:
            self.damaged += len(self.due)

    def _decode(self) -> Iterator[VideoFrame]:
        """Decode packet by packet. Packets that cannot be decoded are counted as damaged."""
        from av.error import FFmpegError

        for packet in self._packets():
            try:
                frames = self.stream.decode(None) if packet is None else packet.decode()
            except FFmpegError:
                if not self._countable:
                    self._skip()
            else:
                yield from frames

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        """Yield packets until the end or an error; then None, which flushes the decoder."""
        from av.error import FFmpegError

        first = self.start.ticks if self.start else -math.inf
        try:
            for packet in self.container.demux(self.stream):
                whole = not packet.is_discard and not packet.is_corrupt  # neither removed by an edit list nor truncated
                if self._countable and whole and packet.pts is not None and packet.pts >= first:
                    heapq.heappush(self.due, packet.pts)
                yield packet
        except FFmpegError as error:
            logger.warning("%s: cannot be read any further (%s)", self.name, error.strerror)
            yield None

    def _is_due(self, frame: VideoFrame) -> bool:
        """Count the missing frames before a frame; return False if the frame itself was counted as missing."""
        if frame.pts is None or not self._countable:
            return True
        last = None
        while self.due and self.due[0] <= frame.pts:
            last = heapq.heappop(self.due)
            if last < frame.pts and self.origin is not None:
                self._skip()
        if self.origin is None:  # frames before the first one refer to frames that are not in the file
            self._countable = last == frame.pts
        return last == frame.pts or not self._countable

    def _skip(self) -> None:
        """Count a damaged or missing frame."""
        self.damaged += 1
        self.number += 1

    def _numbered(self, frame: VideoFrame) -> DecodedFrame:
        """Return a frame with its number and time. If its own time does not rise, it is one interval after the last."""
        due = Fraction(0) if self.time is None else self.time + self.interval
        time = due if frame.pts is None else (frame.pts - (self.origin or 0)) * self.tick
        if self.time is not None:
            time = time if time > self.time else due
            self.longest = max(self.longest, time - self.time)
        self.time, self.reached = time, time + ((frame.duration or 0) * self.tick or self.interval)
        self._note_size(frame)
        self.number += 1
        return DecodedFrame(self.number - 1, time, frame)

    def _note_size(self, frame: VideoFrame) -> None:
        """Log a warning when the frame size changes for the first time."""
        size = (frame.width, frame.height)
        if size not in self.sizes:
            self.sizes.append(size)
            if len(self.sizes) == 2:
                logger.warning(
                    "%s: frames change from %d x %d to %d x %d pixels at %.2f s; each is read in its own size",
                    self.name, *self.sizes[0], *size, self.time,
                )  # fmt: skip


def no_frames_in(name: str, damaged: int) -> str:
    """Return the message for a video without a frame that can be decoded."""
    if damaged:
        return f"{name}: none of its frames can be decoded (damaged: {damaged}); download the video again"
    return f"{name}: the video has no frame that can be decoded; record or download it again"
