"""Open videos: find their moving pictures and key frames, turn what is decoded into images, say how long they last.

PyAV decodes, so whatever FFmpeg knows is opened: H.264, H.265, VP9, AV1, MPEG-4, motion JPEG, animated GIF and more.
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

from facemood.errors import VideoError
from facemood.schema import Image

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter
    from av.video.stream import VideoStream

LEAST_STRETCH = 0.01
"""Pixels that miss a square by less, as a share of their width, are left as they are."""

USUAL_RATE = 25
"""Frames a second where a video does not tell."""

MICRO = 1_000_000
"""Ticks a second of a whole video's clock, which is FFmpeg's own."""

ATOMS = {b"ftyp", b"mdat", b"moov", b"wide", b"free"}
"""What MP4 and QuickTime files begin with, after four bytes."""

COUNTABLE = {"h264", "hevc", "vp9", "av1", "mpeg4"}
"""Codecs whose packets in MP4 and Matroska hold one frame each, so that frames can be counted without decoding."""

LOCAL = {"protocol_whitelist": "file,crypto,data"}
"""FFmpeg's option by which a playlist on the disk leads to no address."""


class Place(NamedTuple):
    """A key frame to begin with: when the video's first frame and this one are shown, in ticks, and its number."""

    origin: int
    ticks: int
    number: int


def open_container(
    name: str | os.PathLike[str], *, options: Mapping[str, str] | None = None, timeout: float | None = None
) -> InputContainer:
    """Open a video or a network stream with PyAV. What a file names inside is fetched from no network.

    Args:
        name: A path, or an address such as ``rtsp://...`` or ``https://...``.
        options: FFmpeg's options, such as ``{"rtsp_transport": "tcp"}``.
        timeout: Seconds after which opening, or reading a packet, is given up; None waits.

    Raises:
        VideoError: There is nothing, or nothing that FFmpeg knows.
    """
    import av

    text = os.fspath(name)
    local = os.path.exists(text)
    place = f"file:{text}" if local else text  # else a colon in a file's name would end a protocol's
    known = {**(LOCAL if local else {}), **(options or {})}
    try:
        try:
            return av.open(place, "r", options=known, timeout=timeout)
        except UnicodeDecodeError:  # a title in some old encoding must not keep a video from being read
            return av.open(place, "r", options=known, timeout=timeout, metadata_errors="replace")
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(f"{text}: {_why_not(text, error)}") from error


def video_stream(container: InputContainer, name: str) -> VideoStream:
    """Return a container's moving pictures, ready to be decoded on several threads.

    Args:
        container: As `open_container` gives it.
        name: What messages call it.

    Raises:
        VideoError: There are none, or their codec is not known.
    """
    from av.stream import Disposition

    moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not moving:
        held = "only sound is" if container.streams.audio else "nothing is"
        raise VideoError(f"{name}: {held} in it; expected a video with at least one frame")
    best = container.streams.best("video")
    stream = next((stream for stream in moving if stream == best), moving[0])
    if stream.codec_context is None:
        raise VideoError(f"{name}: its pictures are compressed in an unknown way; convert it to H.264, say")
    stream.thread_type = "AUTO"
    return stream


class FrameConverter:
    """Turns decoded frames into pictures as people see them: upright, with square pixels, (H, W, 3) uint8 BGR.

    Args:
        aspect: Width over height of a stored pixel, as `pixel_aspect` gives it.

    Example:
        >>> from av import VideoFrame
        >>> FrameConverter(aspect=2.0)(VideoFrame(64, 48, "yuv420p")).shape
        (48, 128, 3)
    """

    aspect: float
    reformatter: VideoReformatter

    def __init__(self, aspect: float = 1.0) -> None:
        from av.video.reformatter import VideoReformatter

        self.aspect, self.reformatter = aspect, VideoReformatter()
        self._turn: tuple[int, bool] | None = None

    def __call__(self, frame: VideoFrame) -> Image:
        """Convert one frame."""
        mirrored = self._is_mirrored(frame)
        width = max(1, round(frame.width * self.aspect))
        stored = self.reformatter.reformat(frame, width=width, format="bgr24").to_ndarray()
        if mirrored:
            stored = stored[:, ::-1]
        return np.ascontiguousarray(np.rot90(stored, quarter_turns(frame, mirrored=mirrored)), np.uint8)

    def _is_mirrored(self, frame: VideoFrame) -> bool:
        """Tell whether a frame is mirrored; that is looked for at the beginning and where frames are turned otherwise.

        PyAV's side data keep a frame that they are asked of until garbage is collected: with each frame asked, videos
        would need 100 MB more, and the longer the more.
        """
        if self._turn is None or frame.rotation != self._turn[0]:
            self._turn = frame.rotation, is_mirrored(frame)
        return self._turn[1]


def pixel_aspect(stream: VideoStream) -> float:
    """Return width over height of a stream's pixels; 1 where they are square, or nearly so."""
    aspect = float(stream.sample_aspect_ratio or 1)
    return aspect if abs(aspect - 1) > LEAST_STRETCH else 1.0


def find_key_frame(name: str, before: float) -> Place | None:
    """Find the last key frame before a time, in seconds; None where the video must be decoded from its beginning."""
    from av.error import FFmpegError

    with open_container(name) as container:
        stream = video_stream(container, name)
        if not is_countable(stream):
            return None
        try:
            first = next(container.decode(stream), None)
            if first is None or first.pts is None:
                return None
            container.seek(first.pts, stream=stream)
            limit = first.pts + math.floor(before / tick_of(stream))
            place = _count(container.demux(stream), first.pts, limit)
            container.seek(place.ticks, stream=stream)
            reached = any(frame.pts == place.ticks for frame in itertools.islice(container.decode(stream), 99))
        except FFmpegError:
            return None
    return place if reached else None


def _count(packets: Iterator[Packet[VideoStream]], origin: int, limit: int) -> Place:
    """Count frames without decoding, up to the last key frame that is not shown after a time.

    Args:
        packets: From the first, in the order of decoding.
        origin: When the first frame is shown, in ticks.
        limit: The time in ticks.
    """
    place, total = Place(origin, origin, 0), 0
    for packet in packets:
        if packet.pts is None or (packet.pts if packet.dts is None else packet.dts) > limit:
            break
        if packet.is_discard:
            continue
        if packet.is_keyframe and packet.pts <= limit:
            place = Place(origin, packet.pts, total)
        elif packet.pts < place.ticks:  # stored after the key frame, yet shown before it
            place = place._replace(number=place.number + 1)
        total += 1
    return place


def is_countable(stream: VideoStream) -> bool:
    """Tell whether each packet of a stream is one frame with its own time, so that packets can be counted for them."""
    kind, codec = stream.container.format.name, stream.codec_context.codec.canonical_name
    return codec in COUNTABLE and ("mp4" in kind or "matroska" in kind)


def duration_of(container: InputContainer, stream: VideoStream, origin: int) -> Fraction | None:
    """Return the seconds that the pictures of a video should last from the first one, at `origin` ticks."""
    if container.format.name == "avi" and stream.frames and stream.average_rate:
        rate = stream.average_rate  # a broken AVI has a duration by its size, but its head still counts the frames
        return Fraction(stream.frames * rate.denominator, rate.numerator)
    if stream.duration:
        return stream.duration * tick_of(stream)
    begin = origin * tick_of(stream)
    tag = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", stream.metadata.get("DURATION", ""))  # Matroska's, by stream
    if tag:
        return 3600 * int(tag[1]) + 60 * int(tag[2]) + Fraction(tag[3]) - begin
    return Fraction(container.duration, MICRO) - begin if container.duration else None


def tick_of(stream: Stream) -> Fraction:
    """Return the seconds of one tick of a stream's clock."""
    base = stream.time_base or Fraction(1, USUAL_RATE)
    return Fraction(base.numerator, base.denominator)


def quarter_turns(frame: VideoFrame, *, mirrored: bool) -> int:
    """Return how often a picture is turned by 90 degrees counterclockwise to be shown, mirrored before where it is."""
    return (round(frame.rotation / 90) + 2 * mirrored) % 4


def is_mirrored(frame: VideoFrame) -> bool:
    """Tell whether a video's display matrix swaps left and right."""
    try:
        sides: Any = frame.side_data
        matrix = np.frombuffer(sides["DISPLAYMATRIX"], np.int32).astype(float)
    except (KeyError, ValueError):  # it has none, or PyAV does not know what else stands beside it
        return False
    return bool(matrix[0] * matrix[4] < matrix[1] * matrix[3])


def _why_not(name: str, error: Exception) -> str:
    """Say why something cannot be opened, and what may help."""
    from av.error import ExitError, InvalidDataError

    why = getattr(error, "strerror", None) or str(error)
    if "://" in name:
        late = isinstance(error, ExitError | TimeoutError)
        return f"there is no {'answer in time' if late else f'video ({why})'}; check the address and the network"
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, EOFError):
        return "it ends before its first frame; record or fetch it again"
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
            "its index (the moov atom) is missing or damaged, as when a recording or a copy breaks off; "
            "copy it again, or mend it with a tool that rebuilds the index, such as untrunc"
        )
    return "this is no video that FFmpeg knows; expected .mp4, .mov, .mkv, .webm, .avi or the like"
