"""Decode a video frame by frame: number and time of each, and what is damaged or missing."""

from __future__ import annotations

import heapq
import logging
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from facemood.errors import VideoError
from facemood.sources.container import USUAL_RATE, Place, duration_of, is_countable, tick_of, video_stream

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

logger: logging.Logger = logging.getLogger("facemood")

LEAST_MISSING = 0.5
"""Seconds that must be missing at a video's end before it is said to break off."""


class DecodedFrame(NamedTuple):
    """A decoded frame with its number and time."""

    number: int
    time: Fraction
    picture: VideoFrame


class VideoDecoder:
    """A video that is being decoded; it keeps count of time, and of what is damaged.

    Args:
        name: What messages call it.
        container: The open video.
        place: Where to begin; None for the beginning.
    """

    name: str
    container: InputContainer
    place: Place | None
    number: int
    damaged: int
    reached: Fraction
    longest: Fraction

    def __init__(self, name: str, container: InputContainer, place: Place | None = None) -> None:
        self.name, self.container, self.place = name, container, place
        self.stream: VideoStream = video_stream(container, name)
        self.tick: Fraction = tick_of(self.stream)
        rate = self.stream.average_rate or self.stream.guessed_rate or Fraction(USUAL_RATE)
        self.interval: Fraction = Fraction(rate.denominator, rate.numerator)
        self.origin: int | None = place.origin if place else None
        self.number, self.damaged = place.number if place else 0, 0
        self.time: Fraction | None = None
        self.reached, self.longest = Fraction(0), Fraction(0)
        self.sizes: list[tuple[int, int]] = []
        self._countable = is_countable(self.stream)
        self.due: list[int] = []  # when frames whose packets were read are shown, as a heap, in ticks

    def __iter__(self) -> Iterator[DecodedFrame]:
        """Yield the frames that can be decoded."""
        if self.place:
            self.container.seek(self.place.ticks, stream=self.stream)
        for frame in self._decode():
            if self.place and frame.pts is not None and frame.pts < self.place.ticks:
                continue  # only decoded because others are built on it
            if self._is_due(frame):
                self.origin = (frame.pts or 0) if self.origin is None else self.origin
                if frame.is_corrupt:
                    self._leave_out()
                else:
                    yield self._show(frame)

    def say_what_is_damaged(self) -> None:
        """Warn of frames that were left out."""
        if self.damaged:
            logger.warning("%s: damaged frames were left out: %d", self.name, self.damaged)

    def say_whether_whole(self) -> None:
        """Warn of a video that ends before it should.

        Raises:
            VideoError: Nothing of it could be decoded.
        """
        if self.time is None:
            raise VideoError(no_frames_in(self.name, self.damaged + len(self.due)))
        whole = duration_of(self.container, self.stream, self.origin or 0)
        missing = Fraction(0) if whole is None else whole - self.reached
        if missing > LEAST_MISSING and missing > 2 * self.longest:
            logger.warning(
                "%s: the video breaks off at %.2f s; %.2f of %.2f s are missing",
                self.name, self.reached, missing, whole,
            )  # fmt: skip
        else:
            self.damaged += len(self.due)

    def _decode(self) -> Iterator[VideoFrame]:
        """Decode packet by packet; what cannot be decoded is counted."""
        from av.error import FFmpegError

        for packet in self._packets():
            try:
                frames = self.stream.decode(None) if packet is None else packet.decode()
            except FFmpegError:
                if not self._countable:
                    self._leave_out()
            else:
                yield from frames

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        """Yield packets to the end, or to where reading fails; then None, for the frames that the decoder holds."""
        from av.error import FFmpegError

        first = self.place.ticks if self.place else -math.inf
        try:
            for packet in self.container.demux(self.stream):
                whole = not packet.is_discard and not packet.is_corrupt  # neither cut away nor cut short
                if self._countable and whole and packet.pts is not None and packet.pts >= first:
                    heapq.heappush(self.due, packet.pts)
                yield packet
        except FFmpegError as error:
            logger.warning("%s: cannot be read any further (%s)", self.name, error.strerror)
            yield None

    def _is_due(self, frame: VideoFrame) -> bool:
        """Count the frames that should have come before one and did not; False for one that was counted so itself."""
        if frame.pts is None or not self._countable:
            return True
        last = None
        while self.due and self.due[0] <= frame.pts:
            last = heapq.heappop(self.due)
            if last < frame.pts and self.origin is not None:
                self._leave_out()
        if self.origin is None:  # what is due before the first frame cannot be decoded: others came before it once
            self._countable = last == frame.pts
        return last == frame.pts or not self._countable

    def _leave_out(self) -> None:
        """Count a frame that is not shown."""
        self.damaged += 1
        self.number += 1

    def _show(self, frame: VideoFrame) -> DecodedFrame:
        """Give a frame its number and its time: the video's, or one interval later where that does not follow."""
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
        """Warn when frames change size for the first time."""
        size = (frame.width, frame.height)
        if size not in self.sizes:
            self.sizes.append(size)
            if len(self.sizes) == 2:
                logger.warning(
                    "%s: frames change from %d x %d to %d x %d pixels at %.2f s; each is read in its own size",
                    self.name, *self.sizes[0], *size, self.time,
                )  # fmt: skip


def no_frames_in(name: str, damaged: int) -> str:
    """Say that nothing can be seen."""
    if damaged:
        return f"{name}: none of its frames can be decoded (damaged: {damaged}); fetch the video again"
    return f"{name}: the video holds no frame that can be decoded; record or fetch it again"
