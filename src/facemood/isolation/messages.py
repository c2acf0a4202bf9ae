"""Messages between a decoding process and its owner: a head in JSON and raw bytes, over a pair of pipes."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

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
    _write(pipe, LENGTHS.pack(len(text), len(body)) + text)
    _write(pipe, body)


def read_message(pipe: io.FileIO) -> tuple[dict[str, Any], bytearray]:
    """Read a message.

    Raises:
        EOFError: The other side is gone, or does not keep to the protocol.
    """
    size, length = LENGTHS.unpack(_read(pipe, LENGTHS.size))
    if size > MOST_HEAD:
        raise EOFError("the head of a message is too long")
    head = json.loads(_read(pipe, size))
    return head, _read(pipe, length)


def _write(pipe: io.FileIO, data: bytes | memoryview) -> None:
    """Write all of some bytes."""
    rest = memoryview(data)
    while rest:
        rest = rest[pipe.write(rest) or 0 :]


def _read(pipe: io.FileIO, length: int) -> bytearray:
    """Read so many bytes."""
    data = bytearray(length)
    rest = memoryview(data)
    while rest:
        count = pipe.readinto(rest)
        if not count:
            raise EOFError("the other side is gone")
        rest = rest[count:]
    return data
