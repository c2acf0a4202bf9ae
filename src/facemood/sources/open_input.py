"""Open one input, whatever it is: photos as frames, videos and animations frame by frame."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from facemood.errors import FacemoodError, ImageError, SourceError
from facemood.imaging import as_image, from_pillow
from facemood.schema import Frame
from facemood.sources.animation import count_animation, read_animation
from facemood.sources.boundary import input_errors, short_name
from facemood.sources.download import download, is_address
from facemood.sources.images import MAX_BYTES, TIFF, load_pages, pages_after_first
from facemood.sources.items import Download, Item, NamedBytes, RemoteFile, VideoSpan, decode_data_url, is_data_url
from facemood.sources.kinds import file_kind, is_animated
from facemood.sources.live import is_live
from facemood.sources.remote import fetch_remote, is_remote, local_copy
from facemood.sources.scaled_jpeg import load_scaled
from facemood.sources.video import expected_frames, probe_video, read_video

STDIN = "-"
"""As a source: an image from standard input."""

logger: logging.Logger = logging.getLogger("facemood")


def name_of_item(item: object) -> str:
    """Return what messages call an input.

    Example:
        >>> name_of_item("a.jpg"), name_of_item(b"...")
        ('a.jpg', 'bytes')
    """
    if isinstance(item, str | os.PathLike):
        name = os.fsdecode(item)
        return short_name(name.partition(";")[0].partition(",")[0] if is_data_url(name) else name)
    if isinstance(item, Download | RemoteFile | VideoSpan):
        return str(item)
    return item.name if isinstance(item, NamedBytes) else _type_name(item)


def _type_name(item: object) -> str:
    """Return what a value is called that has no name."""
    if isinstance(item, int | float | None):
        return str(item)
    return type(item).__name__


def is_video(item: object) -> bool:
    """Tell whether an input is a video or an animation: by its ending, else by its first bytes.

    Example:
        >>> is_video("talk.MP4"), is_video("face.jpg")
        (True, False)
    """
    if isinstance(item, VideoSpan | RemoteFile):
        return isinstance(item, VideoSpan) or file_kind(item.address, sniffed=False) == "video"
    if isinstance(item, bytes | NamedBytes):
        return is_animated(_bytes_of(item))
    if not isinstance(item, str | os.PathLike) or is_live_input(item) or is_data_url(item) or item == STDIN:
        return False
    path = os.fsdecode(item)
    return file_kind(path) == "video" or is_animated(path)


def is_live_input(item: object) -> bool:
    """Tell whether an input is a camera, a screen or a stream, by its name; a file of that name is a file.

    Example:
        >>> is_live_input("camera:0"), is_live_input("camera.jpg")
        (True, False)
    """
    return isinstance(item, str) and is_live(item) and not os.path.exists(item)


def refuse_live(inputs: Iterable[Item]) -> None:
    """Refuse live sources in a list; a generator is not consumed.

    Raises:
        SourceError: An input is live.
    """
    for item in filter(is_live_input, inputs if isinstance(inputs, list) else []):
        name = name_of_item(item)
        photo = "; for a photo, allow_download=True (--allow-download)" if name.startswith("http") else ""
        raise SourceError(f"{name} is live and has no end; read it with stream, or facemood live{photo}")


def as_item(name: str, *, allow_download: bool) -> Item:
    """Return an input by its name: a file, or what is fetched if that is allowed.

    Example:
        >>> as_item("https://example.org/a.jpg", allow_download=True), as_item("a.jpg", allow_download=True)
        (Download(address='https://example.org/a.jpg'), 'a.jpg')
    """
    if allow_download and is_address(name):
        return Download(name)
    return RemoteFile(name) if allow_download and is_remote(name) else name


@contextlib.contextmanager
def local_video(item: Item) -> Iterator[Item]:
    """Yield a video as it can be opened: a copy of a file in an object store, all others as they are."""
    if not isinstance(item, RemoteFile):
        yield item
        return
    with local_copy(item.address) as copy:
        yield copy


def open_video(
    item: object, *, every: float | None = None, start: float = 0.0, end: float | None = None
) -> Generator[Frame, None, None]:
    """Yield the frames of a video or an animation, as `read_video` does.

    Raises:
        VideoError: It cannot be read.
        ValueError: An option is out of its range.
    """
    name = _path_of(item)
    file = _bytes_of(item) if isinstance(item, bytes | NamedBytes) else name
    if is_animated(file):
        return read_animation(file, name=name, every=every, start=start, end=end)
    return read_video(name, every=every, start=start, end=end)


def expected_count(item: object, every: float | None = None) -> int | None:
    """Estimate how many photos or frames an input gives; None where it does not say.

    An input that cannot be opened counts as one: what is wrong with it is said when it is read.
    """
    if is_live_input(item):
        return None
    if not is_video(item):
        return 1
    if isinstance(item, RemoteFile):
        return None
    name = _path_of(item)
    file = _bytes_of(item) if isinstance(item, bytes | NamedBytes) else name
    try:
        with input_errors(name):
            return count_animation(file, every) if is_animated(file) else expected_frames(probe_video(name), every)
    except FacemoodError:
        return 1


def read_frame(item: Item) -> Frame:
    """Open one image; of several pages or frames the first, and a warning tells of the others.

    Raises:
        SourceError: It cannot be read; mostly an `ImageError`.
    """
    frame = next(read_frames(item))
    if isinstance(item, str | os.PathLike | bytes | NamedBytes) and not is_data_url(item) and item != STDIN:
        _warn_of_more(item, frame.source)
    return frame


def read_frames(item: Item, *, reduction: int = 1) -> Iterator[Frame]:
    """Open one image, or the pages of a TIFF one by one, each with its number as `Frame.index`.

    Args:
        item: The input.
        reduction: By how much the sides of large JPEGs are reduced: 1, 2, 4 or 8 (`load_scaled`).

    Raises:
        SourceError: It cannot be read; mostly an `ImageError`.
    """
    with input_errors(name_of_item(item), ImageError):
        if isinstance(item, np.ndarray):
            yield Frame(np.ascontiguousarray(as_image(item, name="array")), source="array")
        elif isinstance(item, Pillow.Image):
            name = str(getattr(item, "filename", "") or "image")
            yield Frame(from_pillow(item, name=name), source=name)
        else:
            data, name = _open_photo(item)
            if (scaled := load_scaled(data, reduction)) is not None:
                yield Frame(scaled[0], source=name, reduced_from=scaled[1])
                return
            pages = load_pages(data, name="standard input" if name == STDIN else name)
            yield from (Frame(image, source=name, index=page) for page, image in enumerate(pages))


def _open_photo(item: Any) -> tuple[bytes | Path, str]:
    """Return a photo's bytes or its path, and its name."""
    if isinstance(item, Download):
        item = download(item.address)
    elif isinstance(item, RemoteFile):
        item = fetch_remote(item.address)
    elif is_data_url(item):
        item = decode_data_url(item)
    elif item == STDIN:
        item = NamedBytes(sys.stdin.buffer.read(MAX_BYTES + 1), STDIN)
        if len(item.data) > MAX_BYTES:
            raise ImageError(f"{STDIN}: standard input has more than {MAX_BYTES:,} bytes; expected a smaller image")
    if isinstance(item, NamedBytes):
        return item.data, item.name
    if isinstance(item, bytes):
        return item, "bytes"
    return Path(item), os.fspath(item)


def _path_of(item: object) -> str:
    """Return a path as it is given, and the name of what has none."""
    return os.fsdecode(item) if isinstance(item, str | os.PathLike) else name_of_item(item)


def _bytes_of(item: bytes | NamedBytes) -> bytes:
    """Return a file's bytes."""
    return item.data if isinstance(item, NamedBytes) else item


def _warn_of_more(item: Any, name: str) -> None:
    """Warn of pages and frames that are not read."""
    file = _bytes_of(item) if isinstance(item, bytes | NamedBytes) else os.fsdecode(item)
    if is_animated(file):
        logger.warning("%s: of an animation only the first frame is read; analyze and stream read all", name)
    elif isinstance(file, bytes) or file.lower().endswith((".tif", ".tiff")):
        data = file if isinstance(file, bytes) else Path(file).read_bytes()
        if data.startswith(TIFF) and next(pages_after_first(data, name), None):
            logger.warning("%s: of several pages only the first is read; analyze and stream read all", name)
