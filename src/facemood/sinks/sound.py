"""The sound of videos: read beside a source's pictures, and copied into another video."""

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
"""Sound that MP4 can hold as it is; other sound becomes AAC."""

AAC_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}
"""Sound samples a second that AAC takes; another rate becomes the highest."""

EARLY = 0.1
"""Seconds by which sound may begin before the pictures: encoders put a moment of silence first."""

DUE = 2
"""After so many steps without a frame the source has ended, or somebody has ended its reading."""

USUAL_STEP = 1 / 25
"""Seconds that a frame lasts where nothing tells."""


class SoundSource:
    """Reads a source beside its pictures: its sound, and when its last picture ends.

    Times are seconds from the source's first picture, as in results.

    Args:
        name: The source's path.
        info: What is known of it.
    """

    end: float
    duration: float

    def __init__(self, name: str, info: VideoInfo) -> None:
        self.container: InputContainer = open_container(name)
        self.pictures: VideoStream = video_stream(self.container, name)
        heard: Any = self.container.streams.best("audio")
        self.sound: AudioStream | None = heard if heard is not None and heard.codec_context is not None else None
        self.began: float = (self.container.start_time or 0) / MICRO + info.start
        self.interval: float = 1 / info.fps if info.fps else USUAL_STEP
        self.end, self.duration = 0.0, info.duration or 0.0
        self._streams = [stream for stream in (self.pictures, self.sound) if stream is not None]
        self._packets = self.container.demux(*self._streams)
        self._waiting: Packet[Any] | None = None

    def sound_until(self, time: float) -> Iterator[Packet[Any]]:
        """Yield what is heard up to a time and was not yielded yet."""
        while (packet := self._next()) is not None:
            if self._when(packet) > time:
                self._waiting = packet
                return
            if packet.stream.type == "audio":
                yield packet

    def finish(self, last: float, step: float) -> tuple[float, list[Packet[Any]]]:
        """Return when the last written picture ends, and the sound that is left until then.

        Args:
            last: When the last picture was written.
            step: The longest time between two that were.
        """
        rest = []
        step = step or self.interval
        while (packet := self._next()) is not None:
            if packet.stream.type == "audio":
                rest.append(packet)
            elif self._when(packet) > last + DUE * step:  # a frame was due, so the reading was interrupted
                return last + step, [packet for packet in rest if self._when(packet) < last + step]
        known = [end for end in (self.end, self.duration) if end > last]
        return min(known, default=last + step), rest

    def close(self) -> None:
        """Close the source."""
        self.container.close()

    def _next(self) -> Packet[Any] | None:
        """Return the next packet, or None where the source ends or cannot be read any further."""
        from av.error import FFmpegError

        packet, self._waiting = self._waiting, None
        try:
            while packet is None or (packet.pts is None and packet.dts is None):  # the last ones are empty
                packet = next(self._packets)
        except (StopIteration, FFmpegError):
            return None
        if packet.stream.type == "video":
            shown = packet.dts if packet.pts is None else packet.pts
            ended = float((shown or 0) + (packet.duration or 0)) * float(packet.time_base) - self.began
            self.end = max(self.end, ended if packet.duration else ended + self.interval)
        return packet

    def _when(self, packet: Packet[Any]) -> float:
        """Return when a packet is due."""
        due = packet.pts if packet.dts is None else packet.dts
        return float((due or 0) * packet.time_base) - self.began


class SoundTrack:
    """The sound of a new video: copied where MP4 can hold it, else compressed anew.

    Args:
        video: The open video, before its first picture.
        source: The sound that is copied.
        shift: Seconds to add to the source's times for the video's.
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
        """Yield packets as they stand in the video; what is heard before it begins is left out."""
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
                with contextlib.suppress(FFmpegError):  # a damaged moment is not heard
                    yield from self._compress(packet.decode())

    def flush(self) -> Iterator[Packet[Any]]:
        """Yield what the encoder still holds."""
        if not self.copied:
            yield from self._compress(self.source.decode(None))
            yield from self.stream.encode(None)

    def _compress(self, frames: Iterable[Any]) -> Iterator[Packet[Any]]:
        """Compress sound as AAC."""
        for frame in frames:
            yield from self.stream.encode(frame)


def _add_aac(video: OutputContainer, source: AudioStream) -> AudioStream:
    """Add a stream of new sound to a video, as AAC of one or two channels."""
    rate = source.codec_context.sample_rate
    stream = video.add_stream("aac", rate=rate if rate in AAC_RATES else max(AAC_RATES))
    stream.layout = "mono" if source.codec_context.layout.nb_channels == 1 else "stereo"
    return stream
