"""Find the inputs that a source names: images, videos, live sources, folders, patterns, or a list of them."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from facemood.errors import FacemoodError, ImageError, SourceError, did_you_mean
from facemood.schema import Frame
from facemood.sources.images import from_array, from_pillow, load_image
from facemood.sources.live import is_live

SUFFIXES = {".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".pgm", ".ppm", ".avif", ".jp2"}
"""Suffixes of the image files that are taken from a folder or pattern. A file that is named itself may have any."""

VIDEO_SUFFIXES = {
    ".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ogv", ".ts", ".mts",
}  # fmt: skip
"""Suffixes of the files that are read as videos."""

STDIN = "-"
"""As a source: an image from standard input."""

ImageLike: TypeAlias = "str | os.PathLike[str] | bytes | NDArray[np.uint8] | Pillow.Image"
"""One image: a path, a file's bytes, an array (H, W[, 3]) uint8 BGR, or a Pillow image."""

SourceLike: TypeAlias = "ImageLike | Iterable[ImageLike]"
"""An image, a video, a live source, a folder, a pattern such as ``photos/**/*.jpg``, or several of them."""

ErrorHandler: TypeAlias = Callable[[str, FacemoodError], None]
"""Called with the name of an input that cannot be read and the error; the other inputs are still read."""


def find_inputs(source: SourceLike, *, on_error: ErrorHandler | None = None) -> list[ImageLike] | Iterator[ImageLike]:
    """List the images, videos and live sources that a source names, without opening them.

    Folders are searched recursively, patterns are expanded, and both give sorted paths. A generator is read lazily:
    its items need not fit into memory together.

    Args:
        source: A source as the user gave it.
        on_error: Called for each of several sources that does not exist or is empty; None raises the first error.

    Raises:
        SourceError: A path does not exist, a folder or pattern has no image or video, or the type is not supported.

    Example:
        >>> len(find_inputs([np.zeros((8, 8), np.uint8), b"..."]))
        2
    """
    if isinstance(source, str | os.PathLike):
        return list(_find_paths(os.fspath(source)))
    if isinstance(source, bytes | np.ndarray | Pillow.Image):
        return [source]
    if isinstance(source, Iterable):
        items = (item for part in source for item in _find_part(part, on_error))
        return list(items) if isinstance(source, Sized) else items
    raise SourceError(
        f"cannot read {type(source).__name__}; expected a path, bytes, an array, a Pillow image, or a list of them"
    )


def is_video(item: ImageLike) -> bool:
    """Return whether an input is a video, by its suffix.

    Example:
        >>> is_video("talk.MP4"), is_video("face.jpg")
        (True, False)
    """
    return (
        isinstance(item, str | os.PathLike) and Path(item).suffix.lower() in VIDEO_SUFFIXES and not is_live_input(item)
    )


def is_live_input(item: ImageLike) -> bool:
    """Return whether an input is a camera, a screen or a network stream, by its name. An existing file is none.

    Example:
        >>> is_live_input("camera:0"), is_live_input("camera.jpg")
        (True, False)
    """
    return isinstance(item, str) and is_live(item) and not Path(item).exists()


def read_frame(item: ImageLike) -> Frame:
    """Open one image.

    Raises:
        ImageError: It cannot be decoded.
    """
    if isinstance(item, bytes):
        return Frame(load_image(item, name="bytes"), source="bytes")
    if isinstance(item, np.ndarray):
        return Frame(from_array(item), source="array")
    if isinstance(item, Pillow.Image):
        return Frame(from_pillow(item), source=str(getattr(item, "filename", "") or "image"))
    if item == STDIN:
        return Frame(load_image(sys.stdin.buffer.read(), name="standard input"), source=STDIN)
    return Frame(load_image(Path(item)), source=os.fspath(item))


def read_one_image(image: ImageLike) -> Frame:
    """Open a source that must be exactly one image.

    Raises:
        ImageError: It is a folder, a pattern for several files, or it cannot be decoded.
        SourceError: It does not exist.
    """
    inputs = list(find_inputs(image))
    if len(inputs) != 1 or (isinstance(image, str | os.PathLike) and Path(image).is_dir()):
        raise ImageError(f"expected one image, but {str(image)!r} names {len(inputs)}; use analyze or stream")
    return read_frame(inputs[0])


def _find_part(part: ImageLike, on_error: ErrorHandler | None) -> Iterable[ImageLike]:
    """List the inputs of one of several sources, or pass its error to `on_error`."""
    try:
        return find_inputs(part)
    except SourceError as error:
        if on_error is None:
            raise
        on_error(str(part), error)
        return []


def _find_paths(text: str) -> Iterator[str]:
    """Expand one path, folder or pattern."""
    path = Path(text).expanduser()
    if text == STDIN:
        yield text
    elif path.is_dir():
        yield from _files_in(path)
    elif path.exists():
        yield str(path)
    elif is_live_input(text):
        yield text
    elif glob.has_magic(text):
        yield from _files_matching(text)
    else:
        raise SourceError(_not_found(text, path))


def _files_in(folder: Path) -> list[str]:
    """List the images and videos in a folder and its subfolders."""
    found = sorted(str(file) for file in folder.rglob("*") if _has_known_suffix(file) and file.is_file())
    if not found:
        raise SourceError(f"{folder}: the folder holds no images or videos; expected files such as .jpg, .png or .mp4")
    return found


def _files_matching(pattern: str) -> list[str]:
    """List the images and videos that a pattern matches."""
    found = sorted(name for name in glob.glob(str(Path(pattern).expanduser()), recursive=True) if Path(name).is_file())
    known = [name for name in found if _has_known_suffix(Path(name))]
    if not known:
        raise SourceError(f"{pattern}: the pattern matches no image or video ({len(found)} other files)")
    return known


def _has_known_suffix(file: Path) -> bool:
    """Return whether a file is taken from a folder or pattern."""
    return file.suffix.lower() in SUFFIXES | VIDEO_SUFFIXES


def _not_found(text: str, path: Path) -> str:
    """Return the message for a path that does not exist, with the nearest name in its folder."""
    if "://" in text:
        return f"{text}: unsupported protocol; expected rtsp://, http://, https:// or udp://"
    siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    return f"{text}: there is no such file or folder.{did_you_mean(path.name, siblings)}"
