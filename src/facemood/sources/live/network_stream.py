"""Read a network stream with PyAV: rtsp, http, udp and what else FFmpeg knows."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from facemood.errors import SourceError, VideoError
from facemood.schema import Image
from facemood.sources.container import FrameConverter, open_container, pixel_aspect, video_stream

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "rtp", "http", "https", "udp", "tcp", "srt", "mms")
"""How addresses of streams begin."""

TIMEOUT = 8.0
"""Seconds without data after which a stream cannot be opened, or is lost."""

OPTIONS = {
    "rtsp": {"rtsp_flags": "prefer_tcp"},  # pictures whole rather than early: cameras over udp smear when one is lost
    "udp": {"overrun_nonfatal": "1"},
}


class Stream:
    """A network stream as a feed. A video behind an address is played at its own pace and has an end.

    Args:
        address: Such as ``rtsp://user:password@camera.local/1``.

    Raises:
        SourceError: It cannot be opened, or has no pictures.
    """

    def __init__(self, address: str) -> None:
        scheme = address.partition("://")[0].lower()
        try:
            self._container = open_container(address, options=OPTIONS.get(scheme), timeout=TIMEOUT)
            stream = video_stream(self._container, address)
        except VideoError as error:
            raise SourceError(str(error).replace(address, public_name(address))) from None
        stream.thread_type = "SLICE"  # threads that each hold a frame would delay every picture by as many
        self._convert = FrameConverter(pixel_aspect(stream))
        self._ends = self._container.duration is not None
        self._paced = self._ends or self._container.format.name == "hls"  # segments come in one piece
        self._began: float | None = None
        self._pictures = _decode(self._container, stream)

    def read(self) -> tuple[bool, Image | None]:
        """Wait for the next picture, (H, W, 3) uint8 BGR.

        Raises:
            EOFError: A video came to its end.
            SourceError: The connection was lost.
        """
        import av

        try:
            picture = next(self._pictures, None)
        except (av.error.FFmpegError, OSError) as error:
            raise SourceError(self._why_lost(error)) from None
        if picture is None and self._ends:
            raise EOFError
        if picture is None:
            return False, None
        self._keep_pace(picture.time)
        return True, self._convert(picture)

    def release(self) -> None:
        """Close the connection."""
        self._container.close()

    def _why_lost(self, error: Exception) -> str:
        """Say why no picture comes, without the address and what may be secret in it."""
        reason = getattr(error, "strerror", None) or type(error).__name__
        if self._ends and self._began is None:
            return f"{reason}; if it is a video that others can play, save it and read the file"
        return str(reason)

    def _keep_pace(self, moment: float | None) -> None:
        """Wait until a video's picture is due, seconds from its first one."""
        if not self._paced or moment is None:
            return
        if self._began is None:
            self._began = time.monotonic() - moment
        time.sleep(max(0.0, min(self._began + moment - time.monotonic(), 1.0)))


def public_name(address: str) -> str:
    """Return an address without user name and password, as messages, tables and pictures may show it.

    Example:
        >>> public_name("rtsp://anna:secret@camera.local:554/1")
        'rtsp://camera.local:554/1'
    """
    scheme, mark, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def _decode(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Yield a stream's pictures; what is damaged on the way is left out, as long as something whole comes in time."""
    import av

    heard = time.monotonic()
    for packet in container.demux(stream):
        pictures: list[VideoFrame] = []
        with contextlib.suppress(av.error.InvalidDataError):
            pictures = packet.decode()
        if pictures:
            yield from pictures
            heard = time.monotonic()
        elif time.monotonic() - heard > 2 * TIMEOUT:
            return
