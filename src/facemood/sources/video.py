"""Read videos as frames with timestamps.

PyAV decodes, so all codecs of FFmpeg work: H.264, H.265, VP9, AV1, MPEG-4, motion JPEG, animated GIF and many more.
Frames are rotated as the video's metadata say, and pixels that are not square are corrected. Timestamps are the
video's own, so a variable frame rate is kept. Damaged frames are skipped, a truncated video is read up to its end, and
a warning reports both. Interlaced videos are not deinterlaced, and HDR videos are not tone-mapped.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral

from facemood.errors import OptionError, VideoError
from facemood.schema import Frame
from facemood.sources.container import (
    DEFAULT_RATE,
    MICRO,
    FrameConverter,
    duration_of,
    find_key_frame,
    is_mirrored,
    open_container,
    pixel_aspect,
    quarter_turns,
)
from facemood.sources.decode import VideoDecoder, no_frames_in

SLACK = Fraction(1, 2000)
"""Tolerance of times in seconds: half a millisecond, because some containers store whole milliseconds."""

SEEK_FROM = 2.0
"""Start, in seconds, from which a key frame is searched for. For an earlier start, decoding from 0 is as fast."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """Properties of a video, known before it is read.

    Attributes:
        path: The path as it was given.
        size: Width and height in pixels as displayed: upright and with square pixels.
        fps: Mean frame rate per second; None if unknown.
        duration: Seconds from the start of the first frame to the end of the last; None if unknown.
        frames: Number of frames: as the video states it, or an estimate from `duration` and `fps`; None if unknown.
        rotation: 0, 90, 180 or 270 degrees by which stored frames are rotated clockwise for display.
        codec: The video codec, such as ``"h264"``.
        has_audio: Whether the video has sound.
        start: Seconds from the start of the video to its first frame; the sound may begin earlier.
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


def probe_video(path: str | os.PathLike[str], *, max_pixels: int | None = None) -> VideoInfo:
    """Return the properties of a video. It decodes only one frame.

    Args:
        path: The video, or its address.
        max_pixels: Most pixels of its first frame, as it is shown; None for any.

    Raises:
        VideoError: It is not a video, or no frame can be decoded.
        LimitError: Its first frame has more than `max_pixels`.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from facemood.sinks.video_writer import VideoWriter
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
        decoder = VideoDecoder(name, container)
        stream = decoder.stream
        frame = next((decoded.frame for decoded in decoder), None)
        if frame is None:
            raise VideoError(no_frames_in(name, decoder.damaged + len(decoder.due)))
        height, width = FrameConverter(pixel_aspect(stream), max_pixels=max_pixels)(frame).shape[:2]
        duration = duration_of(container, stream, decoder.origin or 0)
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
            start=max(0.0, float((decoder.origin or 0) * decoder.tick - Fraction(container.start_time or 0, MICRO))),
        )


def expected_frames(video: VideoInfo, every: int | float | None = None) -> int | None:
    """Estimate how many frames `read_video` yields, without decoding.

    The estimate is exact for an undamaged video of constant frame rate. For a variable rate it uses the mean.

    Args:
        video: The result of `probe_video`.
        every: As for `read_video`.

    Returns:
        1 or more; None if the length of the video is unknown.

    Example:
        >>> video = VideoInfo("talk.mp4", (64, 48), 25, 4, 100, rotation=0, codec="h264", has_audio=False)
        >>> expected_frames(video), expected_frames(video, every=3), expected_frames(video, every=0.5)
        (100, 34, 8)
    """
    frames, duration = video.frames, video.duration
    if every is None or isinstance(every, Integral):
        return None if frames is None else max(1, math.ceil(frames / int(every or 1)))
    rate = video.fps or DEFAULT_RATE
    if duration is None:
        duration = None if frames is None else frames / rate
    if duration is None:
        return None
    interval = duration / frames if frames else 1 / rate
    steps = math.floor((max(0.0, duration - interval) + float(SLACK)) / every) + 1  # up to the last frame
    return min(steps, frames or steps)


def read_video(
    path: str | os.PathLike[str], *, every: int | float | None = None, start: float = 0.0, end: float | None = None
) -> Generator[Frame, None, None]:
    """Yield a video's frames as they are decoded, in constant memory.

    With `start` and `end`, the frames are the same as when the whole video is read: numbers, times and `every` count
    from the video's first frame. Damaged frames are skipped but have numbers. Times are compared to half a millisecond.

    Args:
        path: The video, or its address.
        every: An integer k yields every k-th frame. A float T yields at most one frame every T seconds: the first at or
            after each multiple of T. None yields all frames.
        start: First second to read.
        end: Second at which reading stops (exclusive); None reads to the end.

    Yields:
        Frames with their number in the video, from 0, and the seconds since its first frame.

    Raises:
        VideoError: It is not a video, or no frame can be decoded.
        OptionError: An option is out of its range.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from facemood.sinks.video_writer import VideoWriter
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = VideoWriter(f"{folder}/grey.mp4")
        ...     for number in range(10):
        ...         writer.add(np.full((48, 64, 3), 128, np.uint8), timestamp=number / 10)
        ...     writer.close()
        ...     [(frame.index, frame.timestamp) for frame in read_video(f"{folder}/grey.mp4", every=0.4)]
        [(0, 0.0), (4, 0.4), (8, 0.8)]
    """
    until = check_period(every, start, end)
    return _without_skipped(_read(os.fspath(path), frame_chooser(every), start, until))


def step_video(
    path: str | os.PathLike[str], *, every: int | float | None = None, max_pixels: int | None = None
) -> Generator[Frame | None, None, None]:
    """Yield what `read_video` yields, and None for each skipped frame as a sign of progress.

    Args:
        path: As for `read_video`.
        every: As for `read_video`.
        max_pixels: Most pixels of a frame, as it is shown; None for any.

    Raises:
        VideoError: As for `read_video`.
        LimitError: A frame has more than `max_pixels`.
    """
    return _read(os.fspath(path), frame_chooser(every), 0.0, math.inf, max_pixels=max_pixels)


def check_period(every: int | float | None, start: float, end: float | None) -> float:
    """Check which frames are asked for, and return the second at which reading stops.

    Raises:
        OptionError: An option is out of its range.
    """
    if every is not None and (isinstance(every, bool) or not 0 < every < math.inf):
        raise OptionError(f"every must be a number of frames or seconds above 0, such as 5 or 0.2, but is {every!r}")
    until = math.inf if end is None else end
    if not 0 <= start < until:
        raise OptionError(f"start must be at least 0 and lie before end, but start is {start} and end is {end}")
    return until


def _without_skipped(steps: Generator[Frame | None, None, None]) -> Generator[Frame, None, None]:
    """Yield the frames that are not skipped."""
    with contextlib.closing(steps):
        yield from (frame for frame in steps if frame is not None)


def _read(
    name: str,
    chosen: Callable[[int, Fraction], bool],
    start: float,
    end: float,
    *,
    max_pixels: int | None = None,
) -> Generator[Frame | None, None, None]:
    """Yield the chosen frames between two times, and None for the others."""
    key_frame = find_key_frame(name, start - 2 * float(SLACK)) if start >= SEEK_FROM else None
    with open_container(name) as container:
        decoder = VideoDecoder(name, container, key_frame)
        convert = FrameConverter(pixel_aspect(decoder.stream), max_pixels=max_pixels)
        try:
            for number, time, frame in decoder:
                if time + SLACK >= end:
                    return
                if chosen(number, time) and time + SLACK >= start:
                    known = decoder.duration
                    ends = None if known is None else float(known)
                    yield Frame(convert(frame), source=name, index=number, timestamp=float(time), video_end=ends)
                else:
                    yield None
            decoder.check_complete()
        finally:
            decoder.warn_of_damage()


def frame_chooser(every: int | float | None) -> Callable[[int, Fraction], bool]:
    """Return a function that decides, frame by frame, whether a frame is read: by its number and time."""
    if every is None:
        return lambda number, time: True
    if isinstance(every, Integral):
        return lambda number, time: number % every == 0
    step, last = Fraction(str(every)), -1  # exactly the decimal number, not its nearest binary fraction

    def is_first_of_step(number: int, time: Fraction) -> bool:
        nonlocal last
        before, last = last, math.floor((time + SLACK) / step)
        return last != before

    return is_first_of_step
