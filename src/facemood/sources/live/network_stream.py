"""Read network streams with PyAV: rtsp, http, udp and the other protocols of FFmpeg."""

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
"""Protocols of the addresses that are read as network streams."""

TIMEOUT = 8.0
"""Seconds without data after which a stream cannot be opened, or is lost."""

OPTIONS = {
    "rtsp": {"rtsp_flags": "prefer_tcp"},  # over UDP, a lost packet damages all frames up to the next key frame
    "udp": {"overrun_nonfatal": "1"},
}
"""Options of FFmpeg for each protocol."""


class NetworkStream:
    """A network stream as a feed. A video file behind an address is played at its own speed and has an end.

    Args:
        address: An address such as ``rtsp://user:password@camera.local/1``.

    Raises:
        SourceError: The stream cannot be opened, or has no video.
    """

    def __init__(self, address: str) -> None:
        scheme = address.partition("://")[0].lower()
        try:
            self._container = open_container(address, options=OPTIONS.get(scheme), timeout=TIMEOUT)
            stream = video_stream(self._container, address)
        except VideoError as error:
            raise SourceError(str(error).replace(address, public_name(address))) from None
        stream.thread_type = "SLICE"  # frame threads would delay each frame by the number of threads
        self._convert = FrameConverter(pixel_aspect(stream))
        self._ends = self._container.duration is not None
        self._paced = self._ends or self._container.format.name == "hls"  # HLS delivers several seconds at once
        self._began: float | None = None
        self._frames = _decode(self._container, stream)

    def read(self) -> tuple[bool, Image | None]:
        """Wait for the next frame, (H, W, 3) uint8 BGR.

        Raises:
            EOFError: A video file has ended.
            SourceError: The connection was lost.
        """
        import av

        try:
            frame = next(self._frames, None)
        except (av.error.FFmpegError, OSError) as error:
            raise SourceError(self._explain_loss(error)) from None
        if frame is None and self._ends:
            raise EOFError
        if frame is None:
            return False, None
        self._keep_pace(frame.time)
        return True, self._convert(frame)

    def release(self) -> None:
        """Close the connection."""
        self._container.close()

    def _explain_loss(self, error: Exception) -> str:
        """Return why no frame arrives, without the address, which may contain a password."""
        reason = getattr(error, "strerror", None) or type(error).__name__
        if self._ends and self._began is None:
            return f"{reason}; if other programs can play this video, save it and read the file"
        return str(reason)

    def _keep_pace(self, time_s: float | None) -> None:
        """Wait until a video file's frame is due. Its time is in seconds from the first frame."""
        if not self._paced or time_s is None:
            return
        if self._began is None:
            self._began = time.monotonic() - time_s
        time.sleep(max(0.0, min(self._began + time_s - time.monotonic(), 1.0)))


def public_name(address: str) -> str:
    """Return an address without user name and password, for messages, tables and images.

    Example:
        >>> public_name("rtsp://anna:secret@camera.local:554/1")
        'rtsp://camera.local:554/1'
    """
    scheme, mark, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def _decode(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Yield a stream's frames. Damaged packets are skipped; after 2 `TIMEOUT` without a whole frame the stream ends."""
    import av

    last = time.monotonic()
    for packet in container.demux(stream):
        frames: list[VideoFrame] = []
        with contextlib.suppress(av.error.InvalidDataError):
            frames = packet.decode()
        if frames:
            yield from frames
            last = time.monotonic()
        elif time.monotonic() - last > 2 * TIMEOUT:
            return
