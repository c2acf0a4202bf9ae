"""Read ONNX files; models with weights in other files (external data) are rejected.

In ONNX, a tensor can refer to another file for its numbers. Such a model is not a single file that can be copied, and
could refer to files that do not belong to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from facemood.errors import ModelError

LARGEST = 2**31 - 1
"""Largest size of an ONNX file in bytes; protocol buffers allow no more."""

PARTS = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor",
    },
    "sparse tensor": {1: "tensor", 2: "tensor"},
}  # fmt: skip
"""For each message of ONNX, the fields that lead to tensors; the field numbers are those of onnx.proto."""

NAME = 8
"""Field of a tensor: its name."""

EXTERNAL_DATA = 13
"""Field of a tensor: the file with its numbers."""

DATA_LOCATION = 14
"""Field of a tensor: 0 if its numbers are in the model."""


def read_model_file(file: Path) -> bytes:
    """Read an ONNX file that contains its weights.

    Raises:
        ModelError: The file cannot be read, is too large, or keeps weights in other files.
    """
    try:
        size = file.stat().st_size
        data = file.read_bytes() if size <= LARGEST else b""
    except OSError as error:
        raise ModelError(f"{file}: cannot be read ({error.strerror})") from error
    if size > LARGEST:
        raise ModelError(
            f"{file}: cannot be loaded as an ONNX model (it has {size:,} bytes; expected at most {LARGEST:,})"
        )
    try:
        name = find_external(data)
    except (IndexError, ValueError) as error:
        raise ModelError(f"{file}: cannot be loaded as an ONNX model ({error})") from error
    if name is not None:
        raise ModelError(
            f"{file}: the tensor {name!r} is external data in another file; save all weights in the model: "
            "onnx.save(onnx.load(FILE), NEW_FILE)"
        )
    return data


def find_external(model: bytes) -> str | None:
    """Return the name of a tensor with external data, or None if all data are in the model.

    Args:
        model: An ONNX file.

    Raises:
        IndexError: It refers to other files and is cut off within a number.
        ValueError: It refers to other files and is not a protocol buffer.

    Example:
        >>> find_external(b"")
    """
    if b"location" not in model:  # the key of every reference to a file
        return None
    return next(_external_tensors(model), None)


def _external_tensors(model: bytes) -> Iterator[str]:
    """Yield the names of tensors with external data."""
    from facemood.numpy_cnn.onnx_weights import read_fields  # loads all layers, but few models get here

    left: list[tuple[str, bytes]] = [("model", model)]
    while left:
        kind, data = left.pop()
        fields = list(read_fields(data))
        if kind == "tensor":
            if any(_is_elsewhere(number, value) for number, value in fields):
                yield _name_of(fields)
            continue
        parts = PARTS[kind]
        left += [(parts[number], value) for number, value in fields if number in parts and isinstance(value, bytes)]


def _is_elsewhere(number: int, value: int | bytes) -> bool:
    """Return whether a field of a tensor marks external data."""
    return number == EXTERNAL_DATA or (number == DATA_LOCATION and value != 0)


def _name_of(fields: list[tuple[int, int | bytes]]) -> str:
    """Return a tensor's name."""
    names = [value for number, value in fields if number == NAME and isinstance(value, bytes)]
    return names[-1].decode(errors="replace") if names else ""
