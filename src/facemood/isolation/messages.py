"""Messages between a decoding process and its owner: a head in JSON and raw bytes, over a pair of pipes."""

from __future__ import annotations

import io
import json
import os
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.errors import FacemoodError, ImageError, LimitError, OutputError, SourceError, VideoError
from facemood.isolation.bounds import UnknownFormatError

ERRORS: dict[str, type[FacemoodError]] = {
    kind.__name__: kind for kind in (SourceError, ImageError, VideoError, LimitError, UnknownFormatError, OutputError)
}
"""Errors that are sent by name, so that the same error is raised on the other side."""

LENGTHS = struct.Struct("<IQ")
"""The start of a message: the number of bytes of its head and of its body."""

MOST_HEAD = 1_000_000
"""Most bytes of a head; more is an error of the protocol."""

MOST_BODY = 1 << 31
"""Most bytes of a body; an image of 40 million pixels has 120 million."""


def write_message(pipe: io.FileIO, head: dict[str, Any], body: bytes | memoryview = b"") -> None:
    """Write a message.

    Args:
        pipe: The pipe, unbuffered.
        head: What JSON can hold.
        body: Raw bytes.

    Raises:
        OSError: The other side is gone.
    """
    text = json.dumps(head).encode()
    start = LENGTHS.pack(len(text), len(body)) + text
    sent = os.writev(pipe.fileno(), [start, body]) if hasattr(os, "writev") else 0  # so that the reader wakes up once
    _write(pipe, start[sent:])
    _write(pipe, memoryview(body)[max(0, sent - len(start)) :])


def read_message(pipe: io.FileIO) -> tuple[dict[str, Any], NDArray[np.uint8]]:
    """Read a message.

    Returns:
        Its head, and its body, (N,) uint8.

    Raises:
        EOFError: The other side is gone, or does not keep to the protocol.
    """
    size, length = LENGTHS.unpack(_read(pipe, LENGTHS.size).data)
    if size > MOST_HEAD or length > MOST_BODY:
        raise EOFError("a message is too long")
    head = json.loads(bytes(_read(pipe, size)))
    return head, _read(pipe, length)


def _write(pipe: io.FileIO, data: bytes | memoryview) -> None:
    """Write all of some bytes."""
    rest = memoryview(data)
    while rest:
        rest = rest[pipe.write(rest) or 0 :]


def _read(pipe: io.FileIO, length: int) -> NDArray[np.uint8]:
    """Read so many bytes. Their memory is not filled with zeros first, which would stop all threads meanwhile."""
    data = np.empty(length, np.uint8)
    rest = data.data
    while rest:
        count = pipe.readinto(rest)
        if not count:
            raise EOFError("the other side is gone")
        rest = rest[count:]
    return data
