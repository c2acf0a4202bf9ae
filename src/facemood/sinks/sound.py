"""The sound of annotated videos: read from the source, and copied or transcoded into the new video."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from facemood.sources.container import MICRO, open_container, tick_of, video_stream
from facemood.sources.video import VideoInfo

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

COPIED = {"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"}
"""Audio codecs that MP4 supports, which are copied; other sound is transcoded to AAC."""

AAC_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}
"""Sample rates per second that AAC supports; another rate is converted to the highest of these."""

EARLY = 0.1
"""Longest time, in seconds, by which sound may begin before the first frame. Encoders begin with a short silence."""

OVERDUE = 2
"""Number of frame intervals without a result after which reading counts as interrupted."""

DEFAULT_STEP = 1 / 25
"""Length of a frame in seconds if it is unknown: 25 frames per second."""


class SoundSource:
    """Reads the sound of a source in step with its results, and finds the end of its last frame.

    Times are in seconds from the source's first frame, as in results.

    Args:
        name: Path of the source.
        info: Properties of the source.

    Attributes:
        end: End of the last frame read so far, in seconds.
        duration: Duration of the source in seconds; 0 if unknown.
    """

    end: float
    duration: float

    def __init__(self, name: str, info: VideoInfo) -> None:
        self.container: InputContainer = open_container(name)
        self.video: VideoStream = video_stream(self.container, name)
        audio: Any = self.container.streams.best("audio")
        self.sound: AudioStream | None = audio if audio is not None and audio.codec_context is not None else None
        self.began: float = (self.container.start_time or 0) / MICRO + info.start
        self.interval: float = 1 / info.fps if info.fps else DEFAULT_STEP
        self.end, self.duration = 0.0, info.duration or 0.0
        self._streams = [stream for stream in (self.video, self.sound) if stream is not None]
        self._packets = self.container.demux(*self._streams)
        self._waiting: Packet[Any] | None = None

    def sound_until(self, time: float) -> Iterator[Packet[Any]]:
        """Yield the sound up to a time in seconds, from where the last call ended."""
        while (packet := self._next()) is not None:
            if self._when(packet) > time:
                self._waiting = packet
                return
            if packet.stream.type == "audio":
                yield packet

    def finish(self, last: float, step: float) -> tuple[float, list[Packet[Any]]]:
        """Return the end of the last written frame in seconds, and the remaining sound until then.

        Args:
            last: Time of the last written frame, in seconds.
            step: Longest time between two written frames, in seconds.
        """
        rest = []
        step = step or self.interval
        while (packet := self._next()) is not None:
            if packet.stream.type == "audio":
                rest.append(packet)
            elif self._when(packet) > last + OVERDUE * step:  # a frame is overdue, so reading was interrupted
                return last + step, [packet for packet in rest if self._when(packet) < last + step]
        known = [end for end in (self.end, self.duration) if end > last]
        return min(known, default=last + step), rest

    def close(self) -> None:
        """Close the source."""
        self.container.close()

    def _next(self) -> Packet[Any] | None:
        """Return the next packet; None at the end of the source, or if it cannot be read further."""
        from av.error import FFmpegError

        packet, self._waiting = self._waiting, None
        try:
            while packet is None or (packet.pts is None and packet.dts is None):  # the last packets are empty
                packet = next(self._packets)
        except (StopIteration, FFmpegError):
            return None
        if packet.stream.type == "video":
            start = packet.dts if packet.pts is None else packet.pts
            ended = float((start or 0) + (packet.duration or 0)) * float(packet.time_base) - self.began
            self.end = max(self.end, ended if packet.duration else ended + self.interval)
        return packet

    def _when(self, packet: Packet[Any]) -> float:
        """Return the decoding time of a packet in seconds."""
        ticks = packet.pts if packet.dts is None else packet.dts
        return float((ticks or 0) * packet.time_base) - self.began


class SoundTrack:
    """The sound of a new video: copied if MP4 supports the codec, else transcoded to AAC.

    Args:
        video: The open video, before its first frame.
        source: The sound of the source.
        shift: Seconds from a time of the source to that of the video.
    """

    source: AudioStream
    shift: float

    def __init__(self, video: OutputContainer, source: AudioStream, shift: float) -> None:
        self.source, self.shift = source, shift
        self.copied: bool = source.codec_context.codec.canonical_name in COPIED
        self.stream: AudioStream = (
            video.add_stream_from_template(source, opaque=True) if self.copied else _add_aac(video, source)
        )

    def convert(self, packets: Iterable[Packet[Any]]) -> Iterator[Packet[Any]]:
        """Yield packets for the new video; sound before its start is left out."""
        from av.error import FFmpegError

        for packet in packets:
            later = round(self.shift / tick_of(self.source))
            packet.pts = later + int((packet.dts if packet.pts is None else packet.pts) or 0)
            packet.dts = packet.pts if packet.dts is None else later + packet.dts
            if packet.pts * tick_of(self.source) < -EARLY:
                continue
            if self.copied:
                packet.stream = self.stream
                yield packet
            else:
                with contextlib.suppress(FFmpegError):  # damaged sound is left out
                    yield from self._compress(packet.decode())

    def flush(self) -> Iterator[Packet[Any]]:
        """Yield the last packets of the encoder."""
        if not self.copied:
            yield from self._compress(self.source.decode(None))
            yield from self.stream.encode(None)

    def _compress(self, frames: Iterable[Any]) -> Iterator[Packet[Any]]:
        """Encode sound as AAC."""
        for frame in frames:
            yield from self.stream.encode(frame)


def _add_aac(video: OutputContainer, source: AudioStream) -> AudioStream:
    """Add an AAC stream of one or two channels to a video."""
    rate = source.codec_context.sample_rate
    stream = video.add_stream("aac", rate=rate if rate in AAC_RATES else max(AAC_RATES))
    stream.layout = "mono" if source.codec_context.layout.nb_channels == 1 else "stereo"
    return stream
