"""Annotated videos: drawn, with the timestamps and the sound of the source, while the next frames are read."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

from facemood.errors import OutputError, SourceError
from facemood.originals import refuse_overwriting
from facemood.results import Result
from facemood.schema import Image
from facemood.sinks.annotated_images import DrawingSink
from facemood.sinks.sink import ONE_VIDEO, PLAIN_LOOKS, Looks
from facemood.sinks.sound import SoundSource, SoundTrack
from facemood.sinks.video_writer import VideoWriter
from facemood.sinks.write_behind import WriteBehind
from facemood.sources.video import VideoInfo, probe_video


class VideoWithSound:
    """Writes frames as a video, with the sound of their source.

    Frames keep their times. If only some frames were read, each lasts until the next one; the last frame lasts until
    the end of the source. After an interruption, the video and its sound end there. Sound is copied if MP4 supports its
    codec, and transcoded to AAC otherwise. A source that is not a file, such as a camera, has no sound.

    Args:
        path: Path of the video; it is renamed into place when it is closed.

    Raises:
        OutputError: The file cannot be written.
    """

    path: Path

    def __init__(self, path: Path) -> None:
        self.path = path
        self._video = VideoWriter(path)
        self._source: str | None = None
        self._sound_source: SoundSource | None = None
        self._sound: SoundTrack | None = None
        self._last, self._step = 0.0, 0.0

    def add(self, image: Image, timestamp: float, source: str) -> None:
        """Write one frame, and the sound up to it.

        Args:
            image: (H, W, 3) uint8 BGR.
            timestamp: Its time in the source, in seconds.
            source: The source; the same for all frames.

        Raises:
            OutputError: The source is another one, or the frame cannot be written.
        """
        self.check_source(source)
        if not self.begun:
            self._begin(source, image, timestamp)
        else:
            self._step = max(self._step, timestamp - self._last)
        self._video.add(image, timestamp)
        self._last = timestamp
        if self._sound_source and self._sound:
            self._video.mux(self._sound.convert(self._sound_source.sound_until(timestamp)))

    @property
    def begun(self) -> bool:
        """Whether it has a frame, and so a source."""
        return self._source is not None

    def check_source(self, source: str) -> None:
        """Refuse frames of another source than the first one.

        Raises:
            OutputError: The source is another one.
        """
        if self._source not in (None, source):
            raise OutputError(
                f"{self.path}: one video cannot hold several sources, {self._source} and {source}; "
                "write a separate video for each"
            )

    def close(self, *, whole: bool = True) -> None:
        """Finish the video and rename it to its path, or to a name that says that it is unfinished.

        Raises:
            OutputError: The file cannot be written.
        """
        end = None
        if self._sound_source and not self._video.closed:
            end, rest = self._sound_source.finish(self._last, self._step)
            if self._sound:
                self._video.mux(self._sound.convert(rest))
                self._video.mux(self._sound.flush())
        if self._sound_source:
            self._sound_source.close()
        self._video.close(end, whole=whole)

    def discard(self) -> None:
        """Delete the unfinished video; an earlier file of that name stays."""
        if self._sound_source:
            self._sound_source.close()
        self._video.discard()

    def _begin(self, source: str, image: Image, time: float) -> None:
        """Open the video, and the source for its sound if it is a file."""
        info = _probe(source)
        refuse_overwriting([self.path], [source] if info else [])
        lead = info.start if info and time == 0 else 0.0
        video = self._video.begin(image, time, lead=lead)
        if info:
            sound_source = self._sound_source = SoundSource(source, info)
            if sound_source.sound is not None:
                self._sound = SoundTrack(video, sound_source.sound, lead - time - sound_source.began)
        self._source = source


class VideoSink(DrawingSink):
    """Writes the annotated frames of a video, with its sound (`VideoWithSound`).

    Frames are drawn and encoded in a thread of their own, while the next ones are read; a few of them wait. An error
    comes out of the next call of `write`, or of `close`. Voices are kept even if faces are hidden.

    Args:
        path: Path of the video; it is renamed into place when it is closed.
        info: Not used: a video does not store the settings of the run.
        looks: How frames show faces.

    Raises:
        OutputError: The file cannot be written.
    """

    holds = ONE_VIDEO

    def __init__(self, path: Path, info: dict[str, Any], looks: Looks = PLAIN_LOOKS) -> None:
        super().__init__(path, info, looks)
        self._video = VideoWithSound(path)
        self._behind = WriteBehind()

    def write(self, result: Result) -> None:
        """Have one frame drawn and written, and the sound up to it.

        Raises:
            OutputError: The result is from another source, has no timestamp, or it or an earlier one cannot be written.
        """
        if result.timestamp is None:
            raise OutputError(
                f"{self.path}: {result.source} is a single image, which has no time in a video; "
                f"give a folder's name for images, {self.path.stem}/"
            )
        self._video.check_source(result.source)
        if self._video.begun:
            self._behind.do(partial(self._add, result, result.timestamp), pixels=result.size[0] * result.size[1])
        else:  # at once, because an output that cannot be begun is refused before more is read
            self._add(result, result.timestamp)

    def close(self, *, whole: bool = True) -> None:
        """Finish the video and rename it to its path, or to a name that says that it is unfinished.

        Raises:
            OutputError: The file, or one of its last frames, cannot be written.
        """
        written = False
        try:
            self._behind.finish()
            written = True
        finally:
            self._video.close(whole=whole and written)

    def discard(self) -> None:
        """Delete the unfinished video; an earlier file of that name stays."""
        self._behind.discard()
        self._video.discard()

    def _add(self, result: Result, timestamp: float) -> None:
        """Draw and write one frame."""
        self._video.add(self.draw(result), timestamp, result.source)


def _probe(source: str) -> VideoInfo | None:
    """Return the properties of a source if it is a video file, else None."""
    try:
        return probe_video(source) if os.path.isfile(source) else None
    except SourceError:
        return None
