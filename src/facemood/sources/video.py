"""Read videos: each picture as people see it, with the time at which they see it.

PyAV decodes, so whatever FFmpeg knows is read: H.264, H.265, VP9, AV1, MPEG-4, motion JPEG, animated GIF and many more.
Pictures are turned as a phone's video says, and pixels that are not square are made so. Times are the video's own: a
frame rate that varies stays as it is. Damaged frames are left out, a video that breaks off is read up to there, and a
warning says so. Interlaced videos are not deinterlaced, and the high dynamic range of HDR videos is not tone-mapped.
"""

from __future__ import annotations

import heapq
import logging
import math
import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral
from typing import TYPE_CHECKING, NamedTuple

from facemood.errors import VideoError
from facemood.schema import Frame
from facemood.sources.container import (
    MICRO,
    USUAL_RATE,
    FrameConverter,
    Place,
    duration_of,
    find_key_frame,
    is_countable,
    is_mirrored,
    open_container,
    pixel_aspect,
    quarter_turns,
    tick_of,
    video_stream,
)

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

logger = logging.getLogger("facemood")

SLACK = Fraction(1, 2000)
"""Seconds by which a time may miss a bound: some videos count whole milliseconds."""

SEEK_FROM = 2.0
"""A start from this second on is looked for by its key frame; what lies before an earlier one is simply decoded."""

LEAST_MISSING = 0.5
"""Seconds that must be missing at a video's end before it is said to break off."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What is known of a video before it is read.

    Attributes:
        path: Its name, as it was given.
        size: Width and height in pixels, as it is shown: turned upright and with square pixels.
        fps: Frames a second on average; None where the video does not say.
        duration: Seconds from the first frame to the last one's end; None where the video does not say.
        frames: How many frames there are: as the video says, else an estimate from `duration` and `fps`, else None.
        rotation: 0, 90, 180 or 270, the degrees by which stored pictures are turned clockwise to be shown.
        codec: How pictures are compressed, such as ``"h264"``.
        has_audio: Whether there is sound.
        start: When the first frame is shown, in seconds after the video begins; sound may begin earlier.
    """

    path: str
    size: tuple[int, int]
    fps: float | None
    duration: float | None
    frames: int | None
    rotation: int
    codec: str
    has_audio: bool
    start: float = 0.0


def probe_video(path: str | os.PathLike[str]) -> VideoInfo:
    """Look a video over; one frame is decoded.

    Raises:
        VideoError: It is no video, or holds no frame that can be decoded.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from facemood.sinks.video_file import VideoWriter
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = VideoWriter(f"{folder}/grey.mp4")
        ...     writer.add(np.full((48, 64, 3), 128, np.uint8), timestamp=0.0)
        ...     writer.close(end=0.5)
        ...     video = probe_video(f"{folder}/grey.mp4")
        >>> video.size, video.fps, video.duration, video.codec
        ((64, 48), 2.0, 0.5, 'h264')
    """
    name = os.fspath(path)
    with open_container(name) as container:
        video = _Video(name, container)
        stream = video.stream
        frame = next((shown.picture for shown in video), None)
        if frame is None:
            raise VideoError(_no_frames(name, video.damaged + len(video.due)))
        height, width = FrameConverter(pixel_aspect(stream))(frame).shape[:2]
        duration = duration_of(container, stream, video.origin or 0)
        rate = stream.average_rate or stream.guessed_rate
        estimate = round(duration * rate) if duration and rate else None
        return VideoInfo(
            path=name,
            size=(width, height),
            fps=float(rate) if rate else None,
            duration=None if duration is None else float(duration),
            frames=stream.frames or estimate,
            rotation=-90 * quarter_turns(frame, mirrored=is_mirrored(frame)) % 360,
            codec=stream.codec_context.codec.canonical_name,
            has_audio=bool(container.streams.audio),
            start=max(0.0, float((video.origin or 0) * video.tick - Fraction(container.start_time or 0, MICRO))),
        )


def read_video(
    path: str | os.PathLike[str], *, every: int | float | None = None, start: float = 0.0, end: float | None = None
) -> Generator[Frame, None, None]:
    """Yield a video's frames as they are decoded; memory does not grow with its length.

    A part is what reading the whole video gives between two times: numbers, times and `every` count from the video's
    first frame. Damaged frames have numbers too, though they are left out. Times are compared to half a millisecond.

    Args:
        path: The video, or the address of one.
        every: A whole number k takes each k-th frame; a float T takes a frame at most every T seconds, the first at or
            after each multiple of T. None takes all.
        start: The second from which frames are taken.
        end: The second at which they end, itself left out; None for the video's end.

    Yields:
        Frames with their number in the video from 0, and the seconds since its first frame.

    Raises:
        VideoError: It is no video, or holds no frame that can be decoded.
        ValueError: An option is out of its range.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from facemood.sinks.video_file import VideoWriter
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = VideoWriter(f"{folder}/grey.mp4")
        ...     for number in range(10):
        ...         writer.add(np.full((48, 64, 3), 128, np.uint8), timestamp=number / 10)
        ...     writer.close()
        ...     [(frame.index, frame.timestamp) for frame in read_video(f"{folder}/grey.mp4", every=0.4)]
        [(0, 0.0), (4, 0.4), (8, 0.8)]
    """
    if every is not None and (isinstance(every, bool) or not 0 < every < math.inf):
        raise ValueError(f"every must be a number of frames or seconds above 0, such as 5 or 0.2, but is {every!r}")
    until = math.inf if end is None else end
    if not 0 <= start < until:
        raise ValueError(f"start must be at least 0 and lie before end, but start is {start} and end is {end}")
    return _read(os.fspath(path), _chooser(every), start, until)


class _Shown(NamedTuple):
    """A decoded frame with its number and time."""

    number: int
    time: Fraction
    picture: VideoFrame


class _Video:
    """A video that is being decoded; it keeps count of time, and of what is damaged.

    Args:
        name: What messages call it.
        container: The open video.
        place: Where to begin; None for the beginning.
    """

    def __init__(self, name: str, container: InputContainer, place: Place | None = None) -> None:
        self.name, self.container, self.place = name, container, place
        self.stream = video_stream(container, name)
        self.tick = tick_of(self.stream)
        rate = self.stream.average_rate or self.stream.guessed_rate or Fraction(USUAL_RATE)
        self.interval = Fraction(rate.denominator, rate.numerator)
        self.origin: int | None = place.origin if place else None
        self.number, self.damaged = place.number if place else 0, 0
        self.time: Fraction | None = None
        self.reached, self.longest = Fraction(0), Fraction(0)
        self.sizes: list[tuple[int, int]] = []
        self._countable = is_countable(self.stream)
        self.due: list[int] = []  # when frames whose packets were read are shown, as a heap, in ticks

    def __iter__(self) -> Iterator[_Shown]:
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
            raise VideoError(_no_frames(self.name, self.damaged + len(self.due)))
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

    def _show(self, frame: VideoFrame) -> _Shown:
        """Give a frame its number and its time: the video's, or one interval later where that does not follow."""
        due = Fraction(0) if self.time is None else self.time + self.interval
        time = due if frame.pts is None else (frame.pts - (self.origin or 0)) * self.tick
        if self.time is not None:
            time = time if time > self.time else due
            self.longest = max(self.longest, time - self.time)
        self.time, self.reached = time, time + ((frame.duration or 0) * self.tick or self.interval)
        self._note_size(frame)
        self.number += 1
        return _Shown(self.number - 1, time, frame)

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


def _read(name: str, chosen: Callable[[int, Fraction], bool], start: float, end: float) -> Generator[Frame, None, None]:
    """Yield the chosen frames between two times."""
    place = find_key_frame(name, start - 2 * float(SLACK)) if start >= SEEK_FROM else None
    with open_container(name) as container:
        video = _Video(name, container, place)
        convert = FrameConverter(pixel_aspect(video.stream))
        try:
            for number, time, picture in video:
                if time + SLACK >= end:
                    return
                if chosen(number, time) and time + SLACK >= start:
                    yield Frame(convert(picture), source=name, index=number, timestamp=float(time))
            video.say_whether_whole()
        finally:
            video.say_what_is_damaged()


def _chooser(every: int | float | None) -> Callable[[int, Fraction], bool]:
    """Return what tells of each frame in turn whether it is taken, by its number and time."""
    if every is None:
        return lambda number, time: True
    if isinstance(every, Integral):
        return lambda number, time: number % every == 0
    step, last = Fraction(str(every)), -1  # the decimal number that was written, not its nearest binary one

    def is_first_of_step(number: int, time: Fraction) -> bool:
        nonlocal last
        before, last = last, math.floor((time + SLACK) / step)
        return last != before

    return is_first_of_step


def _no_frames(name: str, damaged: int) -> str:
    """Say that nothing can be seen."""
    if damaged:
        return f"{name}: none of its frames can be decoded (damaged: {damaged}); fetch the video again"
    return f"{name}: the video holds no frame that can be decoded; record or fetch it again"
