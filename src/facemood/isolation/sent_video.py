"""Untrusted videos: only complete video files are opened, and frames are measured before they are converted."""

from __future__ import annotations

import time
from enum import Enum
from pathlib import Path
from typing import Any

from facemood.isolation.bounds import UnknownFormatError, VideoBounds
from facemood.schema import Frame
from facemood.sources.video import VideoInfo, expected_frames, probe_video, step_video

READERS = "mov,matroska,webm,avi,gif,mpegts,mpeg,flv,asf,ogg"
"""FFmpeg's readers of videos in one file. Playlists and the like are not among them: they name other files or
addresses, which FFmpeg would then open."""


MOMENT = 1.0
"""Seconds of skipped frames after which the owner gets a sign of progress."""


class Step(Enum):
    """The result of decoding if it is no frame."""

    MORE = "more"
    END = "end"


class SentVideo:
    """An untrusted video, read frame by frame.

    Args:
        path: The file.
        every: Which frames are read, as for `EmotionRecognizer.stream`.
        bounds: Its limits.

    Raises:
        UnknownFormatError: It is no video in one file.
        LimitError: It is above a bound, as far as its head tells.
        VideoError: It is damaged.
    """

    every: float | None
    bounds: VideoBounds
    count: int
    known: VideoInfo

    def __init__(self, path: str, every: float | None, bounds: VideoBounds) -> None:
        check_format(Path(path))
        self.every, self.bounds, self.count = every, bounds, 0
        self.known = probe_video(path, max_pixels=bounds.pixels)
        bounds.check_time(self.known.duration or 0)
        self._steps = step_video(path, every=every, max_pixels=bounds.pixels)

    def info(self) -> dict[str, Any]:
        """Return the size and the number of frames."""
        return {"size": self.known.size, "frames": expected_frames(self.known, self.every)}

    def next(self) -> Frame | Step:
        """Decode up to the next frame that is read, for a moment at most.

        Returns:
            The frame; or whether more may come, where the moment is over, or where the video has ended.

        Raises:
            LimitError: It is above a bound.
            VideoError: It is damaged.
        """
        ends = time.monotonic() + MOMENT
        for frame in self._steps:
            if frame is not None:
                self.count += 1
                self.bounds.check_count(self.count)
                self.bounds.check_time(frame.timestamp or 0)
                return frame
            if time.monotonic() > ends:
                return Step.MORE
        return Step.END


def check_format(path: Path) -> None:
    """Refuse a file that is not a complete video.

    A playlist, a session description and the like name other files and addresses, which FFmpeg would open; so only
    readers of whole videos may open a file, and nothing but the file itself.

    Raises:
        UnknownFormatError: It is none.
    """
    import av

    allowed = {"format_whitelist": READERS, "protocol_whitelist": "file"}
    try:
        with av.open(f"file:{path}", options=allowed, metadata_errors="replace") as video:
            if video.streams.video:
                return
    except (av.FFmpegError, ValueError):
        pass
    raise UnknownFormatError(
        "this is no video that is read here; expected .mp4, .mov, .mkv, .webm, .avi or the like, whole"
    )
