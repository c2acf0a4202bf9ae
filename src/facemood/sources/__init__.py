"""Sources: images, videos, folders, patterns and live sources, read as frames."""

from facemood.sources.boundary import input_errors
from facemood.sources.images import load_image
from facemood.sources.input_list import InputList, read_input_list
from facemood.sources.items import ImageLike, Item
from facemood.sources.open_input import (
    as_item,
    expected_count,
    is_live_input,
    is_video,
    local_video,
    name_of_item,
    open_video,
    read_frame,
    read_frames,
    refuse_live,
)
from facemood.sources.select import ErrorHandler, SourceLike, find_inputs, read_one_image
from facemood.sources.video import VideoInfo, expected_frames, probe_video, read_video

__all__ = [
    "ErrorHandler",
    "ImageLike",
    "InputList",
    "Item",
    "SourceLike",
    "VideoInfo",
    "as_item",
    "expected_count",
    "expected_frames",
    "find_inputs",
    "input_errors",
    "is_live_input",
    "is_video",
    "load_image",
    "local_video",
    "name_of_item",
    "open_video",
    "probe_video",
    "read_frame",
    "read_frames",
    "read_input_list",
    "read_one_image",
    "read_video",
    "refuse_live",
]
