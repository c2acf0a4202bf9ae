"""Inputs that are no files: data URLs, file objects, addresses that may be downloaded, and segments of videos."""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import unquote_to_bytes

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from facemood.errors import ImageError, SourceError
from facemood.sources.boundary import short_name
from facemood.sources.images import MAX_BYTES

DATA = "data:"
"""How data URLs begin."""

FILE = "file://"
"""How addresses of files begin."""


@dataclass(frozen=True, slots=True)
class NamedBytes:
    """A file's bytes.

    Attributes:
        data: The bytes.
        name: What results and messages call it.
    """

    data: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Download:
    """A photo behind an address, which is fetched when its turn comes.

    Attributes:
        address: Begins with ``http://`` or ``https://``.
    """

    address: str

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file in an object store, which is fetched when its turn comes.

    Attributes:
        address: Such as ``s3://bucket/a.jpg``.
        size: Bytes; None if the store does not tell.
        mtime_ns: Time of the last change, in nanoseconds since 1970; None if the store does not tell.
    """

    address: str
    size: int | None = None
    mtime_ns: int | None = None

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True, slots=True)
class VideoSpan:
    """Some segments of a video.

    Attributes:
        path: The video.
        first: Number of the first segment, from 0.
        last: Number of the last one; None for the end of the video.
    """

    path: str
    first: int = 0
    last: int | None = None

    def __str__(self) -> str:
        return self.path


ImageLike: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | NDArray[np.uint8] | Pillow.Image"
)
"""One image: a path, a data URL, a file's bytes, a file that is open for reading bytes, an array (H, W[, 3]) uint8 BGR,
or a Pillow image."""

Item: TypeAlias = "ImageLike | NamedBytes | Download | RemoteFile | VideoSpan"
"""One input as it is listed: an image, a video or a part of one, or something live."""


def is_data_url(item: object) -> bool:
    """Tell whether an input is a data URL.

    Example:
        >>> is_data_url("data:image/png;base64,iVBO"), is_data_url("data.png")
        (True, False)
    """
    return isinstance(item, str) and item[: len(DATA)].lower() == DATA and "," in item


def is_file_url(text: str) -> bool:
    """Tell whether a text is the address of a file.

    Example:
        >>> is_file_url("file:///home/me/a.jpg"), is_file_url("file.jpg")
        (True, False)
    """
    return text[: len(FILE)].lower() == FILE


def path_of_url(url: str) -> str:
    """Return the path of a file's address.

    Raises:
        SourceError: The file is on another machine.

    Example:
        >>> path_of_url("file:///photos/my%20cat.jpg")
        '/photos/my cat.jpg'
    """
    from urllib.request import url2pathname  # loads http, which other inputs do not need

    host, slash, path = url[len(FILE) :].partition("/")
    if host.lower() not in ("", "localhost"):
        raise SourceError(f"{short_name(url)}: the file is on another machine; expected a path, or file:///PATH")
    return url2pathname(slash + path)


def decode_data_url(url: str) -> NamedBytes:
    """Return the bytes of a data URL, named by its kind.

    Raises:
        ImageError: It is not encoded as it says.

    Example:
        >>> decode_data_url("data:image/png;base64,aGVsbG8=")
        NamedBytes(data=b'hello', name='data:image/png')
    """
    head, _, body = url.partition(",")
    name = short_name(head.partition(";")[0])
    data = unquote_to_bytes(body)
    if head.lower().endswith(";base64"):
        try:
            data = base64.b64decode(b"".join(data.split()), validate=True)
        except binascii.Error as error:
            raise ImageError(f"{name}: the data URL is damaged ({error}); expected base64") from None
    return NamedBytes(data, name)


def read_file_object(file: Any) -> NamedBytes:
    """Read a file that is open, from where it stands to its end.

    Raises:
        SourceError: It gives text, or more than `MAX_BYTES`.

    Example:
        >>> import io
        >>> read_file_object(io.BytesIO(b"hello"))
        NamedBytes(data=b'hello', name='file')
    """
    name = getattr(file, "name", None)
    name = short_name(os.fsdecode(name)) if isinstance(name, str | bytes) else "file"
    data = file.read(MAX_BYTES + 1)
    if not isinstance(data, bytes | bytearray | memoryview):
        raise SourceError(
            f"{name}: the open file gives {type(data).__name__}; open it for bytes, as in open(name, 'rb')"
        )
    if len(data) > MAX_BYTES:
        raise ImageError(f"{name}: the file has more than {MAX_BYTES:,} bytes; expected a smaller image")
    return NamedBytes(bytes(data), name)
