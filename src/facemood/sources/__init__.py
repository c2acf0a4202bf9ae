"""Sources: images, videos, folders, patterns and live sources, read as frames."""

from facemood.sources.images import load_image
from facemood.sources.select import (
    ErrorHandler,
    ImageLike,
    SourceLike,
    find_inputs,
    is_live_input,
    is_video,
    read_frame,
    read_one_image,
)
from facemood.sources.video import VideoInfo, expected_frames, probe_video, read_video

__all__ = [
    "ErrorHandler",
    "ImageLike",
    "SourceLike",
    "VideoInfo",
    "expected_frames",
    "find_inputs",
    "is_live_input",
    "is_video",
    "load_image",
    "probe_video",
    "read_frame",
    "read_one_image",
    "read_video",
]
