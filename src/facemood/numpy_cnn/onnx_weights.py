"""Read the weights of an ONNX file with NumPy only.

ONNX files are protocol buffers: sequences of fields, each with a number and a value. A value is an integer of variable
length (7 bits per byte, the lowest first), 4 or 8 bytes, or a number of bytes, which may contain fields again. Only the
path model > graph > initializers is needed here. The numbers of the fields are in
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, the kinds in
https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facemood.errors import ModelError

GRAPH = 7
"""Field of a model: its graph."""

INITIALIZER = 5
"""Field of a graph: one of its weights."""

DIMENSIONS = 1
"""Field of a tensor: one of its dimensions."""

KIND = 2
"""Field of a tensor: its type, one of `KINDS`."""

NAME = 8
"""Field of a tensor: its name."""

BYTES = 9
"""Field of a tensor: its values."""

KINDS = {1: "<f4", 10: "<f2", 11: "<f8"}
"""Types of weight tensors: single, half and double precision."""

WHOLE = 0
"""Wire type of an integer of variable length."""

EIGHT = 1
"""Wire type of a value of eight bytes."""

LENGTH = 2
"""Wire type of a value that begins with its length."""

FOUR = 5
"""Wire type of a value of four bytes."""

Value = int | bytes


def read_weights(path: str | os.PathLike[str]) -> dict[str, NDArray[np.float32]]:
    """Return all floating-point tensors of an ONNX file by name.

    Raises:
        ModelError: The file is missing, or is not an ONNX file with such tensors.
    """
    try:
        tensors = [
            _tensor(tensor) for graph in _all(Path(path).read_bytes(), GRAPH) for tensor in _all(graph, INITIALIZER)
        ]
    except FileNotFoundError:
        raise ModelError(f"{path}: there is no such file") from None
    except (OSError, IndexError, ValueError, TypeError, OverflowError) as error:
        raise ModelError(f"{path}: cannot be read as an ONNX model ({error})") from error
    weights = dict(tensor for tensor in tensors if tensor is not None)
    if not weights:
        raise ModelError(f"{path}: has no weights; expected an ONNX model that contains them")
    return weights


def _tensor(data: bytes) -> tuple[str, NDArray[np.float32]] | None:
    """Return a tensor's name and numbers; None for integers, or if its bytes are not in the file."""
    fields = list(read_fields(data))
    known = dict(fields)
    kind, raw, name = known.get(KIND), known.get(BYTES), known.get(NAME)
    if kind not in KINDS or not isinstance(raw, bytes) or not isinstance(name, bytes):
        return None
    shape = [value for number, value in fields if number == DIMENSIONS and isinstance(value, int)]
    return name.decode(), np.frombuffer(raw, KINDS[int(kind)]).reshape(shape).astype(np.float32)


def _all(data: bytes, wanted: int) -> list[bytes]:
    """Return the values of all bytes fields with a number."""
    return [value for number, value in read_fields(data) if number == wanted and isinstance(value, bytes)]


def read_fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Yield the number and value of each field of a protocol buffer.

    Raises:
        IndexError: It is cut off within a number.
        ValueError: It is cut off within a value, or has a field of an unknown kind or a number of more than 64 bits.

    Example:
        >>> list(read_fields(bytes([8, 150, 1, 18, 2, 104, 105])))
        [(1, 150), (2, b'hi')]
    """
    place = 0
    while place < len(data):
        key, place = _whole_number(data, place)
        number, kind = key >> 3, key & 7
        if kind == WHOLE:
            value, place = _whole_number(data, place)
            yield number, value
            continue
        if kind == LENGTH:
            length, place = _whole_number(data, place)
        elif kind in (FOUR, EIGHT):
            length = 4 if kind == FOUR else 8
        else:
            raise ValueError(f"the field at byte {place} has the unknown kind {kind}")
        if place + length > len(data):
            raise ValueError(f"a field ends at byte {place + length}, but there are {len(data)}; the file is cut")
        yield number, data[place : place + length]
        place += length


def _whole_number(data: bytes, place: int) -> tuple[int, int]:
    """Return the whole number that begins at a place, and the place behind it."""
    number, shift = 0, 0
    while shift < 64:
        number |= (data[place] & 127) << shift
        place, shift = place + 1, shift + 7
        if data[place - 1] < 128:
            return number, place
    raise ValueError(f"the number at byte {place} has more than 64 bits")
