"""Annotated videos: H.264 in MP4, with the source's own times and sound."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Collection, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from facemood.atomic import Part
from facemood.errors import OutputError, SourceError
from facemood.originals import refuse_overwriting
from facemood.results import Result
from facemood.schema import Image
from facemood.sinks.annotated_images import DrawingSink
from facemood.sinks.sink import ONE_VIDEO
from facemood.sinks.sound import USUAL_STEP, SoundSource, SoundTrack
from facemood.sources.video import VideoInfo, probe_video

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame

logger: logging.Logger = logging.getLogger("facemood")

CLOCK = Fraction(1, 90_000)
"""Seconds of a written video's tick: fine enough for every usual frame rate."""

ENCODER = {"preset": "veryfast", "crf": "20", "bf": "0"}
"""x264's options. No frame is built on later ones (bf): only so is each one's length kept exactly, the last's too."""

KEYFRAMES = 48
"""A frame that stands for itself comes after so many at most, so that players can jump."""

NARROW, BT709 = 1, 1
"""FFmpeg's numbers for videos' usual range of values, 16..235, and for the colours of ITU-R BT.709."""

ROUNDED = 0x40002
"""FFmpeg's number for converting colours to the nearest value, where it would else take the next lower one."""


class VideoWriter:
    """An H.264 video that grows beside its name; pictures come one by one, each with its time.

    The video begins with the first picture, and frames last until the next one: any frame rate is kept, and one that
    varies too. H.264 wants even sizes: a last row or column is repeated where a size is odd. Pictures of another size
    than the first are fitted into it, with black beside them.

    Args:
        path: The video's name; it gets it when it is closed.

    Raises:
        OutputError: The place cannot be written to.

    Example:
        >>> import tempfile
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
        self._waiting: VideoFrame | None = None  # it is written when the next one tells how long it lasts
        self._step = round(USUAL_STEP / CLOCK)
        self._lengths: dict[int | None, int] = {}

    def begin(self, picture: Image, timestamp: float, *, lead: float = 0.0) -> OutputContainer:
        """Open the video for pictures like one, so that a stream of sound can be added before `add` is called.

        Args:
            picture: (H, W, 3) uint8 BGR, of the size that the video shall have.
            timestamp: When it is shown, in seconds.
            lead: Seconds for which the video runs before its first picture.

        Raises:
            OutputError: The place cannot be written to.
        """
        import av
        from av.video.reformatter import VideoReformatter

        height, width = picture.shape[:2]
        self._size, self._first, self._last, self._lead = (width, height), timestamp, timestamp, lead
        with self._guarded():
            video = av.open(f"file:{self._part.path}", "w", format="mp4", options={"movflags": "faststart"})
            self._video, self._reformatter = video, VideoReformatter()
            self._stream = video.add_stream("libx264", rate=round(1 / USUAL_STEP), options=ENCODER, time_base=CLOCK)
            self._stream.width, self._stream.height = width + width % 2, height + height % 2
            codec = self._stream.codec_context
            codec.pix_fmt, codec.gop_size, codec.color_range = "yuv420p", KEYFRAMES, NARROW
            codec.colorspace = codec.color_primaries = codec.color_trc = BT709
        return video

    def add(self, image: Image, timestamp: float) -> None:
        """Show a picture from a time on.

        Args:
            image: (H, W, 3) uint8 BGR.
            timestamp: In seconds from any beginning; never less than the last one.

        Raises:
            OutputError: The time lies before the last one, the video is closed, or the place cannot be written to.
        """
        if self.closed:
            raise OutputError(f"{self.path}: the video is closed and takes no more pictures; begin another")
        if self._video is None:
            self.begin(image, timestamp)
        if timestamp < self._last:
            raise OutputError(
                f"{self.path}: a picture of {timestamp:.3f} s follows one of {self._last:.3f} s; expected them in order"
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
        """Write what is compressed already, such as sound.

        Raises:
            OutputError: The place cannot be written to.
        """
        with self._guarded():
            for packet in packets:
                self._video.mux(packet)

    def close(self, end: float | None = None, *, whole: bool = True) -> None:
        """Finish the video and give it its name; without a picture there is none.

        Args:
            end: The second at which the last picture ends; None lets it last as long as the one before.
            whole: Whether it came to its end; else its name says that it is unfinished.

        Raises:
            OutputError: The place cannot be written to.
        """
        if self.closed:
            return
        if self._waiting is None:
            logger.warning("%s: no picture came, so no video was written", self.path)
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
        """Return when a moment is in the video."""
        return round((timestamp - self._first + self._lead) / CLOCK)

    def _to_frame(self, image: Image) -> VideoFrame:
        """Return a picture in the colours and the size of the video."""
        from av import VideoFrame

        width, height = self._size
        whole = cv2.copyMakeBorder(fit_into(image, self._size), 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        frame = VideoFrame.from_ndarray(np.asarray(whole, np.uint8), format="bgr24")
        converted: VideoFrame = self._reformatter.reformat(
            frame, format="yuv420p", dst_colorspace="ITU709", interpolation=ROUNDED
        )
        return converted

    def _encode(self, frame: VideoFrame, length: int) -> None:
        """Compress a frame that lasts so many ticks."""
        with self._guarded():
            self._lengths[frame.pts] = length
            self._write(self._stream.encode(frame))

    def _write(self, packets: Iterable[Packet[Any]]) -> None:
        """Write compressed frames, each with its length."""
        for packet in packets:
            packet.duration = self._lengths.pop(packet.pts)
            self._video.mux(packet)

    def discard(self) -> None:
        """Give the video up: none takes its name."""
        self.closed = True
        with contextlib.suppress(Exception):  # whatever its end cannot be written for was said before
            if self._video is not None:
                self._video.close()
        self._part.discard()

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn the system's refusal (a full disk, say) into our error; no half video is left then."""
        from av.error import FFmpegError

        try:
            yield
        except (FFmpegError, OSError) as error:
            self.discard()
            raise OutputError(f"{self.path}: cannot be written ({error.strerror or error})") from error


class VideoSink(DrawingSink):
    """A video as it was, with what was read drawn on it, and with its sound.

    Frames have the times that the results tell. Where not all were read, those that were last longer; the last one
    lasts until the source's pictures end. After an interruption the video ends there, and its sound with it. Sound is
    copied as it is where MP4 can hold it, voices too where faces are hidden. A source that is no file, such as a
    camera, gives no sound.

    Args:
        path: The video's name; it gets it when it is closed.
        info: What makes the results; a video does not tell it.
        layers: What it shows beside boxes and labels, as for `Result.draw`.
        anonymize: ``"blur"`` or ``"box"`` hides the faces that were found, before anything is drawn.

    Raises:
        OutputError: There is no such layer or way to hide, or the place cannot be written to.
    """

    holds = ONE_VIDEO

    def __init__(self, path: Path, info: dict[str, Any], layers: Collection[str] = (), *, anonymize: str = "") -> None:
        super().__init__(path, info, layers, anonymize=anonymize)
        self._video = VideoWriter(path)
        self._source: str | None = None
        self._reader: SoundSource | None = None
        self._sound: SoundTrack | None = None
        self._last, self._step = 0.0, 0.0

    def write(self, result: Result) -> None:
        """Draw and write one frame, and the sound up to it.

        Raises:
            OutputError: It is of another source than the others, has no time, or cannot be written.
        """
        moment = self._time_of(result)
        picture = self.draw(result)
        if self._source is None:
            self._begin(result.source, picture, moment)
        else:
            self._step = max(self._step, moment - self._last)
        self._video.add(picture, moment)
        self._last = moment
        if self._reader and self._sound:
            self._video.mux(self._sound.convert(self._reader.sound_until(moment)))

    def close(self, *, whole: bool = True) -> None:
        """Finish the video, and give it its name, or one that says that it is unfinished.

        Raises:
            OutputError: The place cannot be written to.
        """
        end = None
        if self._reader and not self._video.closed:
            end, rest = self._reader.finish(self._last, self._step)
            if self._sound:
                self._video.mux(self._sound.convert(rest))
                self._video.mux(self._sound.flush())
        if self._reader:
            self._reader.close()
        self._video.close(end, whole=whole)

    def discard(self) -> None:
        """Leave what was there before."""
        if self._reader:
            self._reader.close()
        self._video.discard()

    def _time_of(self, result: Result) -> float:
        """Check that a result belongs to this video, and return its time."""
        if result.timestamp is None:
            raise OutputError(
                f"{self.path}: {result.source} is a single picture and has no time in a video; "
                f"give a folder's name for pictures, {self.path.stem}/"
            )
        if self._source not in (None, result.source):
            raise OutputError(
                f"{self.path}: one video cannot hold several sources, {self._source} and {result.source}; "
                "write each into a video of its own"
            )
        return result.timestamp

    def _begin(self, source: str, picture: Image, moment: float) -> None:
        """Open the video, and the source for its sound where it is a file."""
        info = _probe(source)
        refuse_overwriting([self.path], [source] if info else [])
        lead = info.start if info and moment == 0 else 0.0
        video = self._video.begin(picture, moment, lead=lead)
        if info:
            self._reader = SoundSource(source, info)
            if self._reader.sound is not None:
                self._sound = SoundTrack(video, self._reader.sound, lead - moment - self._reader.began)
        self._source = source


def fit_into(image: Image, size: tuple[int, int]) -> Image:
    """Return a picture scaled into a size, with black beside it where their shapes differ.

    Args:
        image: (H, W, 3) uint8 BGR.
        size: Width and height in pixels.

    Returns:
        (height, width, 3) uint8 BGR; the picture itself where it has the size already.

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


def _probe(source: str) -> VideoInfo | None:
    """Look a source over, where it is a video on this machine."""
    try:
        return probe_video(source) if os.path.isfile(source) else None
    except SourceError:
        return None
