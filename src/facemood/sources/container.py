"""Open videos: select the video stream, find key frames, convert decoded frames to images, get the duration.

PyAV decodes, so all codecs of FFmpeg work: H.264, H.265, VP9, AV1, MPEG-4, motion JPEG, animated GIF and more.
"""

from __future__ import annotations

import itertools
import math
import os
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from facemood.errors import LimitError, VideoError
from facemood.schema import Image
from facemood.sources.images import MAX_PIXELS

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter
    from av.video.stream import VideoStream

MIN_STRETCH = 0.01
"""Smallest deviation of the pixel aspect from 1 that is corrected. Below it, resizing would blur for nothing."""

DEFAULT_RATE = 25
"""Frames per second that are assumed for a video that does not state its rate; a common rate."""

MICRO = 1_000_000
"""Ticks per second of FFmpeg's clock for a whole container (AV_TIME_BASE)."""

ATOMS = {b"ftyp", b"mdat", b"moov", b"wide", b"free"}
"""Types of the first atom of MP4 and QuickTime files, bytes 4 to 7."""

COUNTABLE = {"h264", "hevc", "vp9", "av1", "mpeg4"}
"""Codecs with one frame per packet in MP4 and Matroska, so that frames can be counted without decoding."""

LOCAL = {"protocol_whitelist": "file,crypto,data"}
"""FFmpeg option that stops a local playlist from opening network addresses."""


CLOCK_TIME = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")
"""A time as hours, minutes and seconds, as in Matroska's tag DURATION."""

MAX_STRETCH = 8.0
"""Largest ratio of the sides of a pixel that is believed; anamorphic films have 2 or less."""


class KeyFrame(NamedTuple):
    """A key frame at which decoding begins.

    Attributes:
        origin: Presentation time of the video's first frame, in ticks.
        ticks: Presentation time of the key frame, in ticks.
        number: Number of the key frame in the video, from 0.
    """

    origin: int
    ticks: int
    number: int


def open_container(
    name: str | os.PathLike[str], *, options: Mapping[str, str] | None = None, timeout: float | None = None
) -> InputContainer:
    """Open a video or a network stream with PyAV. A local file cannot make FFmpeg open a network address.

    Args:
        name: A path, or an address such as ``rtsp://...`` or ``https://...``.
        options: Options of FFmpeg, such as ``{"rtsp_transport": "tcp"}``.
        timeout: Longest time, in seconds, to open it or to read a packet; None waits forever.

    Raises:
        VideoError: It does not exist, or FFmpeg cannot open it.
    """
    import av

    text = os.fspath(name)
    local = os.path.exists(text)
    place = f"file:{text}" if local else text  # without file:, a colon in a file's name would end a protocol's name
    known = {**(LOCAL if local else {}), **(options or {})}
    try:
        try:
            return av.open(place, "r", options=known, timeout=timeout)
        except UnicodeDecodeError:  # metadata in another encoding must not stop the video from opening
            return av.open(place, "r", options=known, timeout=timeout, metadata_errors="replace")
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(f"{text}: {_explain_failure(text, error)}") from error


def video_stream(container: InputContainer, name: str) -> VideoStream:
    """Return a container's video stream, set to decode on several threads. Cover images are ignored.

    Args:
        container: A container from `open_container`.
        name: Its name in messages.

    Raises:
        VideoError: It has no video stream, or the codec is unknown.
    """
    from av.stream import Disposition

    moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not moving:
        content = "only sound" if container.streams.audio else "no video stream"
        raise VideoError(f"{name}: it has {content}; expected a video with at least one frame")
    best = container.streams.best("video")
    stream = next((stream for stream in moving if stream == best), moving[0])
    if stream.codec_context is None:
        raise VideoError(f"{name}: its video codec is unknown; convert it to H.264, for example")
    stream.thread_type = "AUTO"
    return stream


class FrameConverter:
    """Converts decoded frames to images as players show them: upright, square pixels, (H, W, 3) uint8 BGR.

    Frames of more than `MAX_PIXELS` are downsampled by an integer factor.

    Args:
        aspect: Width over height of a stored pixel, from `pixel_aspect`.
        max_pixels: Most pixels of a frame, as it is shown; None for any. It is checked before the conversion.

    Example:
        >>> from av import VideoFrame
        >>> FrameConverter(aspect=2.0)(VideoFrame(64, 48, "yuv420p")).shape
        (48, 128, 3)
    """

    aspect: float
    max_pixels: int | None
    reformatter: VideoReformatter

    def __init__(self, aspect: float = 1.0, *, max_pixels: int | None = None) -> None:
        from av.video.reformatter import VideoReformatter

        self.aspect, self.max_pixels, self.reformatter = aspect, max_pixels, VideoReformatter()
        self._turn: tuple[int, bool] | None = None

    def __call__(self, frame: VideoFrame) -> Image:
        """Convert one frame.

        Raises:
            LimitError: It has more than `max_pixels`.
        """
        width, height = frame.width * self.aspect, frame.height
        if self.max_pixels is not None and width * height > self.max_pixels:
            raise LimitError(
                f"a frame has {width:.0f} x {height} pixels; expected at most {self.max_pixels:,}, make it smaller"
            )
        mirrored = self._is_mirrored(frame)
        factor = max(1, math.ceil(math.sqrt(width * height / MAX_PIXELS)))
        size = {"width": max(1, round(width / factor)), "height": max(1, height // factor)}
        stored = self.reformatter.reformat(frame, format="bgr24", **size).to_ndarray()
        if mirrored:
            stored = stored[:, ::-1]
        return np.ascontiguousarray(np.rot90(stored, quarter_turns(frame, mirrored=mirrored)), np.uint8)

    def _is_mirrored(self, frame: VideoFrame) -> bool:
        """Return whether a frame is mirrored. Only the first frame and those with a new rotation are checked.

        PyAV keeps each frame whose side data are read until the next garbage collection. To read them of every frame
        would take 100 MB or more, growing with the length of the video.
        """
        if self._turn is None or frame.rotation != self._turn[0]:
            self._turn = frame.rotation, is_mirrored(frame)
        return self._turn[1]


def pixel_aspect(stream: VideoStream) -> float:
    """Return width over height of a stream's pixels; 1 if they are nearly square, or so long that it is an error."""
    aspect = float(stream.sample_aspect_ratio or 1)
    return aspect if abs(aspect - 1) > MIN_STRETCH and 1 / MAX_STRETCH <= aspect <= MAX_STRETCH else 1.0


def find_key_frame(name: str, before: float) -> KeyFrame | None:
    """Find the last key frame before a time in seconds; None if the video must be decoded from its beginning."""
    from av.error import FFmpegError

    with open_container(name) as container:
        stream = video_stream(container, name)
        if not is_countable(stream):
            return None
        try:
            first = next(container.decode(stream), None)
            if first is None or first.pts is None:
                return None
            limit = first.pts + math.floor(before / tick_of(stream))
            key_frame = _find_in_index(container, stream, first.pts, limit)
            if key_frame is None:
                container.seek(first.pts, stream=stream)
                key_frame = _count(container.demux(stream), first.pts, limit)
            container.seek(key_frame.ticks, stream=stream)
            reached = any(frame.pts == key_frame.ticks for frame in itertools.islice(container.decode(stream), 99))
        except FFmpegError:
            return None
    return key_frame if reached else None


def _find_in_index(container: InputContainer, stream: VideoStream, origin: int, limit: int) -> KeyFrame | None:
    """Find the last key frame at or before a time in the index of an MP4, which lists all packets.

    Only the frames around the key frame are read. The result is that of `_count`.

    Args:
        container: The open video.
        stream: Its video stream.
        origin: Presentation time of the first frame, in ticks.
        limit: The time, in ticks.

    Returns:
        None if there is no such index, or the key frame is not where it says.
    """
    index = stream.index_entries
    if "mp4" not in container.format.name or not 0 < stream.frames <= len(index):
        return None
    container.seek(limit, stream=stream)
    packets = container.demux(stream)
    first = next(packets, None)
    if first is not None and first.pts is not None and first.dts is not None and first.pts > limit:
        container.seek(first.dts - 1, stream=stream)  # FFmpeg took a key frame that is stored before the time
        packets = container.demux(stream)
        first = next(packets, None)
    if first is None or first.pts is None or first.dts is None or not first.is_keyframe or first.pts > limit:
        return None
    place, key_time = index.search_timestamp(first.dts, any_frame=True), first.pts
    if place < 0 or index[place].timestamp != first.dts:
        return None
    earlier = sum(not entry.is_discard for entry in itertools.islice(index, place))
    behind = itertools.takewhile(lambda packet: packet.dts is not None and packet.dts <= key_time, packets)
    leading = sum(packet.pts is not None and packet.pts < key_time and not packet.is_discard for packet in behind)
    return KeyFrame(origin, key_time, earlier + leading)


def _count(packets: Iterator[Packet[VideoStream]], origin: int, limit: int) -> KeyFrame:
    """Count frames without decoding, up to the last key frame at or before a time.

    Args:
        packets: All packets, in decoding order.
        origin: Presentation time of the first frame, in ticks.
        limit: The time, in ticks.
    """
    key_frame, total = KeyFrame(origin, origin, 0), 0
    for packet in packets:
        if packet.pts is None or (packet.pts if packet.dts is None else packet.dts) > limit:
            break
        if packet.is_discard:
            continue
        if packet.is_keyframe and packet.pts <= limit:
            key_frame = KeyFrame(origin, packet.pts, total)
        elif packet.pts < key_frame.ticks:  # stored after the key frame, but shown before it
            key_frame = key_frame._replace(number=key_frame.number + 1)
        total += 1
    return key_frame


def is_countable(stream: VideoStream) -> bool:
    """Return whether each packet of a stream is one frame with its own time, so that frames can be counted."""
    kind, codec = stream.container.format.name, stream.codec_context.codec.canonical_name
    return codec in COUNTABLE and ("mp4" in kind or "matroska" in kind)


def duration_of(container: InputContainer, stream: VideoStream, origin: int) -> Fraction | None:
    """Return how many seconds a video stream should last from its first frame, at `origin` ticks; None if unknown."""
    if container.format.name == "avi" and stream.frames and stream.average_rate:
        # a truncated AVI derives its duration from its size, but the header has the number of frames
        rate = stream.average_rate
        return Fraction(stream.frames * rate.denominator, rate.numerator)
    if stream.duration:
        return stream.duration * tick_of(stream)
    start = origin * tick_of(stream)
    tag = CLOCK_TIME.fullmatch(stream.metadata.get("DURATION", ""))  # Matroska's tag for each stream
    if tag:
        return 3600 * int(tag[1]) + 60 * int(tag[2]) + Fraction(tag[3]) - start
    return Fraction(container.duration, MICRO) - start if container.duration else None


def tick_of(stream: Stream) -> Fraction:
    """Return the length of one tick of a stream's clock in seconds."""
    base = stream.time_base or Fraction(1, DEFAULT_RATE)
    return Fraction(base.numerator, base.denominator)


def quarter_turns(frame: VideoFrame, *, mirrored: bool) -> int:
    """Return by how many quarter turns counterclockwise a frame is rotated for display, after mirroring if it is."""
    return (round(frame.rotation / 90) + 2 * mirrored) % 4


def is_mirrored(frame: VideoFrame) -> bool:
    """Return whether a frame's display matrix swaps left and right."""
    try:
        sides: Any = frame.side_data
        matrix = np.frombuffer(sides["DISPLAYMATRIX"], np.int32).astype(float)
    except (KeyError, ValueError):  # there is no matrix, or PyAV does not know another type of side data
        return False
    return bool(matrix[0] * matrix[4] < matrix[1] * matrix[3])


def _explain_failure(name: str, error: Exception) -> str:
    """Return why a video cannot be opened, and what to do."""
    from av.error import ExitError, InvalidDataError

    why = getattr(error, "strerror", None) or str(error)
    if "://" in name:
        late = isinstance(error, ExitError | TimeoutError)
        return f"there is no {'answer in time' if late else f'video ({why})'}; check the address and the network"
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, EOFError):
        return "it ends before its first frame; record or download it again"
    if os.path.isdir(name):
        return "it is a folder; expected a video"
    if not isinstance(error, InvalidDataError):
        return f"it cannot be read ({why}); expected a video or the address of one"
    with open(name, "rb") as file:
        head = file.read(8)
    if not head:
        return "the file is empty; expected a video"
    if head[4:] in ATOMS:
        return (
            "its index (the moov atom) is missing or damaged, for example after an interrupted recording or copy; "
            "copy it again, or rebuild the index with a tool such as untrunc"
        )
    return "this is no video that FFmpeg can read; expected .mp4, .mov, .mkv, .webm, .avi or the like"
