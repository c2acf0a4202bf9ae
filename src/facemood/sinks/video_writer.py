"""Videos that are written frame by frame: H.264 in MP4, at the times that the frames have."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from facemood.atomic import Part
from facemood.errors import OutputError
from facemood.schema import Image
from facemood.sinks.sound import DEFAULT_STEP

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame

logger: logging.Logger = logging.getLogger("facemood")

CLOCK = Fraction(1, 90_000)
"""Length of a tick in seconds: the clock of MPEG, an integer number of ticks for all common frame rates."""

ENCODER = {"preset": "veryfast", "crf": "20", "bf": "0"}
"""Options of x264. Without B-frames (bf), the length of each frame is exact, including the last one."""

KEYFRAMES = 48
"""Most frames from one key frame to the next, about 2 s, so that players can seek."""

NARROW = 1
"""FFmpeg's constant for the limited range of video levels, 16..235."""

BT709 = 1
"""FFmpeg's constant for the colours of ITU-R BT.709."""

ROUNDED = 0x40002
"""FFmpeg's flags for colour conversion with rounding to the nearest value; its default rounds down."""


class VideoWriter:
    """Writes an H.264 video frame by frame. It is written next to its path, and renamed when it is closed.

    Each frame lasts until the next one, so any frame rate is kept, also a variable one. H.264 needs even sizes: the
    last row or column is repeated if a size is odd. Images of another size than the first one are scaled to fit, with
    black borders.

    Args:
        path: Path of the video.

    Raises:
        OutputError: The file cannot be written.

    Example:
        >>> import tempfile
        >>> from facemood.sources import probe_video
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = VideoWriter(f"{folder}/grey.mp4")
        ...     writer.add(np.full((48, 64, 3), 128, np.uint8), timestamp=0.0)
        ...     writer.close(end=2.5)
        ...     probe_video(f"{folder}/grey.mp4").duration
        2.5
    """

    closed: bool

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: Path = Path(path)
        self._part = Part(self.path)
        self.closed = False
        self._video: Any = None
        self._stream: Any = None
        self._reformatter: Any = None
        self._size, self._first, self._last, self._lead = (0, 0), 0.0, 0.0, 0.0
        self._waiting: VideoFrame | None = None  # it is written when the next frame determines its length
        self._step = round(DEFAULT_STEP / CLOCK)
        self._lengths: dict[int | None, int] = {}

    def begin(self, image: Image, timestamp: float, *, lead: float = 0.0) -> OutputContainer:
        """Open the video in the size of an image. Sound can then be added before the first call of `add`.

        Args:
            image: (H, W, 3) uint8 BGR, in the size of the video.
            timestamp: Time of the first frame in seconds.
            lead: Seconds from the start of the video to its first frame.

        Raises:
            OutputError: The file cannot be written.
        """
        import av
        from av.video.reformatter import VideoReformatter

        height, width = image.shape[:2]
        self._size, self._first, self._last, self._lead = (width, height), timestamp, timestamp, lead
        with self._guarded():
            video = av.open(f"file:{self._part.path}", "w", format="mp4", options={"movflags": "faststart"})
            self._video, self._reformatter = video, VideoReformatter()
            self._stream = video.add_stream("libx264", rate=round(1 / DEFAULT_STEP), options=ENCODER, time_base=CLOCK)
            self._stream.width, self._stream.height = width + width % 2, height + height % 2
            codec = self._stream.codec_context
            codec.pix_fmt, codec.gop_size, codec.color_range = "yuv420p", KEYFRAMES, NARROW
            codec.colorspace = codec.color_primaries = codec.color_trc = BT709
        return video

    def add(self, image: Image, timestamp: float) -> None:
        """Add a frame.

        Args:
            image: (H, W, 3) uint8 BGR.
            timestamp: Start of the frame in seconds, from any origin; never less than the last one.

        Raises:
            OutputError: The time is before the last one, the video is closed, or the file cannot be written.
        """
        if self.closed:
            raise OutputError(f"{self.path}: the video is closed and takes no more frames; begin another")
        if self._video is None:
            self.begin(image, timestamp)
        if timestamp < self._last:
            raise OutputError(
                f"{self.path}: a frame at {timestamp:.3f} s follows one at {self._last:.3f} s; expected frames in order"
            )
        frame = self._to_frame(image)
        frame.pts, frame.time_base, self._last = self._ticks(timestamp), CLOCK, timestamp
        if self._waiting is not None:
            before = self._waiting.pts or 0
            frame.pts = max(frame.pts, before + 1)
            self._step = frame.pts - before
            self._encode(self._waiting, self._step)
        self._waiting = frame

    def mux(self, packets: Iterable[Packet[Any]]) -> None:
        """Write packets that are already encoded, such as sound.

        Raises:
            OutputError: The file cannot be written.
        """
        with self._guarded():
            for packet in packets:
                self._video.mux(packet)

    def close(self, end: float | None = None, *, whole: bool = True) -> None:
        """Finish the video and rename it to its path. Without a frame, no file remains.

        Args:
            end: End of the last frame in seconds; None makes it as long as the one before.
            whole: Whether the source came to its end; otherwise the name says that the video is unfinished.

        Raises:
            OutputError: The file cannot be written.
        """
        if self.closed:
            return
        if self._waiting is None:
            logger.warning("%s: there were no frames, so no video was written", self.path)
            self.discard()
            return
        start = self._waiting.pts or 0
        with self._guarded():
            self._encode(self._waiting, self._step if end is None else max(1, self._ticks(end) - start))
            self._write(self._stream.encode(None))
            self._video.close()
        self._part.commit(whole=whole)
        self.closed = True

    def _ticks(self, timestamp: float) -> int:
        """Return a time in ticks from the start of the video."""
        return round((timestamp - self._first + self._lead) / CLOCK)

    def _to_frame(self, image: Image) -> VideoFrame:
        """Convert an image to the colour format and the size of the video."""
        from av import VideoFrame

        width, height = self._size
        whole = cv2.copyMakeBorder(fit_into(image, self._size), 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        frame = VideoFrame.from_ndarray(np.asarray(whole, np.uint8), format="bgr24")
        converted: VideoFrame = self._reformatter.reformat(
            frame, format="yuv420p", dst_colorspace="ITU709", interpolation=ROUNDED
        )
        return converted

    def _encode(self, frame: VideoFrame, length: int) -> None:
        """Encode a frame of a length in ticks."""
        with self._guarded():
            self._lengths[frame.pts] = length
            self._write(self._stream.encode(frame))

    def _write(self, packets: Iterable[Packet[Any]]) -> None:
        """Write encoded frames, each with its length."""
        for packet in packets:
            packet.duration = self._lengths.pop(packet.pts)
            self._video.mux(packet)

    def discard(self) -> None:
        """Close and delete the unfinished video."""
        self.closed = True
        with contextlib.suppress(Exception):  # the error that leads here is reported already
            if self._video is not None:
                self._video.close()
        self._part.discard()

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn system errors, such as a full disk, into an `OutputError`, and delete the unfinished video."""
        from av.error import FFmpegError

        try:
            yield
        except (FFmpegError, OSError) as error:
            self.discard()
            raise OutputError(f"{self.path}: cannot be written ({error.strerror or error})") from error


def fit_into(image: Image, size: tuple[int, int]) -> Image:
    """Scale an image to fit a size, with black borders if the aspect ratios differ.

    Args:
        image: (H, W, 3) uint8 BGR.
        size: Width and height in pixels.

    Returns:
        (height, width, 3) uint8 BGR; the image itself if it already has the size.

    Example:
        >>> fit_into(np.full((10, 20, 3), 255, np.uint8), (10, 10))[:, 5, 0].tolist()
        [0, 0, 255, 255, 255, 255, 255, 0, 0, 0]
    """
    (height, width), (wide, high) = image.shape[:2], size
    if (width, height) == size:
        return image
    scale = min(wide / width, high / height)
    scaled = (max(1, round(width * scale)), max(1, round(height * scale)))
    left, top = (wide - scaled[0]) // 2, (high - scaled[1]) // 2
    whole = np.zeros((high, wide, 3), np.uint8)
    whole[top : top + scaled[1], left : left + scaled[0]] = cv2.resize(image, scaled, interpolation=cv2.INTER_AREA)
    return whole
