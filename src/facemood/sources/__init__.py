"""Sources: what users name, read as frames."""

from facemood.sources.images import load_image
from facemood.sources.select import ErrorHandler, ImageLike, SourceLike, find_inputs, read_frame

__all__ = ["ErrorHandler", "ImageLike", "SourceLike", "find_inputs", "load_image", "read_frame"]
